/**
 * Samples as a WAV file.
 *
 * Belongs here: the file's header. Does not belong here: where samples come from.
 */

const HEADER_BYTES = 44;

/**
 * Make a WAV file of one channel.
 *
 * @param {ArrayBuffer[]} frames 16-bit samples.
 * @param {number} sampleRate
 * @returns {Blob}
 */
export function wavFile(frames, sampleRate) {
  const bytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0);
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  /** @type {(at: number, text: string) => void} */
  const put = (at, text) => {
    [...text].forEach((letter, k) => header.setUint8(at + k, letter.charCodeAt(0)));
  };
  put(0, "RIFF");
  header.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  put(8, "WAVEfmt ");
  header.setUint32(16, 16, true); // bytes of the format that follow
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // channels
  header.setUint32(24, sampleRate, true);
  header.setUint32(28, 2 * sampleRate, true); // bytes a second
  header.setUint16(32, 2, true); // bytes a sample
  header.setUint16(34, 16, true); // bits a sample
  put(36, "data");
  header.setUint32(40, bytes, true);
  return new Blob([header, ...frames], { type: "audio/wav" });
}
