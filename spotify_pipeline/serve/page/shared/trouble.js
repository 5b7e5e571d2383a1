/**
 * The card that says what went wrong, and what to do.
 */

import { h } from "./dom.js";

/**
 * Make it.
 *
 * @param {unknown} error What has a `title` and a `detail` is shown in their words.
 * @returns {HTMLElement}
 */
export function trouble(error) {
  const { title, detail, message } = /** @type {any} */ (error);
  const words = title === undefined ? message : detail;
  return h(
    "article",
    { class: "card trouble", role: "alert" },
    h("h2", {}, title ?? "Something went wrong"),
    words && h("p", {}, words),
  );
}
