/**
 * The view of settings, and of how the server is.
 */

import { requestJson } from "../server/requests.js";
import { forgetToken, token } from "../server/token.js";
import { fill, h, heading } from "../shared/dom.js";
import { coversShown, showCovers } from "./covers.js";

/**
 * Make the view.
 *
 * @param {{signal: AbortSignal}} opened
 * @returns {HTMLElement}
 */
export function settingsView({ signal }) {
  const status = h("pre", { tabindex: "0", "aria-label": "Status" }, "…");
  requestJson("/api/status", { signal }).then(
    (said) => fill(status, JSON.stringify(said, null, 2)),
    (error) => fill(status, error.message),
  );
  return h(
    "section",
    { class: "view settings" },
    heading("Settings"),
    h(
      "label",
      { class: "switch" },
      h("input", {
        type: "checkbox",
        role: "switch",
        checked: coversShown(),
        onchange: (/** @type {Event} */ { target }) =>
          showCovers(/** @type {HTMLInputElement} */ (target).checked),
      }),
      h(
        "span",
        {},
        h("strong", {}, "Show covers"),
        h("span", { class: "muted" }, "They are fetched from Spotify's server, i.scdn.co, which sees"
          + " which ones and from where. Everything else stays between this page and its server."),
      ),
    ),
    token() !== null &&
      h(
        "button",
        { type: "button", class: "button", onclick: () => (forgetToken(), location.reload()) },
        "Forget the token",
      ),
    h("h2", {}, "The server"),
    token() === null && // a link can't send it
      h("p", {}, h("a", { href: "/openapi.json" }, "What other programs can ask it")),
    h("details", {}, h("summary", {}, "Status"), status),
  );
}
