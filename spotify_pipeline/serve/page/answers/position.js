/**
 * Where in the track the music is, counting on.
 */

import { fill, h } from "../shared/dom.js";
import { clock } from "../shared/words.js";

/** @typedef {import("../server/answers.js").Match} Match */

const TICK = 250; // milliseconds

/**
 * Make the bar of a track with the position on it.
 *
 * @param {Match} match
 * @param {number | null} startedAt When the recording began, as `performance.now` gives; null for a
 *   file, of which the beginning is shown and stays.
 * @param {AbortSignal} signal Ends the counting.
 * @returns {HTMLElement}
 */
export function positionNow(match, startedAt, signal) {
  const { offset, duration, speed } = match;
  const lead = startedAt === null ? "The recording begins at " : "Now at ";
  const words = h("p");
  const bar = h("progress", { max: duration ?? 1, "aria-label": "Position in the track" });
  const show = () => {
    const played = startedAt === null ? 0 : ((performance.now() - startedAt) / 1000) * speed;
    const position = offset + played;
    const ended = duration !== null && position > duration;
    const of = duration === null ? "" : ` of ${clock(duration)}`;
    if (ended) words.textContent = `It has ended by now; it is ${clock(duration)} long`;
    else fill(words, lead, h("strong", {}, clock(position) + of));
    /** @type {HTMLProgressElement} */ (bar).value = Math.min(position, duration ?? position);
  };
  show();
  if (startedAt !== null) {
    const timer = setInterval(show, TICK);
    signal.addEventListener("abort", () => clearInterval(timer));
  }
  return h("div", { class: "position" }, duration !== null && bar, words);
}
