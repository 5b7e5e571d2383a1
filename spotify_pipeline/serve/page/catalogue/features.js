/**
 * What was measured of a track's sound.
 */

import { h } from "../shared/dom.js";
import { facts } from "./facts.js";

const KEYS = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

const SHARES = {
  danceability: "Danceable",
  energy: "Energy",
  valence: "Cheerful",
  acousticness: "Acoustic",
  instrumentalness: "Instrumental",
  liveness: "Live",
  speechiness: "Spoken",
};

/**
 * Show audio features as Spotify's Web API gives them.
 *
 * @param {Record<string, number | null>} features
 * @returns {HTMLElement}
 */
export function featureList(features) {
  const { tempo, key, mode, loudness, time_signature: beats } = features;
  const bars = Object.entries(SHARES).filter(([name]) => typeof features[name] === "number");
  return h(
    "div",
    { class: "features" },
    facts({
      Tempo: tempo && `${Math.round(tempo)} BPM`,
      Key: keyName(key, mode),
      Loudness: loudness && `${loudness.toFixed(1)} dB`,
      Metre: beats && `${beats}/4`,
    }),
    h(
      "ul",
      { class: "bars" },
      bars.map(([name, label]) =>
        h(
          "li",
          {},
          h("span", {}, label),
          h("meter", { min: 0, max: 1, value: features[name], "aria-label": label }),
        ),
      ),
    ),
  );
}

/**
 * @param {number | null} key Pitch class; -1 where there is none.
 * @param {number | null} mode 1 is major, 0 minor.
 */
function keyName(key, mode) {
  if (key === null || key === undefined || key < 0) return null;
  return `${KEYS[key]} ${mode === 0 ? "minor" : "major"}`;
}
