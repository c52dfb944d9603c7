// Instants as channels and headers write them, and which of them is the later one.

import { dateText, dayOf } from "./days.js";
import { absent, text } from "./values.js";

const INSTANT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?$/i;
/** As headers have it: `Fri, 05 Mar 2027 10:00:00 GMT`. */
const HTTP_DATE = /^[A-Za-z]{3}, (\d\d) ([A-Za-z]{3}) (\d{4}) (\d\d:\d\d:\d\d) GMT$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** The host's time ends within this year. */
const LAST_YEAR = 9999;
/** Seconds to wait are a u32 in the contract. */
const MAX_SECONDS = 2 ** 32 - 1;

/** Milliseconds since 1970, or undefined where the text is no instant. */
function moment(value) {
  const parts = typeof value === "string" && INSTANT.exec(value);
  const day = parts && dayOf(parts[1], "YYYY-MM-DD");
  if (!day || day.year >= LAST_YEAR) return undefined;
  const zone = (parts[3] ?? "Z").toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  const millis = Date.parse(`${parts[1]}T${parts[2]}${zone}`);
  return Number.isNaN(millis) ? undefined : millis;
}

/** An instant in UTC, `2027-03-01T09:30:00Z`. A text without a zone is read as UTC; one that is none goes on as it is. */
export function instant(value, field = "instant") {
  if (absent(value)) return undefined;
  const millis = moment(value);
  // The host leaves it out, and says so.
  if (millis === undefined) return text(value, field);
  return new Date(millis).toISOString().replace(".000Z", "Z");
}

/**
 * When the newest of these reservations was modified, as its record says it, whatever zones they have: the next run
 * goes on from there, by the channel's clock and not by ours. Undefined where no reservation says it.
 */
export function lastModified(changes) {
  let newest;
  for (const { data } of changes) {
    const said = data.tag === "reservation" ? data.val.modifiedAt : undefined;
    // The host reads a day alone as its midnight.
    const at = moment(said) ?? moment(`${said}T00:00`);
    if (at !== undefined && (newest === undefined || at > newest.at)) newest = { at, said };
  }
  return newest?.said;
}

/** How many seconds a header asks to wait, which names them or their end; none are left where that is past. */
export function secondsToWait(said, nowMillis) {
  const seconds = /^\d+$/.test(said) ? Number(said) : secondsUntil(said, nowMillis);
  return seconds <= MAX_SECONDS ? seconds : undefined;
}

function secondsUntil(said, nowMillis) {
  const parts = HTTP_DATE.exec(said);
  if (!parts) return undefined;
  const [, day, name, year, time] = parts;
  // A month that is none is number 0, which no calendar has.
  const month = MONTHS.indexOf(name) + 1;
  const end = moment(`${dateText({ year: Number(year), month, day: Number(day) })}T${time}Z`);
  return end === undefined ? undefined : Math.max(0, end / 1000 - Math.floor(nowMillis / 1000));
}
