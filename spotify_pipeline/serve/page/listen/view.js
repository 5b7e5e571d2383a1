/**
 * The view that names what plays.
 *
 * Belongs here: what is on it in each state. Does not belong here: listening itself (`attempt`), and
 * the cards of answers (`answers`).
 */

import { doubtCard, resultCard } from "../answers/result-card.js";
import { soFar, verdictOf } from "../answers/verdict.js";
import { remember } from "../history/heard.js";
import { identify } from "../server/answers.js";
import { TRYING_AGAIN } from "../server/pauses.js";
import { announce, fill, h, heading, icon } from "../shared/dom.js";
import { fileDrop } from "../shared/file-drop.js";
import { trouble } from "../shared/trouble.js";
import { Attempt } from "./attempt.js";
import { levelMeter } from "./level-meter.js";

/** @typedef {import("../server/answers.js").Answer} Answer */
/** @typedef {import("../answers/result-card.js").Heard} Heard */
/** @typedef {{answer?: Answer, silent: boolean, heard: Heard}} Result */

const LABELS = { idle: "Listen", listening: "Stop", busy: "Wait" };

const ADVICE = {
  unknown: ["Unknown", "No track of the index comes near. Is the music louder than the room?"],
  silent: ["Silence", "Nothing was heard. Is the microphone covered, or is it the wrong one?"],
};

/**
 * Make the view.
 *
 * @param {{signal: AbortSignal}} opened `signal` is aborted when the user leaves.
 * @returns {HTMLElement}
 */
export function listenView({ signal }) {
  return new ListenView(signal).element;
}

class ListenView {
  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.signal = signal;
    /** @type {Attempt | null} */
    this.attempt = null;
    this.shown = new AbortController(); // ends what counts on in the card
    this.meter = levelMeter();
    this.label = h("span", {}, LABELS.idle);
    this.status = h("p", { id: "so-far", class: "so-far" }, "Hold the device to the music");
    this.outcome = h("div", { class: "outcome" });
    this.element = h(
      "section",
      { class: "view listen", "data-state": "idle" },
      heading("Listen", { class: "visually-hidden" }),
      h("div", { class: "stage" }, this.meter.element, this.button()),
      this.status,
      this.outcome,
      fileDrop("Drop or choose a recording", (file) => this.identifyFile(file)),
    );
    signal.addEventListener("abort", () => this.shown.abort());
  }

  button() {
    return h(
      "button",
      {
        type: "button",
        class: "listen-button",
        "aria-describedby": "so-far",
        onclick: () => this.press(),
      },
      icon("microphone"),
      this.label,
    );
  }

  press() {
    if (this.element.dataset.state === "listening") this.attempt?.finish();
    else if (this.element.dataset.state === "idle") this.listen();
  }

  listen() {
    return this.run("listening", "Listening …", "microphone", () => {
      this.attempt = new Attempt(
        {
          onLevel: this.meter.show,
          onProgress: ({ seconds, silent, answer }) =>
            this.say(`${Math.round(seconds)} s heard. ${soFar(verdictOf(answer, silent))}`),
          onLost: () => this.say(TRYING_AGAIN),
          onFinish: () => {
            this.enter("busy");
            this.say("Waiting for the answer …");
          },
        },
        this.signal,
      );
      return this.attempt.result;
    });
  }

  /** @param {File} file */
  identifyFile(file) {
    if (this.element.dataset.state !== "idle") return undefined;
    return this.run("busy", `Identifying ${file.name} …`, file.name, async () => {
      const answer = await identify(file, this.signal);
      return { answer, silent: false, heard: { recording: file, startedAt: null } };
    });
  }

  /**
   * Show how an answer comes about, and the answer.
   *
   * @param {"listening" | "busy"} state
   * @param {string} words
   * @param {string} source
   * @param {() => Promise<Result>} answered
   */
  async run(state, words, source, answered) {
    this.shown.abort();
    this.shown = new AbortController();
    fill(this.outcome);
    this.enter(state);
    this.say(words);
    try {
      this.conclude(await answered(), source);
    } catch (error) {
      if (this.signal.aborted) return;
      this.say("");
      fill(this.outcome, trouble(error));
    } finally {
      this.enter("idle");
    }
  }

  /**
   * @param {Result} result
   * @param {string} source
   */
  conclude({ answer, silent, heard }, source) {
    const verdict = verdictOf(answer, silent);
    const { kind, matches } = verdict;
    if (kind === "named" && answer) {
      remember(matches[0], source);
      this.say(soFar(verdict));
      fill(this.outcome, resultCard(answer, matches, heard, this.shown.signal));
    } else if (kind === "between" || kind === "perhaps") {
      this.say(kind === "between" ? "Not sure between these two" : "Not sure");
      fill(this.outcome, doubtCard(matches, heard));
    } else {
      const [title, detail] = ADVICE[kind === "silent" ? "silent" : "unknown"];
      this.say(title);
      fill(this.outcome, trouble({ title, detail }));
    }
  }

  /** @param {"idle" | "listening" | "busy"} state */
  enter(state) {
    this.element.dataset.state = state;
    this.label.textContent = LABELS[state];
    if (state !== "listening") this.meter.show(null);
  }

  /** @param {string} words */
  say(words) {
    this.status.textContent = words;
    announce(words);
  }
}
