/**
 * The catalogue.
 *
 * Belongs here: requests to `/v1`, and the types of their answers, which are those of Spotify's Web
 * API. Does not belong here: how they are shown (`catalogue`).
 */

import { requestJson } from "./requests.js";

/**
 * @typedef {{url: string, width: number | null, height: number | null}} Picture
 *
 * @typedef {object} Artist
 * @property {string | null} id
 * @property {string} name
 * @property {string[]} [genres]
 * @property {{total: number | null}} [followers]
 * @property {number} [popularity] 0 to 100.
 * @property {Picture[]} [images] The largest first.
 *
 * @typedef {object} Album
 * @property {string | null} id
 * @property {string} name
 * @property {Artist[]} artists
 * @property {string} [album_type]
 * @property {string} [release_date]
 * @property {number} [total_tracks]
 * @property {string} [label]
 * @property {Picture[]} [images]
 * @property {{upc?: string}} [external_ids]
 *
 * @typedef {object} Track
 * @property {string} id
 * @property {string} name
 * @property {Artist[]} artists
 * @property {Album} [album]
 * @property {number} duration_ms
 * @property {number} [track_number]
 * @property {number} [disc_number]
 * @property {boolean} [explicit]
 * @property {number} [popularity]
 * @property {{isrc?: string}} [external_ids]
 */

/**
 * A page of a list.
 *
 * @template T
 * @typedef {{items: T[], total: number, limit: number, offset: number, next: string | null}} Page
 */

/** @typedef {"track" | "album" | "artist"} Kind */

/**
 * Search for things of a kind.
 *
 * @param {string} words With Spotify's field filters, as `year:1990-1999`.
 * @param {Kind} kind
 * @param {{limit?: number, offset?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<Page<any>>}
 */
export async function search(words, kind, { limit = 20, offset = 0, signal } = {}) {
  const asked = new URLSearchParams({
    q: words,
    type: kind,
    limit: String(limit),
    offset: String(offset),
  });
  return (await requestJson(`/v1/search?${asked}`, { signal }))[`${kind}s`];
}

/**
 * Get one thing.
 *
 * @param {Kind} kind
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export function get(kind, id, signal) {
  return requestJson(`/v1/${kind}s/${encodeURIComponent(id)}`, { signal });
}

/**
 * Get what was measured of a track's sound.
 *
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Record<string, number | null> | null>} Null where nothing was.
 */
export async function audioFeatures(id, signal) {
  const path = `/v1/audio-features?ids=${encodeURIComponent(id)}`; // a list of one: null is no error
  return (await requestJson(path, { signal })).audio_features[0];
}

/**
 * Get a page of a list that belongs to an album or artist.
 *
 * @param {"album" | "artist"} kind
 * @param {string} id
 * @param {"tracks" | "albums" | "top-tracks"} list
 * @param {{offset?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} A `Page`, but for top-tracks, which are `{tracks: [...]}`.
 */
export function listOf(kind, id, list, { offset = 0, signal } = {}) {
  const asked = list === "top-tracks" ? "" : `?limit=50&offset=${offset}`;
  return requestJson(`/v1/${kind}s/${encodeURIComponent(id)}/${list}${asked}`, { signal });
}
