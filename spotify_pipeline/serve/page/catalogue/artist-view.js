/**
 * The page of an artist.
 */

import { get, listOf } from "../server/catalogue.js";
import { h, heading } from "../shared/dom.js";
import { copyButton } from "../shared/saving.js";
import { cover } from "./cover.js";
import { facts } from "./facts.js";
import { albumRow, trackRow } from "./links.js";
import { pagedList } from "./paged-list.js";

/** @typedef {import("../server/catalogue.js").Artist} Artist */

/**
 * Make the page.
 *
 * @param {{signal: AbortSignal, id: string}} opened
 * @returns {Promise<HTMLElement>}
 */
export async function artistView({ signal, id }) {
  const artist = /** @type {Artist} */ (await get("artist", id, signal));
  const { tracks } = await listOf("artist", id, "top-tracks", { signal });
  return h(
    "article",
    { class: "view entity" },
    h(
      "header",
      {},
      cover(artist.images),
      h("div", {}, h("p", { class: "kicker" }, "Artist"), heading(artist.name), genres(artist)),
    ),
    facts({ Followers: artist.followers?.total?.toLocaleString(), Popularity: artist.popularity }),
    h("div", { class: "chips" }, copyButton("Spotify URI", `spotify:artist:${artist.id}`)),
    tracks.length > 0 && [
      h("h2", {}, "Most popular"),
      h("ul", { class: "rows" }, tracks.map(trackRow)),
    ],
    h("h2", {}, "Albums"),
    await pagedList((offset) => listOf("artist", id, "albums", { offset, signal }), albumRow),
  );
}

/** @param {Artist} artist */
function genres(artist) {
  if (!artist.genres?.length) return null;
  return h(
    "ul",
    { class: "chips", "aria-label": "Genres" },
    artist.genres.map((genre) => h("li", { class: "tag" }, genre)),
  );
}
