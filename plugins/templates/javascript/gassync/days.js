// Days and nights as channels write them. Absent in, absent out; what is there and is no day is `malformed`, under the
// name of its field, for nights, without which there is nothing to hold; otherwise it is left out and noted.

import { malformed } from "./errors.js";
import { note } from "./notes.js";
import { absent } from "./values.js";

const ORDER = /^(YYYY|MM?|DD?)([^A-Za-z\d]*)(YYYY|MM?|DD?)([^A-Za-z\d]*)(YYYY|MM?|DD?)$/;
const PARTS = {
  YYYY: "(?<year>\\d{4})",
  MM: "(?<month>\\d\\d)",
  M: "(?<month>\\d{1,2})",
  DD: "(?<day>\\d\\d)",
  D: "(?<day>\\d{1,2})",
};

/** A page has thousands of days, and few orders. */
const patterns = new Map();

function patternOf(order) {
  if (!patterns.has(order)) patterns.set(order, madeOf(order));
  return patterns.get(order);
}

function madeOf(order) {
  const [, first, mark, second, otherMark, third] = ORDER.exec(order) ?? [];
  const parts = [first, second, third];
  const isWhole = new Set(parts.map((part) => part?.[0])).size === 3;
  // `112027` would be the first of November or the eleventh of January.
  const isClear = parts.every((part) => part?.length > 1) || (mark && otherMark);
  if (!isWhole || !isClear) throw new TypeError(`no order of a day, such as "DD.MM.YYYY": ${order}`);
  const marks = [mark, otherMark].map((text) => text.replace(/./g, "\\$&"));
  return new RegExp(`^${PARTS[first]}${marks[0]}${PARTS[second]}${marks[1]}${PARTS[third]}(?:[T ].*)?$`);
}

/** The day that a text says in this order, or undefined: one that is in no calendar is none. */
export function dayOf(value, order) {
  const said = patternOf(order).exec(typeof value === "string" ? value : "")?.groups;
  if (!said) return undefined;
  const there = { year: Number(said.year), month: Number(said.month), day: Number(said.day) };
  // A day that is in no calendar comes back as another.
  return dateText(addDays(there, 0)) === dateText(there) ? there : undefined;
}

/**
 * A day in the order that the channel writes, with or without a time behind it: `readDate("05.03.2027", "DD.MM.YYYY")`.
 * `D` and `M` take one digit or two. The order is never guessed, and neither is the century of a year.
 */
export function readDate(value, order, field = "date") {
  // A wrong order is the adapter's fault, and shows at the first value, be it absent.
  patternOf(order);
  if (absent(value)) return undefined;
  const there = dayOf(value, order);
  if (!there) throw malformed(`${field}: no day (${order})`);
  return there;
}

/** `YYYY-MM-DD`, with or without a time behind it. */
export const date = (value, field = "date") => readDate(value, "YYYY-MM-DD", field);

/** A day without which the record is worth as much, such as those of a cancellation: what is none is left out and noted. */
export function readDateOrNote(value, order, field = "date") {
  const there = dayOf(value, order);
  if (!there && !absent(value)) note(field, `no day (${order})`);
  return there;
}

/** The same, as `YYYY-MM-DD`. */
export const dateOrNote = (value, field = "date") => readDateOrNote(value, "YYYY-MM-DD", field);

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
