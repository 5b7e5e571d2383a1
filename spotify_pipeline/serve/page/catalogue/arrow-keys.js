/**
 * Walking through a list of links by the arrow keys, from the field that it answers.
 */

/**
 * Let the arrow keys move between a field and its results; Escape goes back and empties the field.
 *
 * @param {HTMLElement} place Holds both.
 * @param {HTMLInputElement} field
 * @param {HTMLElement} results
 */
export function arrowKeys(place, field, results) {
  place.addEventListener("keydown", (event) => {
    const links = /** @type {HTMLElement[]} */ ([...results.querySelectorAll("a")]);
    const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0 && event.target !== field) return; // the other fields have keys of their own
    const stops = [field, ...links];
    /** @type {Record<string, HTMLElement | undefined>} */
    const goals = {
      ArrowDown: stops[at + 2],
      ArrowUp: at < 0 ? undefined : stops[at],
      Home: at < 0 ? undefined : links[0],
      End: at < 0 ? undefined : links[links.length - 1],
      Escape: field,
    };
    const goal = goals[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    if (event.key === "Escape" && event.target === field) clear(field);
    goal.focus();
  });
}

/** @param {HTMLInputElement} field */
function clear(field) {
  field.value = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
