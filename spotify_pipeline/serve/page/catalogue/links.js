/**
 * Links to tracks, albums and artists, and the lists that are made of them.
 */

import { h } from "../shared/dom.js";
import { clock } from "../shared/words.js";

/** @typedef {import("../server/catalogue.js").Track} Track */
/** @typedef {import("../server/catalogue.js").Album} Album */
/** @typedef {import("../server/catalogue.js").Artist} Artist */

/**
 * Link the artists of a credit.
 *
 * @param {Artist[]} artists
 * @returns {(HTMLElement | string)[]}
 */
export function artistLinks(artists) {
  return artists.flatMap((artist, k) => [
    k ? ", " : "",
    artist.id === null
      ? h("span", {}, artist.name)
      : h("a", { href: `#/artist/${artist.id}` }, artist.name),
  ]);
}

/**
 * Make the row of a track.
 *
 * @param {Track} track
 * @returns {HTMLElement}
 */
export function trackRow(track) {
  const of = [track.artists.map(({ name }) => name).join(", "), track.album?.name];
  return row(`#/track/${track.id}`, track.name, of, clock(track.duration_ms / 1000));
}

/**
 * Make the row of a track on its album.
 *
 * @param {Track} track
 * @returns {HTMLElement}
 */
export function numberedRow(track) {
  const of = [track.artists.map(({ name }) => name).join(", ")];
  const title = `${track.track_number ?? "–"}  ${track.name}`;
  return row(`#/track/${track.id}`, title, of, clock(track.duration_ms / 1000));
}

/**
 * Make the row of an album.
 *
 * @param {Album} album
 * @returns {HTMLElement}
 */
export function albumRow(album) {
  const of = [album.artists.map(({ name }) => name).join(", "), album.album_type];
  return row(`#/album/${album.id}`, album.name, of, album.release_date?.slice(0, 4) ?? "");
}

/**
 * Make the row of an artist.
 *
 * @param {Artist} artist
 * @returns {HTMLElement}
 */
export function artistRow(artist) {
  return row(`#/artist/${artist.id}`, artist.name, [(artist.genres ?? []).join(", ")], "");
}

/**
 * @param {string} href
 * @param {string} title
 * @param {(string | null | undefined)[]} of
 * @param {string} end
 */
function row(href, title, of, end) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row", href },
      h("span", { class: "row-title" }, title),
      h("span", { class: "row-of" }, of.filter(Boolean).join(" · ")),
      h("span", { class: "row-end" }, end),
    ),
  );
}
