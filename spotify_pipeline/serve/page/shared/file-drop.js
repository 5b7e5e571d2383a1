/**
 * A place that takes an audio file: dropped, or chosen.
 */

import { h, icon } from "./dom.js";

/**
 * Make it.
 *
 * @param {string} words
 * @param {(file: File) => void} onFile
 * @returns {HTMLElement}
 */
export function fileDrop(words, onFile) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", { type: "file", accept: "audio/*,video/*,.json", class: "visually-hidden" })
  );
  const place = h("label", { class: "drop" }, icon("file"), h("span", {}, words), input);
  input.addEventListener("change", () => {
    if (input.files?.length) onFile(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    const [file] = event.dataTransfer?.files ?? [];
    if (file) onFile(file);
  });
  return place;
}
