/**
 * The view of what was heard.
 */

import { nameOf } from "../answers/verdict.js";
import { csvOf } from "../shared/csv.js";
import { announce, fill, h, heading, icon } from "../shared/dom.js";
import { saveFile } from "../shared/saving.js";
import { clock } from "../shared/words.js";
import { forgetAll, forgetOne, heard } from "./heard.js";

/** @typedef {import("./heard.js").Heard} Heard */

const COLUMNS = /** @type {(keyof Heard)[]} */ (
  "at source track_id title artists album isrc confidence position".split(" ")
);

/**
 * Make the view.
 *
 * @returns {HTMLElement}
 */
export function historyView() {
  const place = h("section", { class: "view" });
  const show = () => {
    const entries = heard();
    fill(
      place,
      heading("History"),
      h("p", { class: "muted" }, "What was named here. It stays in this browser, until you delete it."),
      entries.length > 0 && actions(entries, show),
      entries.length > 0
        ? h("ul", { class: "rows" }, entries.map((entry) => row(entry, show)))
        : h("p", { class: "empty" }, "Nothing yet"),
    );
  };
  show();
  return place;
}

/**
 * @param {Heard[]} entries
 * @param {() => void} changed
 */
function actions(entries, changed) {
  /** @type {(label: string, act: () => void, kind?: string) => HTMLElement} */
  const button = (label, act, kind = "") =>
    h("button", { type: "button", class: `button ${kind}`, onclick: act }, label);
  return h(
    "div",
    { class: "actions" },
    button("Export CSV", () => saveFile("history.csv", csvOf(COLUMNS, entries), "text/csv")),
    button("Export JSON", () =>
      saveFile("history.json", JSON.stringify(entries, null, 2), "application/json"),
    ),
    button(
      "Delete all",
      () => {
        if (!confirm(`Delete all ${entries.length} entries?`)) return;
        forgetAll();
        announce("History deleted");
        changed();
      },
      "danger",
    ),
  );
}

/**
 * @param {Heard} entry
 * @param {() => void} changed
 */
function row(entry, changed) {
  const name = nameOf(entry);
  const forget = () => {
    forgetOne(entry.at);
    announce(`${name} deleted`);
    changed();
  };
  return h(
    "li",
    { class: "with-action" },
    h(
      "a",
      { class: "row", href: `#/track/${entry.track_id}` },
      h("span", { class: "row-title" }, entry.title ?? entry.track_id),
      h("span", { class: "row-of" }, [entry.artists.join(", "), entry.album].filter(Boolean).join(" · ")),
      h(
        "span",
        { class: "row-end" },
        new Date(entry.at).toLocaleString([], { dateStyle: "short", timeStyle: "short" }),
        h("br"),
        `at ${clock(entry.position)}`,
      ),
    ),
    h(
      "button",
      { type: "button", class: "icon-button", "aria-label": `Delete ${name}`, onclick: forget },
      icon("delete"),
    ),
  );
}
