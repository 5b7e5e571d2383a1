/**
 * Numbers in words.
 *
 * Belongs here: how times, probabilities and names are written everywhere. Does not belong here:
 * which of them a view shows.
 */

/**
 * Write seconds as a clock shows them: 1:05 or 1:02:05.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/**
 * Read what `clock` writes.
 *
 * @param {string} text Seconds, or minutes or hours before them, parted by colons.
 * @returns {number | null} Seconds; null where the text is none of that.
 */
export function secondsOf(text) {
  const fields = text.trim().split(":");
  if (fields.length > 3 || !fields.every((field) => /^\d+(\.\d+)?$/.test(field))) return null;
  return fields.reduce((seconds, field) => 60 * seconds + Number(field), 0);
}

/**
 * Say how sure a probability is, in words and as a number; what is not certain never reads 100 %.
 *
 * @param {number} probability
 * @returns {string}
 */
export function confidenceWords(probability) {
  const percent =
    probability >= 0.995 && probability < 1
      ? (Math.floor(probability * 1000) / 10).toFixed(1)
      : Math.round(probability * 100);
  return `${sureness(probability)}, ${percent} %`;
}

/** @param {number} probability */
function sureness(probability) {
  if (probability >= 0.99) return "Sure";
  if (probability >= 0.9) return "Quite sure";
  if (probability >= 0.5) return "Perhaps";
  return "A guess";
}

/**
 * Join names as a sentence does.
 *
 * @param {readonly string[]} names
 * @returns {string}
 */
export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

const DRIFT = 0.5; // percent; two clocks differ by less

/**
 * Say at which speed a track was played; nothing where it is the published one.
 *
 * @param {number} speed
 * @returns {string}
 */
export function speedWords(speed) {
  const change = Math.round((speed - 1) * 1000) / 10;
  if (Math.abs(change) < DRIFT) return "";
  return `played ${Math.abs(change)} % ${change > 0 ? "faster" : "slower"}`;
}
