// Reading what channels write: JSON, texts, counts. Absent in, absent out; what is there and cannot be read is left out
// and noted, under the name of its field. A body that is no JSON is `malformed`.

import { malformed } from "./errors.js";
import { note } from "./notes.js";

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

/** Pairs of escapes that make a character, halves of one, NUL, and any other escape. */
const ESCAPES =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u(?:[dD][89a-fA-F][\da-fA-F]{2}|0000)|\\[^]/g;
const mended = (escape) => (escape.length === 6 ? "\\ufffd" : escape);

/**
 * A body, or a text, as JSON. A number that JavaScript would not keep digit by digit comes as text: one with a
 * fraction (`540.50`), and one of more than fifteen digits (many ids). Where you count with one, say `Number(…)`.
 * Half a character, or a NUL, is replaced and no reason to fail.
 */
export function readJson(body) {
  const said = typeof body === "string" ? body : readText(body);
  const source = said.includes("\\u") ? said.replace(ESCAPES, mended) : said;
  try {
    if (showsSource) return JSON.parse(source, keepDigits);
    JSON.parse(source);
    return JSON.parse(source.replace(STRING_OR_NUMBER, quoted));
  } catch (error) {
    throw malformed(`not JSON: ${error.message.slice(0, 120)}`);
  }
}

/** A text, or the digits of a number: many channels write ids as numbers. */
export function text(value, field = "text") {
  if (absent(value)) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || Number.isFinite(value)) return String(value);
  note(field, "no text");
  return undefined;
}

/** A head count or the like, from a number, digits, or yes and no. */
export function count(value, field = "count") {
  if (absent(value)) return undefined;
  const isDigits = typeof value === "string" && /^\s*\d{1,10}(?:\.0+)?\s*$/.test(value);
  const number = isDigits || typeof value === "boolean" ? Number(value) : value;
  if (Number.isInteger(number) && number >= 0 && number < 2 ** 32) return number;
  note(field, "no whole number of at least 0");
  return undefined;
}
