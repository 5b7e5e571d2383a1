/**
 * The page of a track.
 */

import { audioFeatures, get, search } from "../server/catalogue.js";
import { fill, h, heading } from "../shared/dom.js";
import { copyButton } from "../shared/saving.js";
import { clock } from "../shared/words.js";
import { cover } from "./cover.js";
import { facts } from "./facts.js";
import { featureList } from "./features.js";
import { artistLinks, trackRow } from "./links.js";

/** @typedef {import("../server/catalogue.js").Track} Track */

/**
 * Make the page.
 *
 * @param {{signal: AbortSignal, id: string}} opened
 * @returns {Promise<HTMLElement>}
 */
export async function trackView({ signal, id }) {
  const track = /** @type {Track} */ (await get("track", id, signal));
  const isrc = track.external_ids?.isrc;
  const features = h("section", { "aria-label": "Sound" });
  const releases = h("section", { "aria-label": "Releases" });
  fillFeatures(features, id, signal);
  if (isrc) fillReleases(releases, track, isrc, signal);
  return h(
    "article",
    { class: "view entity" },
    h(
      "header",
      {},
      cover(track.album?.images),
      h(
        "div",
        {},
        h("p", { class: "kicker" }, track.explicit ? "Track · explicit" : "Track"),
        heading(track.name),
        h("p", { class: "lead" }, artistLinks(track.artists)),
      ),
    ),
    facts({
      Album: track.album && h("a", { href: `#/album/${track.album.id}` }, track.album.name),
      Released: track.album?.release_date,
      Length: clock(track.duration_ms / 1000),
      Popularity: track.popularity,
      "Track number": track.track_number,
    }),
    h(
      "div",
      { class: "chips" },
      copyButton("Spotify URI", `spotify:track:${track.id}`),
      isrc && copyButton("ISRC", isrc),
    ),
    features,
    releases,
  );
}

/**
 * @param {HTMLElement} place
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function fillFeatures(place, id, signal) {
  try {
    const features = await audioFeatures(id, signal);
    if (features !== null) fill(place, h("h2", {}, "Sound"), featureList(features));
  } catch {
    place.remove(); // the page stands without them
  }
}

/**
 * @param {HTMLElement} place
 * @param {Track} track
 * @param {string} isrc
 * @param {AbortSignal} signal
 */
async function fillReleases(place, track, isrc, signal) {
  try {
    const found = await search(`isrc:${isrc}`, "track", { limit: 50, signal });
    const others = found.items.filter(({ id }) => id !== track.id);
    if (!others.length) return;
    fill(
      place,
      h("h2", {}, "Other releases of this recording"),
      h("ul", { class: "rows" }, others.map(trackRow)),
    );
  } catch {
    place.remove(); // the page stands without them
  }
}
