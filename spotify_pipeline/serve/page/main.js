/**
 * The page: its views, and the address that opens each.
 *
 * Belongs here: routes, and what is the same in every view. Does not belong here: what a view does.
 */

import { albumView } from "./catalogue/album-view.js";
import { artistView } from "./catalogue/artist-view.js";
import { searchView } from "./catalogue/search-view.js";
import { trackView } from "./catalogue/track-view.js";
import { historyView } from "./history/view.js";
import { listenView } from "./listen/view.js";
import { TOKEN_NEEDED } from "./server/requests.js";
import { takeFromAddress } from "./server/token.js";
import { askToken } from "./settings/token-form.js";
import { settingsView } from "./settings/view.js";
import { fill, h } from "./shared/dom.js";
import { trouble } from "./shared/trouble.js";
import { session } from "./tracklist/session.js";
import { tracklistView } from "./tracklist/view.js";

/**
 * `signal` is aborted when the user leaves the view; `id` is what follows the route's name.
 *
 * @typedef {{signal: AbortSignal, id: string, asked: URLSearchParams}} Opened
 * @typedef {(opened: Opened) => HTMLElement | Promise<HTMLElement>} View
 */

/** @type {Record<string, View>} */
const VIEWS = {
  listen: listenView,
  tracklist: tracklistView,
  search: searchView,
  history: historyView,
  settings: settingsView,
  track: trackView,
  album: albumView,
  artist: artistView,
};

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
let leaving = new AbortController();

/** Open the view that the address names. */
async function open() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [path, asked] = location.hash.slice(1).split("?");
  const [name = "", id = ""] = path.split("/").filter(Boolean).map(decodeURIComponent);
  const view = VIEWS[name] ?? listenView;
  markCurrent(name in VIEWS ? name : "listen");
  let shown;
  try {
    shown = await view({ signal, id, asked: new URLSearchParams(asked) });
  } catch (error) {
    shown = h("section", { class: "view" }, trouble(error));
  }
  if (signal.aborted) return; // another view was opened meanwhile
  fill(main, shown);
  const heading = main.querySelector("h1");
  document.title = heading ? `${heading.textContent} – spotify-pipeline` : "spotify-pipeline";
  heading?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** @param {string} name */
function markCurrent(name) {
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Show beside the tracklist's link that it is being made. */
function markRunning() {
  document.querySelector('nav a[href="#/tracklist"]')?.classList.toggle("live", session.state !== "idle");
}

/** @param {KeyboardEvent} event */
function searchBySlash(event) {
  const { target, key } = event;
  const writing = target instanceof HTMLInputElement || document.querySelector("dialog[open]");
  if (key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[type=search]"));
  if (field) field.focus();
  else location.hash = "#/search";
}

takeFromAddress();
window.addEventListener(TOKEN_NEEDED, () => askToken(open));
window.addEventListener("hashchange", open);
window.addEventListener("keydown", searchBySlash);
for (const kind of ["dragover", "drop"]) {
  window.addEventListener(kind, (event) => event.preventDefault()); // beside the place, nothing opens
}
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // its address would open a view
  main.focus();
});
session.addEventListener("change", markRunning);
open();
