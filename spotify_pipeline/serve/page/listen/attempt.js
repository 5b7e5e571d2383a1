/**
 * One attempt to name what plays: the microphone, the server, and the recording that is kept.
 *
 * Belongs here: when it begins and ends. Does not belong here: what the user sees of it (`view`).
 */

import { openMicrophone } from "../audio/microphone.js";
import { wavFile } from "../audio/wav.js";
import { openListening } from "../server/listening.js";
import { afterPause } from "../server/pauses.js";
import { Problem } from "../server/requests.js";

/** @typedef {import("../server/answers.js").Answer} Answer */
/** @typedef {import("../server/listening.js").Message} Message */
/** @typedef {import("../answers/result-card.js").Heard} Heard */
/** @typedef {{answer: Answer, silent: boolean, heard: Heard}} Result */

const ENOUGH = 30; // seconds, after which the server takes no more
const TRIES = 5; // to reach the server again, in less than 20 seconds

/**
 * @typedef {object} Observer
 * @property {(level: number) => void} onLevel Gets dB below full scale, ten times a second.
 * @property {(progress: {seconds: number, silent: boolean, answer?: Answer}) => void} onProgress
 * @property {() => void} onLost Called when the server is gone, and is tried to be reached again.
 * @property {() => void} onFinish Called when nothing more is recorded, and the answer waited for.
 */

/** Listens until the server is sure, has heard enough, or `finish` is called. */
export class Attempt {
  /**
   * @param {Observer} observer
   * @param {AbortSignal} signal Ends it without an answer.
   */
  constructor(observer, signal) {
    this.observer = observer;
    this.recording = true;
    this.settled = false;
    this.silent = false;
    this.seconds = 0;
    /** @type {ArrayBuffer[]} */
    this.frames = [];
    /** @type {number | null} */
    this.startedAt = null;
    /** @type {import("../audio/microphone.js").Microphone | undefined} */
    this.microphone = undefined;
    /** @type {import("../server/listening.js").Listening | undefined} */
    this.server = undefined;
    /**
     * The answer; rejected by a `MicrophoneError` or `Problem`.
     *
     * @type {Promise<Result>}
     */
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    signal.addEventListener("abort", () => this.fail(signal.reason), { once: true });
    this.begin(signal).catch((error) => this.fail(error));
  }

  /** Record no more, and have the server answer. */
  finish() {
    if (!this.recording) return;
    this.stopRecording();
    this.server?.end();
    this.observer.onFinish();
  }

  /** @param {AbortSignal} signal */
  async begin(signal) {
    this.microphone = await openMicrophone(
      (samples, level) => this.take(samples, level),
      () => this.finish(),
    );
    if (!this.recording) this.microphone.stop(); // ended while the user was asked for permission
    this.connect(this.microphone.sampleRate);
  }

  /**
   * Open a connection, and send what was recorded so far: the server knows nothing of an earlier one.
   *
   * @param {number} sampleRate
   * @param {number} [failures]
   */
  connect(sampleRate, failures = 0) {
    if (this.settled) return;
    this.server = openListening(
      "track",
      sampleRate,
      (message) => this.hear(message),
      () => {
        this.server = undefined;
        if (failures === TRIES) {
          this.fail(new Problem({ title: "The server went away", detail: "Try again." }));
        } else {
          this.observer.onLost();
          afterPause(failures, () => this.connect(sampleRate, failures + 1));
        }
      },
    );
    this.frames.forEach(this.server.send);
    if (!this.recording) this.server.end();
  }

  /**
   * @param {ArrayBuffer} samples
   * @param {number} level
   */
  take(samples, level) {
    if (!this.recording || this.microphone === undefined) return;
    const seconds = samples.byteLength / 2 / this.microphone.sampleRate;
    this.startedAt ??= performance.now() - 1000 * seconds;
    this.seconds += seconds;
    this.frames.push(samples);
    this.server?.send(samples);
    this.observer.onLevel(level);
    if (this.seconds >= ENOUGH) this.finish();
  }

  /** @param {Message} message */
  hear(message) {
    if (message.type === "progress") {
      this.silent = message.silent;
      if (this.recording) this.observer.onProgress(message);
    } else if (message.type === "answer") {
      this.settled = true;
      this.stopRecording();
      const recording = wavFile(this.frames, this.microphone?.sampleRate ?? 0);
      const { answer, silent = this.silent } = message;
      this.resolve?.({ answer, silent, heard: { recording, startedAt: this.startedAt } });
    } else if (message.type === "problem") {
      this.fail(new Problem(message));
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.settled = true;
    this.stopRecording();
    this.server?.close();
    this.reject?.(error);
  }

  stopRecording() {
    this.recording = false;
    this.microphone?.stop();
  }
}
