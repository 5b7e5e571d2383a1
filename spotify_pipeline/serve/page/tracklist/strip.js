/**
 * The tracklist as a strip, on which each part is as wide as it is long.
 */

import { nameOf } from "../answers/verdict.js";
import { h } from "../shared/dom.js";
import { clock } from "../shared/words.js";

/** @typedef {import("../server/answers.js").Part} Part */

/**
 * Make the strip. The list beside it says the same, so screen readers pass it over.
 *
 * @param {Part[]} parts
 * @returns {HTMLElement}
 */
export function strip(parts) {
  const line = h("div", { class: "strip", "aria-hidden": "true" });
  for (const { start, end, track } of parts) {
    const name = track ? nameOf(track) : "Unknown";
    const piece = h("span", { class: track ? "piece" : "piece gap", title: `${clock(start)} ${name}` });
    piece.style.setProperty("flex-grow", String(Math.max(end - start, 0.1)));
    line.append(piece);
  }
  return line;
}
