/**
 * Turns what the microphone gives into 16-bit samples, on the audio thread.
 *
 * A tenth of a second at a time is sent to the page, with how loud it is.
 */

const SECONDS_A_FRAME = 0.1;
const FRAME = Math.round(sampleRate * SECONDS_A_FRAME); // samples
const QUIETEST = -100; // dB below full scale, given for digital silence

class PcmFrames extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.energy = 0;
  }

  /**
   * @param {Float32Array[][]} inputs
   * @returns {boolean} Whether more is wanted.
   */
  process([input]) {
    const [samples] = input;
    if (samples === undefined) return true; // the microphone is not connected yet
    for (const sample of samples) {
      const clipped = Math.max(-1, Math.min(1, sample));
      this.energy += clipped * clipped;
      this.frame[this.filled++] = Math.round(clipped * 32767);
      if (this.filled === FRAME) this.send();
    }
    return true;
  }

  send() {
    const level = 10 * Math.log10(this.energy / this.filled + 10 ** (QUIETEST / 10));
    const samples = this.frame.buffer;
    this.port.postMessage({ samples, level }, [samples]); // which empties the frame
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.energy = 0;
  }
}

registerProcessor("pcm-frames", PcmFrames);
