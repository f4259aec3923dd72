// @ts-check
// Numbers and names as text.

const WHOLE = new Intl.NumberFormat("en");
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const MAX_NAME_CHARS = 200;

/** @param {number} value */
export function whole(value) {
  return WHOLE.format(value);
}

/** @param {number} n @param {string} noun @param {string} [plural] */
export function count(n, noun, plural = `${noun}s`) {
  return `${whole(n)} ${n === 1 ? noun : plural}`;
}

/** @param {number} value @param {string[]} units */
function scaled(value, units) {
  let step = 0;
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  const digits = step > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)}${units[step]}`;
}

/** Decimal units, as file managers show them, on the line of their number. @param {number} n */
export function bytes(n) {
  return scaled(n, ["\u00a0bytes", "\u00a0kB", "\u00a0MB", "\u00a0GB", "\u00a0TB"]);
}

/** @param {Blob[]} files */
export function sizeOf(files) {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** @param {number} n */
export function approximate(n) {
  return scaled(n, ["", " thousand", " million", " billion", " trillion"]);
}

/** Two digits and a power of ten: 3.1×10⁻⁸. @param {number} value */
export function scientific(value) {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : "infinite";
  if (value >= 0.01 && value < 10000)
    return value >= 10 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
  const [digits = "", power = "0"] = value.toExponential(1).split("e");
  return `${digits === "1.0" ? "" : `${digits}×`}10${superscript(Number(power))}`;
}

/** @param {number} power */
function superscript(power) {
  const digits = [...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return (power < 0 ? "⁻" : "") + digits;
}

/** @param {number} share */
export function percent(share) {
  const value = share * 100;
  return `${value !== 0 && Math.abs(value) < 9.95 ? value.toPrecision(2) : value.toFixed(value >= 99.95 ? 0 : 1)}%`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** @param {number[]} dimensions */
export function shape(dimensions) {
  return dimensions.length === 0 ? "scalar" : dimensions.join(" × ");
}

/** The letter that stands for a model. @param {number} index */
export function letter(index) {
  return index < 26 ? String.fromCharCode(65 + index) : String(index + 1);
}

/** First letter in upper case, full stop at the end. @param {string} text */
export function sentence(text) {
  return stopped(text.charAt(0).toUpperCase() + text.slice(1));
}

/** Full stop at the end; for what starts with a name. @param {string} text */
export function stopped(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** A name from a file: shortened, and without characters that control or reorder text. @param {string} name @param {number} [most] */
export function printable(name, most = MAX_NAME_CHARS) {
  const shown = [...name].slice(0, most).map(escapeHidden).join("");
  return shown.length < name.length && [...name].length > most ? `${shown}…` : shown;
}

/** @param {string} char */
function escapeHidden(char) {
  const hidden = /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u.test(char);
  return hidden ? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}` : char;
}
