/**
 * Handing files and texts to the user.
 *
 * Belongs here: downloads and the clipboard. Does not belong here: what is in them.
 */

import { announce, h, icon } from "./dom.js";

/**
 * Offer a text as a file.
 *
 * @param {string} name
 * @param {string} text
 * @param {string} type Its media type.
 */
export function saveFile(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000); // the download has begun by then
}

/**
 * Make a button that copies a text.
 *
 * @param {string} label
 * @param {string} text
 * @returns {HTMLElement}
 */
export function copyButton(label, text) {
  const words = h("span", {}, label);
  const button = h(
    "button",
    { type: "button", class: "chip", title: text, "aria-label": `Copy ${label} ${text}` },
    icon("copy"),
    words,
  );
  button.addEventListener("click", async () => {
    words.textContent = (await copied(text)) ? "Copied" : text;
    announce(`${label} copied`);
    setTimeout(() => (words.textContent = label), 2000);
  });
  return button;
}

/**
 * Copy a text to the clipboard.
 *
 * @param {string} text
 * @returns {Promise<boolean>} False where the browser does not let the page: over plain HTTP.
 */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
