/**
 * Tables as CSV, as of RFC 4180.
 */

/**
 * Write a table.
 *
 * @param {readonly string[]} columns
 * @param {readonly Record<string, any>[]} rows Lists in a value are parted by semicolons.
 * @returns {string}
 */
export function csvOf(columns, rows) {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((values) => values.map(field).join(",") + "\r\n").join("");
}

/** @param {unknown} value */
function field(value) {
  const text = Array.isArray(value) ? value.join("; ") : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
