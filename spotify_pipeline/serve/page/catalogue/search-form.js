/**
 * The fields of the search.
 */

import { h } from "../shared/dom.js";

/** @typedef {import("../server/catalogue.js").Kind} Kind */

const KINDS = { track: "Tracks", album: "Albums", artist: "Artists" };

/** What is searched for. */
export class SearchForm {
  /**
   * @param {URLSearchParams} asked What the fields hold at first: `q`, `type`, `year`.
   * @param {() => void} onChange
   * @param {() => void} onSubmit
   */
  constructor(asked, onChange, onSubmit) {
    this.words = field("search", "Search the catalogue", asked.get("q") ?? "", {
      placeholder: "Title, artist, album, ISRC …",
      enterkeyhint: "search",
    });
    this.years = field("text", "Years", asked.get("year") ?? "", {
      placeholder: "1990-1999",
      pattern: "[0-9]{4}(-[0-9]{4})?",
    });
    const chosen = asked.get("type") ?? "track";
    this.element = /** @type {HTMLFormElement} */ (
      h(
        "form",
        { class: "search-form", role: "search", oninput: onChange },
        this.words,
        h(
          "fieldset",
          { class: "kinds" },
          h("legend", { class: "visually-hidden" }, "Kind"),
          Object.entries(KINDS).map(([kind, label]) => choice(kind, label, kind === chosen)),
        ),
        h("label", { class: "years" }, "Years ", this.years),
        h("button", { hidden: true }), // without one, Enter in a field does nothing
      )
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      onSubmit();
    });
  }

  /** @returns {Kind} */
  get kind() {
    return /** @type {Kind} */ (new FormData(this.element).get("kind"));
  }

  /** The words, with the years as a filter of Spotify's; empty where nothing is asked. */
  get query() {
    const years = this.years.validity.valid && this.years.value;
    return [this.words.value.trim(), years && `year:${years}`].filter(Boolean).join(" ");
  }

  /** What the fields hold. */
  get asked() {
    const held = { q: this.words.value.trim(), type: this.kind, year: this.years.value };
    return new URLSearchParams(Object.entries(held).filter(([, value]) => value));
  }
}

/**
 * @param {string} type
 * @param {string} label
 * @param {string} value
 * @param {Record<string, string>} attributes
 * @returns {HTMLInputElement}
 */
function field(type, label, value, attributes) {
  const made = { type, value, "aria-label": label, autocomplete: "off", ...attributes };
  return /** @type {HTMLInputElement} */ (h("input", { ...made, spellcheck: "false" }));
}

/**
 * @param {string} kind
 * @param {string} label
 * @param {boolean} checked
 */
function choice(kind, label, checked) {
  const radio = h("input", { type: "radio", name: "kind", value: kind, checked });
  return h("label", { class: "kind" }, radio, h("span", {}, label));
}
