/**
 * The tracklist that is being made, which goes on while the user looks at other views.
 *
 * Belongs here: where its parts come from, and keeping them. Does not belong here: how parts go
 * together (`parts`), and showing them (`view`).
 */

import { stayAwake } from "../audio/awake.js";
import { openMicrophone } from "../audio/microphone.js";
import { soFar, verdictOf } from "../answers/verdict.js";
import { timeline } from "../server/answers.js";
import { openListening } from "../server/listening.js";
import { afterPause, TRYING_AGAIN } from "../server/pauses.js";
import { Problem } from "../server/requests.js";
import { read, write } from "../shared/kept.js";
import { withPart } from "./parts.js";

/** @typedef {import("../server/answers.js").Part} Part */
/** @typedef {import("../server/listening.js").Message} Message */

const KEY = "tracklist";

/** Sends `change` when anything of it is other than before, and `time` ten times a second. */
class Session extends EventTarget {
  constructor() {
    super();
    const kept = read(KEY, { name: "", parts: /** @type {Part[]} */ ([]) });
    /** What the tracklist is of: a file's name. */
    this.name = kept.name;
    this.parts = kept.parts;
    /** @type {"idle" | "listening" | "reading"} */
    this.state = "idle";
    /** Seconds that were heard. */
    this.seconds = 0;
    /** What seems to play now, in words. */
    this.now = "";
    /** @type {unknown} */
    this.error = null;
    /** @type {AbortController | null} */
    this.running = null;
    this.finish = () => {};
  }

  /** @param {Part[]} parts */
  setParts(parts) {
    this.parts = parts;
    write(KEY, { name: this.name, parts });
    this.changed();
  }

  clear() {
    this.stop();
    this.name = "";
    this.setParts([]);
  }

  /** End at once; what is known stays. */
  stop() {
    this.running?.abort();
  }

  /**
   * Make the tracklist of a file.
   *
   * @param {File} file
   */
  async readFile(file) {
    const { signal } = this.begin(file.name, "reading");
    try {
      for await (const part of timeline(file, signal)) this.take(part);
      this.end(signal);
    } catch (error) {
      this.end(signal, error);
    }
  }

  /** Listen on by the microphone until `finish` or `stop` is called. */
  async listen() {
    const { signal } = this.begin(`Heard ${new Date().toLocaleString()}`, "listening");
    /** @type {import("../server/listening.js").Listening | null} */
    let server = null;
    try {
      const microphone = await openMicrophone(
        (samples) => {
          this.seconds += samples.byteLength / 2 / microphone.sampleRate;
          server?.send(samples);
          this.dispatchEvent(new Event("time"));
        },
        () => this.finish(),
      );
      signal.addEventListener("abort", () => {
        microphone.stop();
        server?.close();
        this.end(signal);
      });
      stayAwake(signal);
      const connect = (failures = 0) => {
        server = this.connection(microphone.sampleRate, signal, (opened) => {
          server = null;
          this.now = TRYING_AGAIN;
          const failed = opened ? 0 : failures;
          afterPause(failed, () => signal.aborted || connect(failed + 1));
        });
      };
      this.finish = () => {
        microphone.stop();
        if (server) server.end();
        else this.stop();
      };
      if (signal.aborted) microphone.stop();
      else connect();
    } catch (error) {
      this.end(signal, error);
    }
  }

  /**
   * @param {number} sampleRate
   * @param {AbortSignal} signal
   * @param {(opened: boolean) => void} onLost
   */
  connection(sampleRate, signal, onLost) {
    const before = this.seconds; // what the server hears from now on begins here
    return openListening(
      "tracklist",
      sampleRate,
      (message) => {
        if (message.type === "progress") {
          this.now = soFar(verdictOf(message.answer, message.silent));
        } else if (message.type === "part") this.take(shifted(message.part, before));
        else if (message.type === "done") this.stop();
        else if (message.type === "problem") this.end(signal, new Problem(message));
      },
      onLost,
    );
  }

  /**
   * @param {string} name
   * @param {"listening" | "reading"} state
   * @returns {AbortController}
   */
  begin(name, state) {
    this.stop();
    this.running = new AbortController();
    this.name = name;
    this.state = state;
    this.seconds = 0;
    this.now = "";
    this.error = null;
    this.setParts([]);
    return this.running;
  }

  /**
   * @param {AbortSignal} signal Of the run that ends, which may not be the latest.
   * @param {unknown} [error]
   */
  end(signal, error = null) {
    if (this.running?.signal !== signal) return;
    const { running } = this;
    this.running = null;
    this.state = "idle";
    this.finish = () => {};
    if (!signal.aborted) this.error = error;
    running.abort(); // frees the microphone where an error ended it
    this.changed();
  }

  /** @param {Part} part */
  take(part) {
    this.setParts(withPart(this.parts, part));
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {Part} part
 * @param {number} seconds
 * @returns {Part}
 */
function shifted(part, seconds) {
  return { ...part, start: part.start + seconds, end: part.end + seconds };
}

/** There is one microphone, and so one tracklist at a time. */
export const session = new Session();
