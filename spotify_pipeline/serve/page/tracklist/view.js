/**
 * The view of the tracklist.
 *
 * Belongs here: what is on it. Does not belong here: making the tracklist (`session`).
 */

import { announce, fill, h, heading } from "../shared/dom.js";
import { fileDrop } from "../shared/file-drop.js";
import { saveFile } from "../shared/saving.js";
import { trouble } from "../shared/trouble.js";
import { clock } from "../shared/words.js";
import { correct } from "./correction.js";
import { asCsv, asCue, asJson } from "./exports.js";
import { corrected, split, without } from "./parts.js";
import { partRow } from "./row.js";
import { session } from "./session.js";
import { strip } from "./strip.js";

/**
 * Make the view.
 *
 * @param {{signal: AbortSignal}} opened
 * @returns {HTMLElement}
 */
export function tracklistView({ signal }) {
  const controls = h("div", { class: "tracklist-controls" });
  const status = h("p", { class: "so-far", role: "status" });
  const problem = h("div");
  const list = h("div");
  let known = session.parts.length;

  const showTime = () => {
    if (session.state !== "listening") return;
    status.textContent = `${clock(session.seconds)} heard. ${session.now}`;
  };
  const show = () => {
    fill(controls, session.state === "idle" ? starters() : stoppers());
    if (session.state === "reading") status.textContent = `Reading ${session.name} …`;
    else if (session.state === "idle") status.textContent = session.parts.length ? session.name : "";
    showTime();
    fill(problem, session.error ? trouble(session.error) : null);
    fill(list, session.parts.length > 0 && shownParts());
    if (session.parts.length !== known) announce(`${session.parts.length} parts`);
    known = session.parts.length;
  };
  session.addEventListener("change", show, { signal });
  session.addEventListener("time", showTime, { signal });
  show();
  return h(
    "section",
    { class: "view tracklist" },
    heading("Tracklist"),
    h("p", { class: "muted" }, "What plays when in a radio hour or a DJ set."),
    controls,
    status,
    problem,
    list,
  );
}

/** @returns {HTMLElement[]} */
function starters() {
  return [
    h(
      "button",
      { type: "button", class: "button primary", onclick: () => session.listen() },
      "Listen on",
    ),
    fileDrop("Drop or choose a recording", (file) => session.readFile(file)),
  ];
}

/** @returns {HTMLElement[]} */
function stoppers() {
  const listening = session.state === "listening";
  const act = () => (listening ? session.finish() : session.stop());
  return [
    h(
      "button",
      { type: "button", class: "button primary", onclick: act },
      listening ? "Stop listening" : "Stop",
    ),
  ];
}

/** @returns {HTMLElement[]} */
function shownParts() {
  const { parts } = session;
  return [
    strip(parts),
    h(
      "ol",
      { class: "parts", "aria-label": "Parts" },
      parts.map((part, k) =>
        partRow(part, {
          edit: () =>
            correct(part, (change) => session.setParts(corrected(session.parts, k, change))),
          split: () => session.setParts(split(session.parts, k)),
          remove: k > 0 ? () => session.setParts(without(session.parts, k)) : null,
        }),
      ),
    ),
    exports(),
  ];
}

function exports() {
  const { parts, name } = session;
  const stem = name.replace(/\.[^.]{1,5}$/, "").replaceAll(/[/\\:]/g, "-") || "tracklist";
  const files = [
    ["CSV", () => saveFile(`${stem}.csv`, asCsv(parts), "text/csv")],
    ["JSON", () => saveFile(`${stem}.json`, asJson(parts, name), "application/json")],
    ["CUE", () => saveFile(`${stem}.cue`, asCue(parts, name), "application/x-cue")],
  ];
  return h(
    "div",
    { class: "actions" },
    files.map(([kind, act]) =>
      h("button", { type: "button", class: "button", onclick: act }, `Export ${kind}`),
    ),
    session.state === "idle" &&
      h(
        "button",
        { type: "button", class: "button danger", onclick: () => session.clear() },
        "Delete",
      ),
  );
}
