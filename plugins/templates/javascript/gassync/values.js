// Reading what channels write: JSON, days, instants, money, counts. Absent in, absent out; what is there and cannot be
// read is `malformed`, under the name of its field.

import { malformed } from "./errors.js";

const absent = (value) => value === undefined || value === null || value === "";

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

const DAY = /^(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?$/;

/** `YYYY-MM-DD`, with or without a time behind it. */
export function date(value, field = "date") {
  if (absent(value)) return undefined;
  const parts = typeof value === "string" && DAY.exec(value);
  if (parts) {
    const there = { year: Number(parts[1]), month: Number(parts[2]), day: Number(parts[3]) };
    // A day that is in no calendar comes back as another.
    if (dateText(addDays(there, 0)) === dateText(there)) return there;
  }
  throw malformed(`${field}: no day`);
}

/** `YYYY-MM-DD`. */
export const dateText = ({ year, month, day }) =>
  `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;

/** So many days later, or earlier: `addDays(lastNight, 1)` is the day of departure. */
export function addDays({ year, month, day }, days) {
  const there = new Date(Date.UTC(year, month - 1, day + days));
  return { year: there.getUTCFullYear(), month: there.getUTCMonth() + 1, day: there.getUTCDate() };
}

/** Arrival and departure; absent unless both are known. The night of `until` is not slept. */
export const nights = (start, until) => (start && until ? { start, until } : undefined);

/** Each night of a stay, for channels that want one entry a day. */
export function* eachNight({ start, until }) {
  const end = dateText(until);
  for (let night = start; dateText(night) < end; night = addDays(night, 1)) yield night;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?$/i;

/** An instant in UTC, `2027-03-01T09:30:00Z`. A text without a zone is read as UTC. */
export function instant(value, field = "instant") {
  if (absent(value)) return undefined;
  const parts = typeof value === "string" && INSTANT.exec(value);
  if (!parts || !date(parts[1], field)) throw malformed(`${field}: no instant`);
  const zone = (parts[3] ?? "Z").toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  const there = new Date(`${parts[1]}T${parts[2]}${zone}`);
  if (Number.isNaN(there.getTime())) throw malformed(`${field}: no instant`);
  return there.toISOString().replace(".000Z", "Z");
}

/** Money with the digits the payload had. A number with a fraction comes from `readJson` as the text it needs. */
export function money(amount, currency, field = "amount") {
  if (absent(amount)) return undefined;
  const digits = text(amount, field).trim();
  if (!/^-?\d{1,30}(\.\d{1,30})?$/.test(digits)) throw malformed(`${field}: no decimal number`);
  return { amount: digits, currency: absent(currency) ? undefined : currency };
}

/** Money that a channel counts in its smallest unit: `minorMoney(54050, "EUR")` is 540.50. */
export function minorMoney(units, currency, decimals = 2, field = "amount") {
  if (absent(units)) return undefined;
  const [, sign, digits] = /^(-?)(\d{1,15})$/.exec(text(units, field)) ?? [];
  if (!digits) throw malformed(`${field}: no whole number`);
  const padded = digits.padStart(decimals + 1, "0");
  const point = padded.length - decimals;
  return money(sign + padded.slice(0, point) + (decimals > 0 ? `.${padded.slice(point)}` : ""), currency, field);
}

/** A head count or the like, from a number or from digits. */
export function count(value, field = "count") {
  if (absent(value)) return undefined;
  const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  if (!Number.isInteger(number) || number < 0 || number >= 2 ** 32) throw malformed(`${field}: no whole number`);
  return number;
}
