/**
 * A list of names and values.
 */

import { h } from "../shared/dom.js";

/**
 * Make it; what is not known is left out.
 *
 * @param {Record<string, Node | string | number | null | undefined>} named
 * @returns {HTMLElement}
 */
export function facts(named) {
  const known = Object.entries(named).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return h(
    "dl",
    { class: "facts" },
    known.map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value instanceof Node ? value : String(value))),
    ),
  );
}
