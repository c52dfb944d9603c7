// What an adapter imports. This folder comes with the template and is replaced by a newer one as a whole: what is
// yours lives beside it.

export {
  acknowledgementOutcome, address, block, calendarNights, connectionEvent, guestDetails, occupancy, outcome,
  paymentCollectedBy, price, priceLine, property, question, ratePlan, reservation, resume, roomStay, roomType, scope, status, stayQuery, stayRules,
} from "./contract.js";
export {
  ChannelError, conflict, malformed, rateLimited, rejected, unauthorized, unavailable, unsupported,
} from "./errors.js";
export { exportsOf } from "./exports.js";
export { clock, coreData, http, log, settings, signing, state } from "./host.js";
export { minorMoney, money } from "./amounts.js";
export { readXml, withoutPlaceholders } from "./documents.js";
export { addDays, date, dateOrNote, dateText, eachNight, nights, readDate, readDateOrNote } from "./days.js";
export { readEach, readOne } from "./each.js";
export { instant, lastModified } from "./instants.js";
export { note } from "./notes.js";
export { count, readJson, readText, text } from "./values.js";

import { changeKind as kindOf, changeRecord, httpResponse } from "./contract.js";
import { takeNotes } from "./notes.js";

/** The data of a change, by its kind: `changeKind.reservation(…)`, `changeKind.block(…)`, `changeKind.calendar([…])` … */
export const changeKind = Object.assign((value) => kindOf(value), kindOf, {
  /** A deletion that carries only an id. */
  removed: (entity, id) => kindOf.removed({ entity, id }),
  /** The message says only that something changed: the host fetches that record, or without an id all that has changed. */
  refetch: (entity, id) => kindOf.refetch({ entity, id }),
});

/**
 * A change: its data, and the source of the connection that it is for, `{ propertyId, account }`, if the message says so.
 * Includes the notes that were made while the record was read.
 */
export const change = (data, route) => changeRecord({ data, route, notes: takeNotes() });

/** A response to the channel's call: plain text, or an object as JSON. */
export function response(status, body = "", headers = {}) {
  const isJson = typeof body === "object" && !(body instanceof Uint8Array);
  const type = { "content-type": isJson ? "application/json" : "text/plain" };
  return httpResponse({ status, headers: { ...type, ...headers }, body: isJson ? JSON.stringify(body) : body });
}

/** A header of a request, whatever the case of its name. */
export const headerOf = (request, name) =>
  request.headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value;

/** The query of a request's URL, as `URLSearchParams`. */
export const queryOf = (request) => new URLSearchParams(request.url.split("?")[1] ?? "");
