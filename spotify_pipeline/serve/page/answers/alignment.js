/**
 * The picture of how a recording lies on a track, drawn by the server when it is asked for.
 */

import { plot } from "../server/answers.js";
import { fill, h, icon } from "../shared/dom.js";

/** @typedef {import("../server/answers.js").Match} Match */

/**
 * Make a button that opens the picture.
 *
 * @param {Blob} recording
 * @param {Match} match
 * @returns {HTMLElement}
 */
export function alignment(recording, match) {
  const button = h("button", { type: "button", class: "chip" }, icon("plot"), "Alignment");
  button.addEventListener("click", () => open(recording, match));
  return button;
}

/**
 * @param {Blob} recording
 * @param {Match} match
 */
async function open(recording, match) {
  const name = match.title ?? match.track_id;
  const picture = h("div", { class: "plot" }, h("p", { role: "status" }, "Drawing …"));
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog",
      { class: "wide", "aria-label": `How the recording lies on ${name}` },
      picture,
      h("form", { method: "dialog" }, h("button", { class: "button" }, "Close")),
    )
  );
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  try {
    const url = URL.createObjectURL(await plot(recording, match.track_id));
    dialog.addEventListener("close", () => URL.revokeObjectURL(url));
    fill(picture, h("img", { src: url, alt: `Onsets of the recording on those of ${name}` }));
  } catch (error) {
    fill(picture, h("p", { role: "alert" }, /** @type {Error} */ (error).message));
  }
}
