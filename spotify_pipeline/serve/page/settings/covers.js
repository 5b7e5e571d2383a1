/**
 * Whether covers are shown.
 *
 * They lie on Spotify's server, the only other one that the page ever asks, and only when the user
 * says so: the server's content security policy lets it pass when it sees the cookie.
 */

const SWITCHED_ON = "covers=on";

/**
 * Say whether covers are shown.
 *
 * @returns {boolean}
 */
export function coversShown() {
  return document.cookie.split("; ").includes(SWITCHED_ON);
}

/**
 * Switch covers on or off, which takes another policy, and so loading the page anew.
 *
 * @param {boolean} shown
 */
export function showCovers(shown) {
  const lasting = shown ? 365 * 24 * 3600 : 0; // seconds
  document.cookie = `${SWITCHED_ON}; path=/; SameSite=Strict; max-age=${lasting}`;
  location.reload();
}
