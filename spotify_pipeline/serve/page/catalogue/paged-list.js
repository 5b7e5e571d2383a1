/**
 * A list that gets longer when asked.
 */

import { h } from "../shared/dom.js";
import { trouble } from "../shared/trouble.js";

/**
 * Make it, with its first page.
 *
 * @template T
 * @param {(offset: number) => Promise<import("../server/catalogue.js").Page<T>>} pageAt
 * @param {(item: T) => HTMLElement} row
 * @returns {Promise<HTMLElement>}
 */
export async function pagedList(pageAt, row) {
  const rows = h("ul", { class: "rows" });
  const more = h("button", { type: "button", class: "button" }, "More");
  const load = async () => {
    const { items, next } = await pageAt(rows.childElementCount);
    rows.append(...items.map(row));
    more.hidden = next === null;
  };
  more.addEventListener("click", () => load().catch((error) => more.replaceWith(trouble(error))));
  await load();
  return h("div", {}, rows, more);
}
