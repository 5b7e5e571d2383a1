/**
 * Elements of the document.
 *
 * Belongs here: what every view needs to make and to announce. Does not belong here: what a view
 * shows.
 */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `onNAME` listens to an event; null, undefined and
 *   false leave an attribute out, true sets an empty one.
 * @param {...(Child | Child[])} children Empty ones are left out.
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  fill(element, ...children);
  return element;
}

/**
 * Put children into an element in place of those it has.
 *
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  const shown = children.flat().filter((child) => child !== null && child !== undefined);
  element.replaceChildren(.../** @type {(Node | string)[]} */ (shown.filter((c) => c !== false)));
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make one of the pictures that index.html defines; screen readers pass it over.
 *
 * @param {string} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "icon");
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  picture.append(use);
  return picture;
}

/**
 * Have a screen reader say something.
 *
 * @param {string} words
 */
export function announce(words) {
  const announcer = /** @type {HTMLElement} */ (document.getElementById("announcer"));
  if (announcer.textContent !== words) announcer.textContent = words;
}

/**
 * Make the heading of a view, which gets the focus when the view opens.
 *
 * @param {string} words
 * @param {Record<string, unknown>} [attributes]
 * @returns {HTMLElement}
 */
export function heading(words, attributes = {}) {
  return h("h1", { tabindex: "-1", ...attributes }, words);
}
