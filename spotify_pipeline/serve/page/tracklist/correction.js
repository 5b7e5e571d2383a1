/**
 * The dialog in which a part is corrected by hand.
 */

import { search } from "../server/catalogue.js";
import { fill, h } from "../shared/dom.js";
import { clock, secondsOf } from "../shared/words.js";

/** @typedef {import("../server/answers.js").Part} Part */
/** @typedef {import("../server/answers.js").PlayedTrack} PlayedTrack */

const PAUSE = 200; // milliseconds without a key after which the catalogue is asked
const SUGGESTIONS = 6;

/**
 * Let the user correct a part.
 *
 * @param {Part} part
 * @param {(change: {start: number, track: PlayedTrack | null}) => void} onCorrected
 */
export function correct(part, onCorrected) {
  const { track } = part;
  const start = input("Begins at", clock(part.start));
  const title = input("Title", track?.title ?? "");
  const artists = input("Artists", track?.artists.join(", ") ?? "");
  const suggestions = h("ul", { class: "rows", "aria-label": "From the catalogue" });
  /** @type {PlayedTrack | null} */
  let chosen = track;

  /** @param {any} found */
  const choose = (found) => {
    chosen = fromCatalogue(found);
    title.value = chosen.title ?? "";
    artists.value = chosen.artists.join(", ");
    fill(suggestions);
  };
  suggestFrom(title, artists, suggestions, choose);

  const form = h(
    "form",
    { method: "dialog", class: "correction" },
    h("h2", {}, "Correct this part"),
    [start, title, artists].map((field) => h("label", {}, field.getAttribute("aria-label"), field)),
    suggestions,
    h(
      "div",
      { class: "actions" },
      h("button", { class: "button primary", value: "save" }, "Save"),
      h("button", { class: "button", value: "cancel", formnovalidate: true }, "Cancel"),
    ),
  );
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-label": "Correction" }, form));
  start.addEventListener("input", () => {
    start.setCustomValidity(secondsOf(start.value) === null ? "Write a time as 1:02:03" : "");
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue !== "save") return;
    const second = start.value === clock(part.start) ? part.start : secondsOf(start.value);
    const names = { title: title.value.trim(), artists: namesIn(artists.value) };
    onCorrected({ start: second ?? part.start, track: trackOf(names, chosen) });
  });
  document.body.append(dialog);
  dialog.showModal();
  title.focus();
}

/**
 * @param {{title: string, artists: string[]}} names
 * @param {PlayedTrack | null} chosen
 * @returns {PlayedTrack | null} What was chosen, unless other names were written.
 */
function trackOf({ title, artists }, chosen) {
  if (title === "" && !artists.length) return null;
  const same = title === (chosen?.title ?? "") && artists.join() === (chosen?.artists ?? []).join();
  if (same) return chosen;
  const nothing = { track_id: null, album: null, isrc: null, confidence: null, position: null };
  return { ...nothing, title, artists };
}

/**
 * @param {import("../server/catalogue.js").Track} found
 * @returns {PlayedTrack}
 */
function fromCatalogue(found) {
  return {
    track_id: found.id,
    title: found.name,
    artists: found.artists.map(({ name }) => name),
    album: found.album?.name ?? null,
    isrc: found.external_ids?.isrc ?? null,
    confidence: null,
    position: null,
  };
}

/**
 * @param {HTMLInputElement} title
 * @param {HTMLInputElement} artists
 * @param {HTMLElement} place
 * @param {(found: any) => void} choose
 */
function suggestFrom(title, artists, place, choose) {
  let timer = 0;
  let asked = "";
  const suggest = async () => {
    const by = artists.value === artists.defaultValue ? "" : artists.value; // may be the wrong one's
    const words = `${title.value} ${by}`.trim();
    if (words === "" || words === asked) return;
    asked = words;
    const found = await search(words, "track", { limit: SUGGESTIONS }).catch(() => ({ items: [] }));
    if (asked !== words) return;
    fill(
      place,
      found.items.map((track) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "row", onclick: () => choose(track) },
            h("span", { class: "row-title" }, track.name),
            h("span", { class: "row-of" }, fromCatalogue(track).artists.join(", ")),
          ),
        ),
      ),
    );
  };
  for (const field of [title, artists]) {
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(suggest, PAUSE);
    });
  }
}

/**
 * @param {string} label
 * @param {string} value
 * @returns {HTMLInputElement}
 */
function input(label, value) {
  const made = { type: "text", "aria-label": label, value, autocomplete: "off" };
  return /** @type {HTMLInputElement} */ (h("input", made));
}

/** @param {string} text */
function namesIn(text) {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}
