/**
 * What an answer comes down to.
 *
 * Belongs here: telling named, doubtful and unknown answers apart, and the words for them. Does not
 * belong here: how they are drawn (`result-card`).
 */

import { confidenceWords, listed } from "../shared/words.js";

/** @typedef {import("../server/answers.js").Answer} Answer */
/** @typedef {import("../server/answers.js").Match} Match */

/**
 * `matches` are the candidates that are spoken of, the likeliest first, one of each recording.
 *
 * @typedef {object} Verdict
 * @property {"named" | "between" | "perhaps" | "unknown" | "silent"} kind
 * @property {Match[]} matches
 */

const WORTH_SAYING = 0.2; // what is less likely is as good as unknown
const RIVAL = 0.5; // of the likeliest one's confidence: what has less is no rival

/**
 * Judge an answer.
 *
 * @param {Answer | undefined} answer
 * @param {boolean} [silent] Whether nothing has been heard.
 * @returns {Verdict}
 */
export function verdictOf(answer, silent = false) {
  const matches = ofEachRecording(answer?.matches ?? []);
  if (answer?.identified) return { kind: "named", matches };
  if (silent) return { kind: "silent", matches: [] };
  const [best, ...others] = matches.filter((match) => match.confidence >= WORTH_SAYING);
  if (best === undefined) return { kind: "unknown", matches: [] };
  const rivals = others.filter((match) => match.confidence >= RIVAL * best.confidence);
  if (rivals.length) return { kind: "between", matches: [best, rivals[0]] };
  return { kind: "perhaps", matches: [best] };
}

/**
 * Take the first match of each recording; the others are releases of it.
 *
 * @param {Match[]} matches
 * @returns {Match[]}
 */
function ofEachRecording(matches) {
  return matches.filter(
    (match, k) => matches.findIndex((other) => other.recording === match.recording) === k,
  );
}

/**
 * Say in a line what is known so far.
 *
 * @param {Verdict} verdict
 * @returns {string}
 */
export function soFar({ kind, matches }) {
  switch (kind) {
    case "silent":
      return "Nothing to hear yet";
    case "unknown":
      return "Nothing recognised yet";
    case "between":
      return `Between ${listed(matches.map(nameOf))}`;
    default:
      return `${nameOf(matches[0])}: ${confidenceWords(matches[0].confidence).toLowerCase()}`;
  }
}

/**
 * Name a track.
 *
 * @param {{title: string | null, artists: string[], track_id: string | null}} track
 * @returns {string}
 */
export function nameOf({ title, artists, track_id }) {
  const called = title ?? track_id ?? "Unknown";
  return artists.length ? `${called} by ${listed(artists)}` : called;
}
