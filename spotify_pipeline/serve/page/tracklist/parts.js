/**
 * The parts of a tracklist.
 *
 * Belongs here: how what becomes known and what the user corrects go together. Does not belong
 * here: where parts come from (`session`), how they are shown (`view`) and written (`exports`).
 */

/** @typedef {import("../server/answers.js").Part} Part */
/** @typedef {import("../server/answers.js").PlayedTrack} PlayedTrack */

const SAME = 1; // second; a part that begins as near as this to another one is that one, known better

/**
 * Add a part that became known, in place of the parts from its start on.
 *
 * What the user corrected stays; it only gets longer where the same goes on.
 *
 * @param {Part[]} parts In their order.
 * @param {Part} part
 * @returns {Part[]}
 */
export function withPart(parts, part) {
  const corrected = parts.filter((each) => each.corrected);
  const earlier = parts
    .filter((each) => !each.corrected && each.start < part.start - SAME)
    .map((each) => ({ ...each, end: Math.min(each.end, part.start) }));
  const same = corrected.find(
    (each) => each.start - SAME <= part.start && part.start < each.end - SAME,
  );
  const kept = corrected.map((each) =>
    each === same ? { ...each, end: Math.max(each.end, part.end) } : each,
  );
  return inOrder([...earlier, ...kept, ...(same ? [] : [part])]);
}

/**
 * Put other words, or another start, to a part; the part before it ends there.
 *
 * @param {Part[]} parts
 * @param {number} at Its number.
 * @param {{start: number, track: PlayedTrack | null}} change
 * @returns {Part[]}
 */
export function corrected(parts, at, { start, track }) {
  return inOrder(
    parts.map((part, k) => {
      if (k === at) return { ...part, start, track, corrected: true };
      return k === at - 1 ? { ...part, end: start } : part;
    }),
  );
}

/**
 * Leave out a part; the one before it goes on in its place.
 *
 * @param {Part[]} parts
 * @param {number} at Its number.
 * @returns {Part[]}
 */
export function without(parts, at) {
  const { end } = parts[at];
  return parts
    .map((part, k) => (k === at - 1 ? { ...part, end, corrected: true } : part))
    .filter((_, k) => k !== at);
}

/**
 * Part a part in two, of which the second is unknown until the user says what it is.
 *
 * @param {Part[]} parts
 * @param {number} at Its number.
 * @returns {Part[]}
 */
export function split(parts, at) {
  const { start, end } = parts[at];
  const middle = (start + end) / 2;
  return parts.flatMap((part, k) =>
    k === at
      ? [
          { ...part, end: middle, corrected: true },
          { start: middle, end, track: null, corrected: true },
        ]
      : [part],
  );
}

/** @param {Part[]} parts */
function inOrder(parts) {
  return parts.sort((a, b) => a.start - b.start);
}
