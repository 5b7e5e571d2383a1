/**
 * The microphone.
 *
 * Belongs here: opening it, its samples, and why it can't be opened. Does not belong here: where
 * the samples go.
 */

/** Why there is no microphone: `title` and `detail` say it to the user. */
export class MicrophoneError extends Error {
  /**
   * @param {string} title
   * @param {string} detail
   */
  constructor(title, detail) {
    super(title);
    this.title = title;
    this.detail = detail;
  }
}

/**
 * @typedef {object} Microphone
 * @property {number} sampleRate
 * @property {() => void} stop
 */

const AS_IT_SOUNDS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

const REFUSALS = {
  NotAllowedError: [
    "The browser does not let this page use the microphone",
    "Allow it in the settings of this site, which open by the sign beside the address," +
      " and press the button again.",
  ],
  NotFoundError: [
    "No microphone was found",
    "Connect one, or drop an audio file here instead.",
  ],
  NotReadableError: [
    "The microphone can't be opened",
    "Another program may be using it. Close that, and press the button again.",
  ],
};

/**
 * Open the microphone.
 *
 * @param {(samples: ArrayBuffer, level: number) => void} onFrame Gets a tenth of a second of 16-bit
 *   samples at a time, and its level in dB below full scale.
 * @param {() => void} onEnded Called when the microphone is taken away.
 * @returns {Promise<Microphone>}
 * @throws {MicrophoneError}
 */
export async function openMicrophone(onFrame, onEnded) {
  requireSecureContext();
  const stream = await opened();
  const context = new AudioContext();
  try {
    await context.audioWorklet.addModule("/page/audio/pcm-worklet.js");
    await context.resume();
  } catch (error) {
    release(stream, context);
    throw error;
  }
  const frames = new AudioWorkletNode(context, "pcm-frames", {
    channelCount: 1, // several are mixed
    channelCountMode: "explicit",
    numberOfOutputs: 0,
  });
  frames.port.onmessage = ({ data }) => onFrame(data.samples, data.level);
  context.createMediaStreamSource(stream).connect(frames);
  stream.getAudioTracks()[0].addEventListener("ended", onEnded);
  return { sampleRate: context.sampleRate, stop: () => release(stream, context) };
}

function requireSecureContext() {
  if (window.isSecureContext && navigator.mediaDevices) return;
  throw new MicrophoneError(
    "The microphone needs HTTPS here",
    "Browsers lend it only to pages of this machine itself or over HTTPS. Start the server with" +
      " --tls and open the address that it shows. Files can be dropped here all the same.",
  );
}

/** @returns {Promise<MediaStream>} */
async function opened() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...AS_IT_SOUNDS, channelCount: 1 } });
  } catch (error) {
    const { name, message } = /** @type {DOMException} */ (error);
    const [title, detail] = REFUSALS[/** @type {keyof REFUSALS} */ (name)] ?? [
      "The microphone can't be opened",
      message,
    ];
    throw new MicrophoneError(title, detail);
  }
}

/**
 * @param {MediaStream} stream
 * @param {AudioContext} context
 */
function release(stream, context) {
  for (const track of stream.getTracks()) track.stop();
  if (context.state !== "closed") context.close();
}
