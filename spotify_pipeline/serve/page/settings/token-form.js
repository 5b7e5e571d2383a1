/**
 * The dialog that asks for the token.
 */

import { keepToken } from "../server/token.js";
import { h } from "../shared/dom.js";

/** Ask for the token, and load the page anew with it. */
export function askToken() {
  if (document.querySelector("dialog.token")) return;
  const field = /** @type {HTMLInputElement} */ (
    h("input", { type: "password", autocomplete: "current-password", required: true })
  );
  const remembered = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox" }));
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", {}, "This server asks for its token"),
    h("p", { class: "muted" }, "It was shown where the server was started, in the address and the QR code."),
    h("label", {}, "Token", field),
    h("label", { class: "switch" }, remembered, "Remember it on this device"),
    h("div", { class: "actions" }, h("button", { class: "button primary" }, "Go on")),
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    h("dialog", { class: "token", "aria-label": "Token" }, form)
  );
  form.addEventListener("submit", () => {
    keepToken(field.value.trim(), remembered.checked);
    location.reload();
  });
  document.body.append(dialog);
  dialog.showModal();
}
