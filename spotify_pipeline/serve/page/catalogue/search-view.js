/**
 * The view that answers while one types.
 *
 * Belongs here: what is asked when, and the answers. Does not belong here: the fields
 * (`search-form`), how a thing is listed (`links`), the keys of the list (`arrow-keys`).
 */

import { search } from "../server/catalogue.js";
import { announce, fill, h, heading } from "../shared/dom.js";
import { trouble } from "../shared/trouble.js";
import { arrowKeys } from "./arrow-keys.js";
import { albumRow, artistRow, trackRow } from "./links.js";
import { SearchForm } from "./search-form.js";

const PAUSE = 150; // milliseconds without a key after which the server is asked
const PAGE = 20;

const ROWS = { track: trackRow, album: albumRow, artist: artistRow };

/**
 * Make the view; its address holds what is searched for.
 *
 * @param {{signal: AbortSignal, asked: URLSearchParams}} opened
 * @returns {HTMLElement}
 */
export function searchView({ signal, asked }) {
  return new SearchView(signal, asked).element;
}

class SearchView {
  /**
   * @param {AbortSignal} signal
   * @param {URLSearchParams} asked
   */
  constructor(signal, asked) {
    this.form = new SearchForm(asked, () => this.askSoon(), () => this.openFirst());
    this.note = h("p", { class: "muted", role: "status" });
    this.results = h("ul", { class: "rows", "aria-label": "Results" });
    this.more = h(
      "button",
      { type: "button", class: "button", hidden: true, onclick: () => this.askMore() },
      "More",
    );
    this.latest = new AbortController(); // what was asked before it is of no interest any more
    this.timer = 0;
    this.element = h(
      "section",
      { class: "view search" },
      heading("Search", { class: "visually-hidden" }),
      this.form.element,
      this.note,
      this.results,
      this.more,
    );
    arrowKeys(this.element, this.form.words, this.results);
    signal.addEventListener("abort", () => {
      clearTimeout(this.timer);
      this.latest.abort();
    });
    this.ask(0);
    setTimeout(() => this.form.words.focus()); // once the view is shown
  }

  askSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      history.replaceState(null, "", `#/search?${this.form.asked}`); // can be shared, gone back to
      this.ask(0);
    }, PAUSE);
  }

  askMore() {
    this.ask(this.results.childElementCount);
  }

  openFirst() {
    /** @type {HTMLElement | null} */ (this.results.querySelector("a"))?.focus();
  }

  /** @param {number} offset */
  async ask(offset) {
    this.latest.abort();
    this.latest = new AbortController();
    const { signal } = this.latest;
    const { query, kind } = this.form;
    try {
      const nothing = { items: [], next: null };
      const found = query ? await search(query, kind, { offset, limit: PAGE, signal }) : nothing;
      const rows = found.items.map(ROWS[kind]);
      if (offset) this.results.append(...rows);
      else this.replaceResults(rows);
      this.more.hidden = found.next === null;
      this.note.textContent = query && !this.results.childElementCount ? "Nothing found" : "";
      if (query) announce(`${this.results.childElementCount} found`);
    } catch (error) {
      if (signal.aborted) return;
      fill(this.results, h("li", {}, trouble(error)));
      this.more.hidden = true;
    }
  }

  /**
   * Show other results; whoever has gone down to one stays at its place.
   *
   * @param {HTMLElement[]} rows
   */
  replaceResults(rows) {
    const at = [...this.results.children].findIndex((row) => row.contains(document.activeElement));
    fill(this.results, rows);
    if (at < 0) return;
    const links = [...this.results.querySelectorAll("a")];
    (links[Math.min(at, links.length - 1)] ?? this.form.words).focus();
  }
}
