/**
 * Requests to the server that this page comes from.
 *
 * Belongs here: the token, problems, and reading answers. Does not belong here: which requests
 * there are (`answers`, `catalogue`).
 */

import { forgetToken, token } from "./token.js";

/** Why the server gave no answer; `status` is 0 where it could not be reached. */
export class Problem extends Error {
  /** @param {{title: string, detail?: string, status?: number}} problem As of RFC 9457. */
  constructor({ title, detail = "", status = 0 }) {
    super(detail || title);
    this.title = title;
    this.detail = detail;
    this.status = status;
  }
}

/** Sent to the window when the server asks for a token that the page does not have. */
export const TOKEN_NEEDED = "token-needed";

const CHEAP = "/metrics"; // it needs the token and takes no time

const UNREACHABLE = {
  title: "The server does not answer",
  detail: "Is it still running? Try again once it is.",
};

const TOKEN_WANTED = {
  title: "This server asks for its token",
  detail: "Open the address that was shown where the server was started, or try again and enter it.",
  status: 401,
};

/**
 * Send a request.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} A successful one.
 * @throws {Problem} The server says no, or nothing.
 */
export async function request(path, options = {}) {
  const headers = new Headers(options.headers);
  const known = token();
  if (known !== null) headers.set("Authorization", `Bearer ${known}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(UNREACHABLE);
  }
  if (response.ok) return response;
  if (response.status === 401) {
    askForToken();
    throw new Problem(TOKEN_WANTED);
  }
  throw await problemOf(response);
}

/**
 * Send a request that is answered by JSON.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function requestJson(path, options) {
  return (await request(path, options)).json();
}

/**
 * Read an answer of a JSON value a line, as the lines come.
 *
 * @param {Response} response
 * @returns {AsyncGenerator<any>}
 */
export async function* jsonLines(response) {
  if (response.body === null) return;
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (rest + read.value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim()) yield JSON.parse(line);
  }
  if (rest.trim()) yield JSON.parse(rest);
}

/**
 * Ask the server whether it takes a token.
 *
 * @param {string} token
 * @returns {Promise<boolean>}
 * @throws {Problem} The server says nothing.
 */
export async function takesToken(token) {
  try {
    const headers = { Authorization: `Bearer ${token}` };
    return (await fetch(CHEAP, { headers })).status !== 401;
  } catch {
    throw new Problem(UNREACHABLE);
  }
}

/** Have the user asked for the token, if it is for want of it that the server said no. */
export function askForTokenIfNeeded() {
  request(CHEAP).catch(() => {});
}

/** Drop a token that was refused, and have the page ask for another. */
function askForToken() {
  forgetToken();
  window.dispatchEvent(new Event(TOKEN_NEEDED));
}

/**
 * @param {Response} response
 * @returns {Promise<Problem>}
 */
async function problemOf(response) {
  const fallback = { title: `The server answered ${response.status}`, status: response.status };
  try {
    return new Problem({ ...fallback, ...(await response.json()) });
  } catch {
    return new Problem(fallback);
  }
}
