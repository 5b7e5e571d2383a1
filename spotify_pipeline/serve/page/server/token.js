/**
 * The token that a server on another address than loopback asks for.
 *
 * Belongs here: where it is kept. Does not belong here: asking the user for it (`token-form`).
 */

const KEY = "token";

/** Move a token from the address, where it would be seen and shared, into the session. */
export function takeFromAddress() {
  const address = new URL(location.href);
  const token = address.searchParams.get("token");
  if (token === null) return;
  keepToken(token, false);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

/**
 * The token, or null where none is known.
 *
 * @returns {string | null}
 */
export function token() {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
}

/**
 * Keep a token.
 *
 * @param {string} text
 * @param {boolean} remembered Beyond this tab, until it is forgotten.
 */
export function keepToken(text, remembered) {
  sessionStorage.setItem(KEY, text);
  if (remembered) localStorage.setItem(KEY, text);
}

/** Forget the token, which was not the right one or is not to stay. */
export function forgetToken() {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}
