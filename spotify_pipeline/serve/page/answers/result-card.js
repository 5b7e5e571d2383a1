/**
 * The card of a recording's answer.
 *
 * Belongs here: what is shown of matches. Does not belong here: which kind of answer it is
 * (`verdict`), and the alignment plot (`alignment`).
 */

import { albumCover } from "../catalogue/cover.js";
import { h } from "../shared/dom.js";
import { copyButton } from "../shared/saving.js";
import { clock, confidenceWords, listed, speedWords } from "../shared/words.js";
import { alignment } from "./alignment.js";
import { positionNow } from "./position.js";
import { nameOf } from "./verdict.js";

/** @typedef {import("../server/answers.js").Answer} Answer */
/** @typedef {import("../server/answers.js").Match} Match */

/**
 * What was heard, and when.
 *
 * @typedef {object} Heard
 * @property {Blob} recording
 * @property {number | null} startedAt When its first sample was heard, as `performance.now` gives;
 *   null for a file, which does not play on.
 */

/**
 * Make the card of what was named.
 *
 * @param {Answer} answer
 * @param {Match[]} named One match of each recording.
 * @param {Heard} heard
 * @param {AbortSignal} signal Aborted when the card is gone.
 * @returns {HTMLElement}
 */
export function resultCard(answer, named, heard, signal) {
  const [best, ...others] = named;
  return h(
    "article",
    { class: "card result", "aria-label": "Recognised" },
    h(
      "div",
      { class: "result-head" },
      albumCover(best.track_id, signal),
      h(
        "div",
        {},
        confidenceBadge(best.confidence),
        h("h2", {}, trackLink(best)),
        h("p", { class: "result-artists" }, listed(best.artists)),
        h("p", { class: "muted" }, best.album),
      ),
    ),
    positionNow(best, heard.startedAt, signal),
    alsoAt(best),
    h(
      "div",
      { class: "chips" },
      copyButton("Spotify URI", `spotify:track:${best.track_id}`),
      best.isrc && copyButton("ISRC", best.isrc),
      alignment(heard.recording, best),
    ),
    releases(answer.matches.filter((match) => match.recording === best.recording).slice(1)),
    candidates("Others that fit", others),
  );
}

/**
 * Make the card of an answer that names nothing for sure.
 *
 * @param {Match[]} matches The likeliest ones.
 * @param {Heard} heard
 * @returns {HTMLElement}
 */
export function doubtCard(matches, heard) {
  return h(
    "article",
    { class: "card result", "aria-label": "Not sure" },
    candidates(matches.length > 1 ? "Not sure between these two" : "It may be this one", matches),
    h("div", { class: "chips" }, alignment(heard.recording, matches[0])),
  );
}

/**
 * Make the sign of how sure something is.
 *
 * @param {number} confidence
 * @returns {HTMLElement}
 */
export function confidenceBadge(confidence) {
  const level = confidence >= 0.9 ? "high" : "low";
  const meaning = "The probability that this is right";
  return h("p", { class: `badge ${level}`, title: meaning }, confidenceWords(confidence));
}

/** @param {Match} match */
function trackLink(match) {
  return h("a", { href: `#/track/${match.track_id}` }, match.title ?? match.track_id);
}

/** @param {Match} match */
function alsoAt({ also_at: offsets, offset, speed }) {
  const played = speedWords(speed);
  const places = listed(offsets.map(clock));
  return [
    played !== "" && h("p", { class: "muted" }, `It is ${played}.`),
    offsets.length > 0 &&
      h(
        "p",
        { class: "muted" },
        `The track repeats itself: the recording may begin at ${places} as well as at ${clock(offset)}.`,
      ),
  ];
}

/** @param {Match[]} matches */
function releases(matches) {
  if (!matches.length) return null;
  return h(
    "details",
    {},
    h("summary", {}, `${matches.length} more release${matches.length > 1 ? "s" : ""} of it`),
    h(
      "ul",
      { class: "plain" },
      matches.map((match) =>
        h("li", {}, trackLink(match), h("span", { class: "muted" }, ` ${match.album ?? ""}`)),
      ),
    ),
  );
}

/**
 * @param {string} title
 * @param {Match[]} matches
 */
function candidates(title, matches) {
  if (!matches.length) return null;
  return h(
    "section",
    {},
    h("h3", {}, title),
    h(
      "ul",
      { class: "plain" },
      matches.map((match) =>
        h(
          "li",
          { class: "candidate" },
          h("a", { href: `#/track/${match.track_id}` }, nameOf(match)),
          confidenceBadge(match.confidence),
        ),
      ),
    ),
  );
}
