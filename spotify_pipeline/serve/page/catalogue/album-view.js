/**
 * The page of an album.
 */

import { get, listOf } from "../server/catalogue.js";
import { h, heading } from "../shared/dom.js";
import { copyButton } from "../shared/saving.js";
import { cover } from "./cover.js";
import { facts } from "./facts.js";
import { artistLinks, numberedRow } from "./links.js";
import { pagedList } from "./paged-list.js";

/** @typedef {import("../server/catalogue.js").Album} Album */

/**
 * Make the page.
 *
 * @param {{signal: AbortSignal, id: string}} opened
 * @returns {Promise<HTMLElement>}
 */
export async function albumView({ signal, id }) {
  const album = /** @type {Album} */ (await get("album", id, signal));
  const upc = album.external_ids?.upc;
  return h(
    "article",
    { class: "view entity" },
    h(
      "header",
      {},
      cover(album.images),
      h(
        "div",
        {},
        h("p", { class: "kicker" }, album.album_type ?? "album"),
        heading(album.name),
        h("p", { class: "lead" }, artistLinks(album.artists)),
      ),
    ),
    facts({ Released: album.release_date, Tracks: album.total_tracks, Label: album.label }),
    h(
      "div",
      { class: "chips" },
      copyButton("Spotify URI", `spotify:album:${album.id}`),
      upc && copyButton("UPC", upc),
    ),
    h("h2", {}, "Tracks"),
    await pagedList((offset) => listOf("album", id, "tracks", { offset, signal }), numberedRow),
  );
}
