// What an adapter imports. This folder comes with the template and is replaced by a newer one as a whole: what is
// yours lives beside it.

export {
  address, block, calendarNights, collector, connectionEvent, guestDetails, outcome, party, price, priceLine, property, question,
  ratePlan, receiptOutcome, reservation, resume, roomStay, roomType, scope, status, stayQuery, stayRules,
} from "./contract.js";
export {
  ChannelError, conflict, malformed, rateLimited, rejected, unauthorized, unavailable, unsupported,
} from "./errors.js";
export { exportsOf } from "./exports.js";
export { clock, http, inventory, keys, log, settings, state } from "./host.js";
export { minorMoney, money } from "./amounts.js";
export { addDays, date, dateOrNote, dateText, eachNight, nights, readDate, readDateOrNote } from "./days.js";
export { readEach, readOne } from "./each.js";
export { instant, lastModified } from "./instants.js";
export { note } from "./notes.js";
export { count, readJson, readText, text } from "./values.js";

import { changeRecord, httpResponse, news as newsOf } from "./contract.js";
import { takeNotes } from "./notes.js";

/** What a message says, by what it is about: `news.reservation(…)`, `news.block(…)`, `news.calendar([…])` … */
export const news = Object.assign((value) => newsOf(value), newsOf, {
  /** A deletion that carries an id and nothing else. */
  removed: (entity, id) => newsOf.removed({ entity, id }),
  /** The message says only that something happened: the host fetches that record, or without an id what has changed. */
  lookAgain: (entity, id) => newsOf.lookAgain({ entity, id }),
});

/**
 * News, and which of the connection's sources it is for: `{ propertyId, account }`, where the message says so. What was
 * noted while the record was read goes with it.
 */
export const change = (aboutWhat, route) => changeRecord({ news: aboutWhat, route, notes: takeNotes() });

/** An answer to the channel's call: plain text, or an object as JSON. */
export function reply(status, body = "", headers = {}) {
  const isJson = typeof body === "object" && !(body instanceof Uint8Array);
  const type = { "content-type": isJson ? "application/json" : "text/plain" };
  return httpResponse({ status, headers: { ...type, ...headers }, body: isJson ? JSON.stringify(body) : body });
}

/** A header of a request, whatever the case of its name. */
export const headerOf = (request, name) =>
  request.headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value;

/** The query of a request's URL, as `URLSearchParams`. */
export const queryOf = (request) => new URLSearchParams(request.url.split("?")[1] ?? "");
