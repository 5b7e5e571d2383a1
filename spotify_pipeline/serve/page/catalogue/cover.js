/**
 * Covers, where the user switched them on.
 */

import { get } from "../server/catalogue.js";
import { coversShown } from "../settings/covers.js";
import { h } from "../shared/dom.js";

/** @typedef {import("../server/catalogue.js").Picture} Picture */

const WIDE_ENOUGH = 250; // pixels

/**
 * Make the picture of an album or artist.
 *
 * @param {Picture[] | undefined} pictures The largest first.
 * @returns {HTMLElement | null} Null where there is none, or covers are switched off.
 */
export function cover(pictures) {
  if (!coversShown() || !pictures?.length) return null;
  const wide = pictures.filter(({ width }) => (width ?? WIDE_ENOUGH) >= WIDE_ENOUGH);
  const { url } = wide[wide.length - 1] ?? pictures[0];
  return h("img", { class: "cover", src: url, alt: "", loading: "lazy", width: 112, height: 112 });
}

/**
 * Make the cover of a track's album, of which the id is known alone.
 *
 * @param {string} trackId
 * @param {AbortSignal} signal
 * @returns {HTMLElement | null}
 */
export function albumCover(trackId, signal) {
  if (!coversShown()) return null;
  const place = h("div", { class: "cover-place" });
  get("track", trackId, signal).then(
    (track) => place.append(...[cover(track.album?.images)].filter((made) => made !== null)),
    () => place.remove(), // the answer stands without it
  );
  return place;
}
