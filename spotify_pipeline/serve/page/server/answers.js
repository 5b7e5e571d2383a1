/**
 * Recordings and the server's answers to them.
 *
 * Belongs here: requests to `/api`, and the types of their answers. Does not belong here: how they
 * are shown.
 */

import { jsonLines, Problem, request, requestJson } from "./requests.js";

/**
 * A track that a recording is of; seconds everywhere.
 *
 * @typedef {object} Match
 * @property {string} track_id
 * @property {string | null} title
 * @property {string[]} artists
 * @property {string | null} album
 * @property {string | null} isrc
 * @property {number} confidence Probability that it is this track.
 * @property {number} offset Of the track, at which the recording begins.
 * @property {number | null} duration
 * @property {number} recording Matches of one number are releases of one recording.
 * @property {number} speed
 * @property {number[]} also_at Offsets that fit as well.
 */

/**
 * @typedef {object} Answer
 * @property {boolean} identified
 * @property {Match[]} matches The likeliest first. Where nothing is identified, they are not sure.
 * @property {boolean} [complete] False where the server ran out of time.
 */

/**
 * @typedef {object} PlayedTrack
 * @property {string | null} track_id Null where it was written by hand.
 * @property {string | null} title
 * @property {string[]} artists
 * @property {string | null} album
 * @property {string | null} isrc
 * @property {number | null} confidence
 * @property {number | null} position Of the track, at the part's start.
 */

/**
 * A part of a long recording; without a track, what plays is unknown.
 *
 * @typedef {object} Part
 * @property {number} start
 * @property {number} end
 * @property {PlayedTrack | null} track
 * @property {boolean} [corrected] Whether the user changed it.
 */

/**
 * Have a recording identified.
 *
 * @param {Blob} recording
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 */
export function identify(recording, signal) {
  return requestJson("/api/identify?unsure=true", { method: "POST", body: recording, signal });
}

/**
 * Have a long recording taken apart, and give its parts as they become known.
 *
 * @param {Blob} recording
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Part>}
 */
export async function* timeline(recording, signal) {
  const response = await request("/api/timeline", { method: "POST", body: recording, signal });
  for await (const line of jsonLines(response)) {
    if (line.title !== undefined) throw new Problem(line);
    if (line.start !== undefined) yield line;
  }
}

/**
 * Get the picture of how a recording lies on a track.
 *
 * @param {Blob} recording
 * @param {string} trackId
 * @returns {Promise<Blob>} A PNG.
 */
export async function plot(recording, trackId) {
  const path = `/api/plot?track=${encodeURIComponent(trackId)}`;
  return (await request(path, { method: "POST", body: recording })).blob();
}
