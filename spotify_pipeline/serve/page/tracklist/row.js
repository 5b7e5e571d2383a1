/**
 * A part of the tracklist, shown.
 */

import { confidenceBadge } from "../answers/result-card.js";
import { h, icon } from "../shared/dom.js";
import { clock } from "../shared/words.js";

/** @typedef {import("../server/answers.js").Part} Part */

/**
 * Make the row of a part.
 *
 * @param {Part} part
 * @param {{edit: () => void, split: () => void, remove: (() => void) | null}} actions The first part
 *   can't be removed: nothing goes before it.
 * @returns {HTMLElement}
 */
export function partRow(part, { edit, split, remove }) {
  const { start, end, track } = part;
  const name = track ? (track.title ?? track.track_id ?? "Unknown") : "Unknown";
  /** @type {(picture: string, label: string, act: () => void) => HTMLElement} */
  const action = (picture, label, act) =>
    h(
      "button",
      { type: "button", class: "icon-button", "aria-label": `${label} ${name}`, title: label, onclick: act },
      icon(picture),
    );
  return h(
    "li",
    { class: track ? "part" : "part unknown" },
    h("time", { class: "part-start" }, clock(start)),
    h(
      "div",
      { class: "part-names" },
      h(
        "span",
        { class: "row-title" },
        track?.track_id ? h("a", { href: `#/track/${track.track_id}` }, name) : name,
      ),
      h("span", { class: "row-of" }, describe(part)),
    ),
    h("span", { class: "part-length muted" }, clock(end - start)),
    typeof track?.confidence === "number" && confidenceBadge(track.confidence),
    h(
      "div",
      { class: "part-actions" },
      action("edit", "Correct", edit),
      action("split", "Split", split),
      remove && action("delete", "Remove", remove),
    ),
  );
}

/** @param {Part} part */
function describe({ track, corrected }) {
  const position = (track?.position ?? 0) >= 1 ? `from ${clock(track?.position ?? 0)} on` : "";
  const by = track?.artists.join(", ");
  return [by, track?.album, position, corrected && "corrected"].filter(Boolean).join(" · ");
}
