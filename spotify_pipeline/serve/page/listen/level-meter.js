/**
 * The ring around the button, which is as wide as the music is loud.
 */

import { h } from "../shared/dom.js";

const QUIET = -60; // dB below full scale: the ring is not seen
const LOUD = -6;

/**
 * Make the meter.
 *
 * @returns {{element: HTMLElement, show: (level: number | null) => void}} `show` takes a level in dB
 *   below full scale, null when nothing is listened to.
 */
export function levelMeter() {
  const element = h("div", {
    class: "level",
    role: "meter",
    "aria-label": "Level",
    "aria-valuemin": QUIET,
    "aria-valuemax": 0,
    "aria-valuenow": QUIET,
  });
  return {
    element,
    show: (level) => {
      const shown = level ?? QUIET;
      const part = Math.max(0, Math.min(1, (shown - QUIET) / (LOUD - QUIET)));
      element.style.setProperty("--level", part.toFixed(3));
      element.setAttribute("aria-valuenow", String(Math.round(shown)));
      element.setAttribute("aria-valuetext", `${Math.round(shown)} dB`);
    },
  };
}
