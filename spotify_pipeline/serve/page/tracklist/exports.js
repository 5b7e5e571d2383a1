/**
 * Tracklists as files: CSV, JSON, CUE sheet.
 */

import { csvOf } from "../shared/csv.js";

/** @typedef {import("../server/answers.js").Part} Part */

const COLUMNS = "start end track_id title artists album isrc confidence position".split(" ");
const FRAMES = 75; // a second, in a CUE sheet

/**
 * Write a row a part.
 *
 * @param {Part[]} parts
 * @returns {string}
 */
export function asCsv(parts) {
  return csvOf(
    COLUMNS,
    parts.map(({ start, end, track }) => ({ ...track, start, end })),
  );
}

/**
 * Write what `identify --timeline --json` writes.
 *
 * @param {Part[]} parts
 * @param {string} file
 * @returns {string}
 */
export function asJson(parts, file) {
  const duration = parts.length ? parts[parts.length - 1].end : 0;
  return JSON.stringify({ file, duration, timeline: parts }, null, 2);
}

/**
 * Write a CUE sheet, with which a player jumps to each part of the recording.
 *
 * @param {Part[]} parts
 * @param {string} file
 * @returns {string}
 */
export function asCue(parts, file) {
  const tracks = parts.flatMap(({ start, track }, k) => [
    `  TRACK ${String(k + 1).padStart(2, "0")} AUDIO`,
    `    TITLE ${quoted(track ? (track.title ?? track.track_id ?? "Unknown") : "Unknown")}`,
    track?.artists.length ? `    PERFORMER ${quoted(track.artists.join(", "))}` : "",
    /^[A-Z0-9]{12}$/.test(track?.isrc ?? "") ? `    ISRC ${track?.isrc}` : "",
    `    INDEX 01 ${cueTime(start)}`,
  ]);
  const lines = [`FILE ${quoted(file)} ${kindOf(file)}`, ...tracks];
  return lines.filter(Boolean).join("\r\n") + "\r\n";
}

/** @param {string} text */
function quoted(text) {
  return `"${text.replaceAll('"', "'").replaceAll(/[\r\n]+/g, " ")}"`;
}

/** @param {string} file */
function kindOf(file) {
  const ending = file.split(".").pop()?.toLowerCase();
  return { mp3: "MP3", aif: "AIFF", aiff: "AIFF" }[ending ?? ""] ?? "WAVE";
}

/** @param {number} seconds */
function cueTime(seconds) {
  const frames = Math.round(seconds * FRAMES);
  const fields = [Math.floor(frames / FRAMES / 60), Math.floor(frames / FRAMES) % 60, frames % FRAMES];
  return fields.map((field) => String(field).padStart(2, "0")).join(":");
}
