// Reading what channels write: JSON, texts, counts. Absent in, absent out; what is there and cannot be read is
// `malformed`, under the name of its field.

import { malformed } from "./errors.js";

/** Whether nothing is said: left out, null, or an empty text. */
export const absent = (value) => value === undefined || value === null || value === "";

/** A body as text. */
export function readText(body) {
  if (!body?.length) throw malformed("the body is empty");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw malformed("the body is not UTF-8");
  }
}

/** Whether a number comes back as it was written. */
const isExact = (source) => /^-?\d{1,15}$/.test(source);

const keepDigits = (key, value, context) =>
  typeof value === "number" && !isExact(context.source) ? context.source : value;

/** The component's engine shows what a number was written as. Node before 21, where tests may run, does not. */
const showsSource = JSON.parse("1", (key, value, context) => context?.source === "1");

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const quoted = (token) => (token[0] === '"' || isExact(token) ? token : `"${token}"`);

/**
 * A body, or a text, as JSON. A number that JavaScript would not keep digit by digit comes as text: one with a
 * fraction (`540.50`), and one of more than fifteen digits (many ids). Where you count with one, say `Number(…)`.
 */
export function readJson(body) {
  const source = typeof body === "string" ? body : readText(body);
  try {
    if (showsSource) return JSON.parse(source, keepDigits);
    JSON.parse(source);
    return JSON.parse(source.replace(STRING_OR_NUMBER, quoted));
  } catch (error) {
    throw malformed(`not JSON: ${error.message.slice(0, 120)}`);
  }
}

/** A text, or the digits of a whole number: many channels write ids as numbers. */
export function text(value, field = "text") {
  if (absent(value)) return undefined;
  if (typeof value === "string" || Number.isSafeInteger(value)) return String(value);
  throw malformed(`${field}: no text`);
}

/** A head count or the like, from a number or from digits. */
export function count(value, field = "count") {
  if (absent(value)) return undefined;
  const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  if (!Number.isInteger(number) || number < 0 || number >= 2 ** 32) throw malformed(`${field}: no whole number`);
  return number;
}
