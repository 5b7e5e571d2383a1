/**
 * What was heard, kept in this browser alone.
 *
 * Belongs here: the list, and what is in it. Does not belong here: how it is shown (`view`).
 */

import { read, write } from "../shared/kept.js";

/**
 * @typedef {object} Heard
 * @property {string} at When, as of ISO 8601.
 * @property {string} source `microphone`, or a file's name.
 * @property {string} track_id
 * @property {string | null} title
 * @property {string[]} artists
 * @property {string | null} album
 * @property {string | null} isrc
 * @property {number} confidence
 * @property {number} position Second of the track at which the recording begins.
 */

const KEY = "heard";
const MOST = 5000; // some two megabytes; browsers keep five

/**
 * Give what was heard, the newest first.
 *
 * @returns {Heard[]}
 */
export function heard() {
  return read(KEY, /** @type {Heard[]} */ ([]));
}

/**
 * Remember that a track was heard.
 *
 * @param {import("../server/answers.js").Match} match
 * @param {string} source
 */
export function remember(match, source) {
  const { track_id, title, artists, album, isrc, confidence, offset: position } = match;
  const at = new Date().toISOString();
  const entry = { at, source, track_id, title, artists, album, isrc, confidence, position };
  write(KEY, [entry, ...heard()].slice(0, MOST));
}

/**
 * Forget one entry.
 *
 * @param {string} at
 */
export function forgetOne(at) {
  write(
    KEY,
    heard().filter((entry) => entry.at !== at),
  );
}

/** Forget everything. */
export function forgetAll() {
  write(KEY, []);
}
