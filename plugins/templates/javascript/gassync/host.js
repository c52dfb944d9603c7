// What the host offers a plugin. In the component it is the imports of the contract, in a test a `FakeHost`: whoever
// comes first calls `connectHost`, and the adapter never knows which it was.

import { capture, entityRef, httpRequest, nights, stayQuery } from "./contract.js";
import { date } from "./days.js";
import { ChannelError, rateLimited, unauthorized, unavailable } from "./errors.js";
import { secondsToWait } from "./instants.js";
import { readJson, readText } from "./values.js";

let host;
let millisNow = Date.now;

/**
 * `{ http, signing, settings, state, coreData, log }`, each with the functions of the contract's interface, and what
 * tells the time in milliseconds since 1970.
 */
export function connectHost(imports, millis = Date.now) {
  host = imports;
  millisNow = millis;
}

/** What time it is, in UTC: the host's clock, which a `FakeHost` can hold still. */
export const clock = {
  /** The present instant, without parts of a second: `2027-03-01T09:30:00Z`. */
  now: () => `${new Date(millisNow()).toISOString().slice(0, 19)}Z`,
  /** Where the property stands it may still be yesterday, or tomorrow already. */
  today: () => date(clock.now()),
};

/** The source's settings. The host has checked them against the manifest's schema and filled in its defaults. */
export const settings = () => JSON.parse(host.settings.get());

/** The answer to a request. */
class Answer {
  constructor({ status, headers, body }) {
    Object.assign(this, { status, headers, body });
  }
  header(name) {
    return this.headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value;
  }
  /** How many seconds the channel asks us to wait, where it says so in `Retry-After`: for `rateLimited`. */
  retryAfter() {
    return secondsToWait(this.header("retry-after")?.trim() ?? "", millisNow());
  }
  text() {
    return this.body.length ? readText(this.body) : "";
  }
  json() {
    return readJson(this.body);
  }
}

/**
 * The way to the network: granted hosts only. A secret is written `{{slot.field}}`, in URL, header or body, and filled
 * in by the host on its way out where `secrets` names it, `slot.field` for URL and headers, `body:slot.field` for the
 * body: without that it is text like any other. A body that is an object is sent as JSON, `URLSearchParams` as a form.
 */
export const http = {
  get: (url, headers, secrets) => http.send({ url, headers, secrets }),
  post: (url, body, headers, secrets) => http.send({ method: "POST", url, headers, body, secrets }),
  put: (url, body, headers, secrets) => http.send({ method: "PUT", url, headers, body, secrets }),
  patch: (url, body, headers, secrets) => http.send({ method: "PATCH", url, headers, body, secrets }),
  delete: (url, headers, secrets) => http.send({ method: "DELETE", url, headers, secrets }),

  /** `captures`: parts of the answer that the host keeps as secrets, `[{ slot, field, place, lifetimeSeconds }]`. */
  send({ secrets = [], captures = [], ...wanted }) {
    const request = httpRequest(withBody(wanted));
    try {
      return new Answer(host.http.send(request, secrets, captures.map(capture)));
    } catch (failure) {
      if (!failure?.payload?.tag) throw failure;
      throw asChannelError(failure);
    }
  },
};

function withBody({ body, headers = {}, ...rest }) {
  const isForm = body instanceof URLSearchParams;
  if (body == null || typeof body === "string" || body instanceof Uint8Array) return { ...rest, headers, body };
  const type = isForm ? "application/x-www-form-urlencoded" : "application/json";
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers).map(([name, value]) => ({ name, value }));
  const typed = pairs.some(({ name }) => name.toLowerCase() === "content-type");
  return {
    ...rest,
    headers: typed ? pairs : [{ name: "content-type", value: type }, ...pairs],
    body: isForm ? String(body) : JSON.stringify(body),
  };
}

/** What the host or the network refuses, as the error that the contract has for it. */
function asChannelError(failure) {
  const { tag, val } = failure.payload;
  switch (tag) {
    case "rate-limited":
    case "circuit-open":
      return rateLimited(val);
    case "credential":
      return unauthorized(val);
    case "bad-request":
      return new ChannelError({ tag: "broken", val: `the request may not be made: ${val}` }, failure);
    case "too-large":
      return unavailable(`an answer over ${val} bytes`);
    default:
      return unavailable(val === undefined ? tag : `${tag}: ${val}`);
  }
}

const write = (level) => (message, fields = {}) =>
  host.log.write(level, String(message), Object.entries(fields).map(([name, value]) => [name, String(value)]));

/** Lines for the one who runs the host. No personal data. */
export const log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };

/** A small memory per source, kept as JSON; what a call writes is kept when it ends, with an error too; a trap discards it. */
export const state = {
  get(key) {
    const bytes = host.state.get(key);
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  },
  set: (key, value) => host.state.set(key, new TextEncoder().encode(JSON.stringify(value))),
  delete: (key) => host.state.delete(key),
  keys: (prefix = "") => host.state.listKeys(prefix),
};

const bytesOf = (text) => (typeof text === "string" ? new TextEncoder().encode(text) : text);

/** Signing with keys that a plugin never sees: it builds the text, the host fills in placeholders and signs. */
export const signing = {
  /** `secrets`: those that the text names, as `slot.field`. */
  sign: (slot, field, algorithm, text, secrets = []) =>
    signingSays(() => host.signing.sign(slot, field, algorithm, bytesOf(text), secrets)),
  verify: (slot, field, algorithm, text, signature, secrets = []) =>
    signingSays(() => host.signing.verify(slot, field, algorithm, bytesOf(text), secrets, signature)),
};

function signingSays(call) {
  try {
    return call();
  } catch (failure) {
    if (typeof failure?.payload !== "string") throw failure;
    throw unauthorized(failure.payload);
  }
}

function* everyPage(pageAfter) {
  let cursor;
  do {
    const { items, next } = pageAfter(cursor);
    yield* items;
    cursor = next;
  } while (cursor !== undefined);
}

/** What the host holds for this source, in the channel's own ids. For pushes, feeds and testing a connection. */
export const coreData = {
  properties: () => everyPage((cursor) => host.coreData.properties(cursor)),
  roomTypes: (propertyId) => host.coreData.roomTypes(propertyId),
  ratePlans: (propertyId) => host.coreData.ratePlans(propertyId),
  calendar: (roomTypeId, span) => host.coreData.calendar(roomTypeId, nights(span)),
  reservations: (changedSince) => everyPage((cursor) => host.coreData.reservations(changedSince, cursor)),
  /** The reservations that hold nights of a room type within these. */
  stays: (roomTypeId, span) => host.coreData.stays(roomTypeId, nights(span)),
  /** What else keeps nights of a room type within these out of sale. */
  blocks: (roomTypeId, span) => host.coreData.blocks(roomTypeId, nights(span)),
  findReservation: (id) => host.coreData.findReservation(id),
  changedAt: (propertyId) => host.coreData.changedAt(propertyId),
  /** `{ quote }`, or `{ refusals }` with the reasons. */
  quoteStay(query) {
    try {
      return { quote: host.coreData.quoteStay(stayQuery(query)) };
    } catch (failure) {
      if (!Array.isArray(failure?.payload)) throw failure;
      return { refusals: failure.payload };
    }
  },
  /** Of a property, a room type or a rate plan: `content({ entity: "room-type", id })`. */
  content(of) {
    const text = host.coreData.content(entityRef(of));
    return text === undefined ? undefined : JSON.parse(text);
  },
};
