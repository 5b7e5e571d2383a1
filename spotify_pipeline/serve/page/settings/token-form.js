/**
 * The dialog that asks for the token.
 */

import { takesToken } from "../server/requests.js";
import { keepToken } from "../server/token.js";
import { h } from "../shared/dom.js";

const NOT_IT = "That is not this server's token. It may have another one since it was started again.";

/**
 * Ask for the token until it is the right one.
 *
 * @param {() => void} onKnown
 */
export function askToken(onKnown) {
  if (document.querySelector("dialog.token")) return;
  const field = /** @type {HTMLInputElement} */ (
    h("input", { type: "password", autocomplete: "current-password", required: true,
      "aria-describedby": "token-wrong" })
  );
  const remembered = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox" }));
  const wrong = h("p", { class: "wrong", role: "alert", id: "token-wrong" });
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", {}, "This server asks for its token"),
    h("p", { class: "muted" }, "It was shown where the server was started, in the address and the QR code."),
    h("label", {}, "Token", field),
    wrong,
    h("label", { class: "switch" }, remembered, "Remember it on this device"),
    h("div", { class: "actions" }, h("button", { class: "button primary" }, "Go on")),
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    h("dialog", { class: "token", "aria-label": "Token" }, form)
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault(); // the dialog stays until the token is known to be right
    const token = field.value.trim();
    try {
      if (await takesToken(token)) {
        keepToken(token, remembered.checked);
        dialog.close();
        onKnown();
      } else {
        wrong.textContent = NOT_IT;
        field.select();
      }
    } catch (error) {
      wrong.textContent = /** @type {Error} */ (error).message;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
