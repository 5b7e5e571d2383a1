/**
 * What the browser keeps for the user.
 *
 * Belongs here: reading and writing of it, where storage may be full or forbidden. Does not belong
 * here: what is kept (`history`, `tracklist`, `settings`).
 */

/**
 * Read a value.
 *
 * @template T
 * @param {string} key
 * @param {T} otherwise Given where nothing is kept, or nothing can be read.
 * @returns {T}
 */
export function read(key, otherwise) {
  try {
    const text = localStorage.getItem(key);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/**
 * Keep a value.
 *
 * @param {string} key
 * @param {unknown} value
 * @returns {boolean} Whether the browser took it.
 */
export function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/**
 * Forget a value.
 *
 * @param {string} key
 */
export function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // where nothing can be kept, nothing is
  }
}
