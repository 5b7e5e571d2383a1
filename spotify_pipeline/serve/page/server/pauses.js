/**
 * How long to wait before each try to reach the server again.
 */

const SECONDS = [0.5, 1, 2, 5, 10, 20, 30]; // the last one again and again

export const TRYING_AGAIN = "The server does not answer. Trying again …";

/**
 * Wait before the next try.
 *
 * @param {number} failures Tries without success so far.
 * @param {() => void} tryAgain
 */
export function afterPause(failures, tryAgain) {
  setTimeout(tryAgain, 1000 * SECONDS[Math.min(failures, SECONDS.length - 1)]);
}
