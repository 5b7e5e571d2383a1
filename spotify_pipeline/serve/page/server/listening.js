/**
 * The connection over which the server listens.
 *
 * Belongs here: the WebSocket and its messages. Does not belong here: the microphone (`audio`), and
 * what the messages mean to the user.
 */

import { askForTokenIfNeeded } from "./requests.js";
import { token } from "./token.js";

/** @typedef {import("./answers.js").Answer} Answer */
/** @typedef {import("./answers.js").Part} Part */

/**
 * What the server says while it listens.
 *
 * @typedef {{type: "progress", seconds: number, level_db: number, silent: boolean, answer?: Answer}
 *   | {type: "answer", seconds: number, silent?: boolean, answer: Answer}
 *   | {type: "part", part: Part}
 *   | {type: "done"}
 *   | {type: "problem", title: string, detail: string, status: number}} Message
 */

/**
 * @typedef {object} Listening
 * @property {(samples: ArrayBuffer) => void} send 16-bit samples.
 * @property {() => void} end Says that the recording ends; the last answer follows.
 * @property {() => void} close Ends at once.
 */

/**
 * Open a connection.
 *
 * @param {"track" | "tracklist"} mode
 * @param {number} sampleRate
 * @param {(message: Message) => void} onMessage
 * @param {(opened: boolean) => void} onLost Called when the connection ends before the server is
 *   done, or can't be opened.
 * @returns {Listening}
 */
export function openListening(mode, sampleRate, onMessage, onLost) {
  const socket = new WebSocket(address(mode));
  socket.binaryType = "arraybuffer";
  /** @type {(ArrayBuffer | string)[]} */
  const waiting = [JSON.stringify({ sample_rate: sampleRate })];
  let opened = false;
  let finished = false;

  /** @param {ArrayBuffer | string} message */
  const send = (message) => {
    if (socket.readyState === WebSocket.CONNECTING) waiting.push(message);
    else if (socket.readyState === WebSocket.OPEN) socket.send(message);
  };
  socket.addEventListener("open", () => {
    opened = true;
    waiting.splice(0).forEach(send);
  });
  socket.addEventListener("message", ({ data }) => {
    if (finished) return;
    const message = JSON.parse(data);
    finished = ["answer", "done", "problem"].includes(message.type);
    onMessage(message);
  });
  socket.addEventListener("close", () => {
    if (finished) return;
    finished = true;
    onLost(opened);
    if (!opened) askForTokenIfNeeded();
  });
  return {
    send,
    end: () => send(JSON.stringify({ end: true })),
    close: () => {
      finished = true;
      socket.close();
    },
  };
}

/**
 * @param {string} mode
 * @returns {URL}
 */
function address(mode) {
  const url = new URL(`/api/listen?mode=${mode}`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const known = token();
  if (known !== null) url.searchParams.set("token", known);
  return url;
}
