// What a plugin may hand to the host, as checks. Each takes what was written, fills in what was left out, and throws
// with the path to what does not fit. The engine itself would turn a text into the count 0, and a missing list into a
// trap: here both get a name. `wit/deps/gassync-channel/types.wit` says what the fields mean.

/** Something the contract has no place for: a fault of the plugin, never of the channel. */
export class Misfit extends TypeError {
  constructor(problem, path = "") {
    super(path ? `${path}: ${problem}` : problem);
    Object.assign(this, { name: "Misfit", problem, path });
  }
}

/** Names the kind and not the value: it may be a guest's name, and this text is kept. */
function unfit(wanted, value) {
  const kind = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
  return new Misfit(`${wanted} is wanted, not ${kind}`);
}

/** The path is put together on the way out of an error: a page has many thousand fields, and most of them fit. */
function within(step, error) {
  if (!(error instanceof Misfit)) return error;
  const dot = error.path === "" || error.path.startsWith("[") ? "" : ".";
  return new Misfit(error.problem, `${step}${dot}${error.path}`);
}

// What values are made of.

/** Unknown is not zero: what a payload leaves out, or sends as null or as an empty text, is absent. */
const maybe = (shape) => (value) => (value === undefined || value === null || value === "" ? undefined : shape(value));

const orElse = (fallback, shape) => (value) => shape(value ?? fallback);

/** Ids are text, always. A fraction is refused: JavaScript does not keep its digits (`readJson` does). */
function text(value) {
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return String(value);
  throw unfit("a text", value);
}

function whole(least, most) {
  return (value) => {
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw unfit(`a whole number from ${least} to ${most}`, value);
  };
}

function number(value) {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw unfit("a number", value);
}

function yesOrNo(value) {
  if (typeof value === "boolean") return value;
  throw unfit("true or false", value);
}

const utf8 = new TextEncoder();

function bytes(value) {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return utf8.encode(value);
  throw unfit("a text or a Uint8Array", value);
}

/** A text is taken as JSON already; anything else is written as JSON. */
function json(value) {
  if (typeof value !== "string") {
    const written = JSON.stringify(value);
    if (written === undefined) throw unfit("a value of JSON", value);
    return written;
  }
  try {
    JSON.parse(value);
  } catch {
    throw new Misfit("JSON is wanted: a text that is none has to go through JSON.stringify");
  }
  return value;
}

function oneOf(...words) {
  return (value) => {
    if (words.includes(value)) return value;
    throw unfit(`one of ${words.join(", ")}`, value);
  };
}

function list(shape) {
  return (value) => {
    if (value === undefined || value === null) return Object.freeze([]);
    if (!Array.isArray(value)) throw unfit("a list", value);
    return Object.freeze(value.map((item, index) => fitting(shape, item, `[${index}]`)));
  };
}

function pair(first, second) {
  return (value) => {
    if (!Array.isArray(value) || value.length !== 2) throw unfit("a list of two", value);
    return Object.freeze([first(value[0]), second(value[1])]);
  };
}

/** Names that are set: a list of them, or an object with a truth for each. */
function flags(...names) {
  const word = oneOf(...names);
  return (value) => {
    const set = Array.isArray(value) ? value : Object.keys(value ?? {}).filter((name) => value[name]);
    set.forEach((name) => word(name));
    return Object.freeze(Object.fromEntries(names.map((name) => [name, set.includes(name)])));
  };
}

/** What comes out is frozen, so that it needs no second look when it is put into something larger. */
function record(fields) {
  const shapes = new Map(Object.entries(fields));
  const made = new WeakSet();
  const { blank, required } = blankOf(shapes);
  return (value) => {
    if (made.has(value)) return value;
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw unfit("an object", value);
    // Looking at what was written, and not at all there could be, is what makes a page of a thousand records cheap.
    const filled = { ...blank };
    for (const name in value) {
      const shape = shapes.get(name);
      if (!shape) throw new Misfit("the contract has no such field", name);
      filled[name] = fitting(shape, value[name], name);
    }
    for (const name of required) {
      if (filled[name] === undefined) fitting(shapes.get(name), undefined, name);
    }
    made.add(Object.freeze(filled));
    return filled;
  };
}

/** A record of which nothing is known yet, and the fields that may not be left out. */
function blankOf(shapes) {
  const blank = {};
  const required = [];
  for (const [name, shape] of shapes) {
    try {
      blank[name] = shape(undefined);
    } catch {
      blank[name] = undefined;
      required.push(name);
    }
  }
  return { blank, required };
}

function fitting(shape, value, step) {
  try {
    return shape(value);
  } catch (error) {
    throw within(step, error);
  }
}

/** A shape, with a constructor for each case: `status.pending(until)`, `status.noShow()`. */
function variant(cases) {
  const made = new WeakSet();
  const shape = (value) => {
    if (made.has(value)) return value;
    const isTagged = value !== null && typeof value === "object";
    const tag = isTagged ? value.tag : undefined;
    if (!Object.hasOwn(cases, tag)) {
      throw unfit(`a tag that is one of ${Object.keys(cases).join(", ")}`, isTagged ? tag : value);
    }
    const filled = Object.freeze(cases[tag] ? { tag, val: fitting(cases[tag], value.val, tag) } : { tag });
    made.add(filled);
    return filled;
  };
  for (const tag of Object.keys(cases)) {
    const camelCase = tag.replace(/-./g, (dash) => dash[1].toUpperCase());
    shape[camelCase] = (val) => shape({ tag, val });
  }
  return shape;
}

// The contract's records, in its own order.

const count = whole(0, 2 ** 32 - 1);
const texts = list(text);

const other = pair(text, json);
const pairs = list(other);

/** An object with any values, or the contract's own form: pairs of a name and a JSON text. */
const extra = (value) => {
  if (Array.isArray(value)) return pairs(value);
  const known = Object.entries(value ?? {}).filter(([, item]) => item !== undefined);
  return pairs(known.map(([key, item]) => [key, JSON.stringify(item)]));
};

export const date = record({ year: whole(-32768, 32767), month: whole(1, 12), day: whole(1, 31) });
export const nights = record({ start: date, until: date });
export const money = record({ amount: text, currency: maybe(text) });
export const entity = oneOf("property", "room-type", "rate-plan", "reservation", "guest", "calendar", "block");

export const address = record({
  street: maybe(text), city: maybe(text), state: maybe(text), postcode: maybe(text), country: maybe(text),
});
export const property = record({
  id: text, name: text, description: maybe(text), address: maybe(address), latitude: maybe(number),
  longitude: maybe(number), currency: maybe(text), timeZone: maybe(text), thumbnail: maybe(text), roomTypes: texts,
  extra, raw: maybe(json),
});
export const roomType = record({
  id: text, propertyId: text, name: text, description: maybe(text), maxOccupancy: maybe(count), quantity: maybe(count),
  amenities: texts, extra, raw: maybe(json),
});
export const ratePlan = record({
  id: text, propertyId: text, roomTypeIds: texts, name: text, meals: maybe(text), refundable: maybe(yesOrNo),
  currency: maybe(text), extra, raw: maybe(json),
});
export const guestDetails = record({
  id: maybe(text), name: maybe(text), firstName: maybe(text), lastName: maybe(text), email: maybe(text),
  phone: maybe(text), country: maybe(text), language: maybe(text), address: maybe(address), extra,
});

/** Who collects the guest's payment; `paymentCollectedBy.other(word)` in the channel's own word. */
export const paymentCollectedBy = variant({ channel: null, property: null, other: text });

/** `status.other(word)`: a word nobody knows is passed on, and held back until a person decides. */
export const status = variant({
  confirmed: null, pending: maybe(text), inquiry: null, cancelled: null, declined: null, "no-show": null, other: text,
});

const heads = { guests: maybe(count), adults: maybe(count), children: maybe(count), infants: maybe(count) };

/** One line of a price: `kind` says what it is for. A discount is below zero. */
export const priceLine = record({
  kind: oneOf("stay", "cleaning", "fee", "tax", "deposit", "discount", "other"), name: text, amount: money,
});

export const roomStay = record({
  id: maybe(text), roomTypeId: maybe(text), unitId: maybe(text), ratePlanId: maybe(text), stay: maybe(nights), ...heads,
  total: maybe(money), guest: maybe(guestDetails), extra,
});
export const reservation = record({
  id: text, otaReference: maybe(text), groupId: maybe(text), propertyId: maybe(text),
  rooms: list(roomStay), stay: maybe(nights), status, source: maybe(text), guest: maybe(guestDetails), ...heads,
  pets: maybe(count), total: maybe(money), priceLines: list(priceLine), commission: maybe(money), payout: maybe(money),
  paymentCollectedBy: maybe(paymentCollectedBy), bookedAt: maybe(text), modifiedAt: maybe(text),
  revision: maybe(text), notes: maybe(text),
  intent: orElse("fact", oneOf("fact", "request")), completeness: orElse("full", oneOf("full", "partial")),
  acknowledgementToken: maybe(text), extra, raw: maybe(json),
});
export const block = record({
  id: maybe(text), propertyId: maybe(text), roomTypeIds: texts, unitId: maybe(text), units: maybe(count),
  stay: nights, reason: maybe(text), modifiedAt: maybe(text), revision: maybe(text), extra, raw: maybe(json),
});

export const price = record({
  ratePlanId: maybe(text), occupancy: maybe(count), amount: money, taxIncluded: maybe(yesOrNo),
});
export const stayRules = record({
  minStayArrival: maybe(count), minStayThrough: maybe(count), maxStay: maybe(count), exactStay: maybe(count),
  closedToArrival: maybe(yesOrNo), closedToDeparture: maybe(yesOrNo), minAdvanceDays: maybe(count),
  maxAdvanceDays: maybe(count),
});
export const calendarNights = record({
  propertyId: maybe(text), roomTypeId: text, ratePlanId: maybe(text), stay: nights, available: maybe(yesOrNo),
  unitsAvailable: maybe(whole(-(2 ** 31), 2 ** 31 - 1)), prices: list(price), rules: orElse({}, stayRules),
  changed: flags("availability", "price", "rules"), extra,
});

export const occupancy = record({
  adults: count, children: orElse(0, count), infants: orElse(0, count), pets: orElse(0, count),
});
export const stayQuery = record({
  propertyId: maybe(text), roomTypeId: maybe(text), ratePlanId: maybe(text), stay: nights, occupancy: maybe(occupancy),
  replaces: maybe(text), extra,
});
export const holdRequest = record({ reference: text, query: stayQuery, minutes: count });
export const question = variant({
  available: stayQuery, quote: stayQuery, hold: holdRequest, release: text, "bookings-since": text, other,
});

export const route = record({ propertyId: maybe(text), account: maybe(text) });
export const entityRef = record({ entity, id: text });
export const hint = record({ entity, id: maybe(text) });
export const connectionEvent = variant({
  revoked: null, unlinked: texts, linked: texts, remapped: pair(text, text), other,
});
export const unreadable = record({ entity, id: maybe(text), problem: text, raw: maybe(text) });
export const changeKind = variant({
  property, "rate-plan": ratePlan, "room-type": roomType, reservation, guest: guestDetails, block,
  calendar: list(calendarNights), removed: entityRef, refetch: hint, ask: question,
  connection: connectionEvent, unreadable, other,
});
export const fieldError = record({ path: text, problem: text });
export const changeRecord = record({ route: orElse({}, route), data: changeKind, notes: list(fieldError) });

export const channelError = variant({
  unauthorized: text, "rate-limited": maybe(count), unavailable: text, rejected: list(fieldError), malformed: text,
  conflict: text, unsupported: null, broken: text,
});

const header = record({ name: text, value: text });
const headerList = list(header);

/** Headers: the contract's list, or an object with a value for each name. */
const headers = (value) =>
  headerList(Array.isArray(value) ? value : Object.entries(value ?? {}).map(([name, item]) => ({ name, value: item })));

export const httpRequest = record({
  method: orElse("GET", text), url: text, headers, body: (value) => (value == null ? undefined : bytes(value)),
});
export const httpResponse = record({ status: whole(0, 65535), headers, body: orElse("", bytes) });
export const capture = record({ slot: text, field: text, place: text, lifetimeSeconds: maybe(count) });

export const decoded = record({ eventId: maybe(text), changes: list(changeRecord), reply: maybe(httpResponse) });
/** Where the next run starts: `resume.instant(…)` for a time, `resume.token(…)` for a word of the channel's own. */
export const resume = variant({ instant: text, token: text });
export const scope = variant({ delta: null, whole: nights, "whole-entity": null });
export const page = record({
  changes: list(changeRecord), next: maybe(text), resume: maybe(resume), scope: orElse({ tag: "delta" }, scope),
  waitSeconds: maybe(count),
});

export const acknowledgementOutcome = variant({ accepted: null, retry: maybe(count), outdated: text, refused: text });

/** Not confirmed unless said so: then it counts only after it was read back. */
const accepted = record({
  channelId: maybe(text), replaces: maybe(text), confirmed: orElse(false, yesOrNo), warnings: texts,
});
export const outcome = variant({
  accepted: orElse({}, accepted), refused: list(fieldError), retry: maybe(count), unknown: null, other,
});

export const chunk = record({
  status: orElse(200, whole(0, 65535)), headers, body: orElse("", bytes), next: maybe(text),
});
export const report = record({ account: maybe(text), scopes: texts, missing: texts, extra });
export const subscribed = record({ ids: texts, steps: texts });

/** The interfaces a plugin may export, by their names in JavaScript, and what each of their functions answers. */
export const interfaces = {
  inbound: { decode: decoded },
  reply: { respond: httpResponse, onError: httpResponse },
  pull: { fetch: page },
  acknowledgements: { acknowledge: list(acknowledgementOutcome) },
  pushCalendar: { push: list(outcome) },
  pushReservations: { push: list(outcome) },
  pushContent: { push: list(outcome) },
  feeds: { render: chunk },
  connection: { check: report, subscribe: subscribed, unsubscribe: texts },
};

/** What an adapter need not write though it has the interface: such a call is answered with `unsupported`. */
export const optional = new Set(["reply.onError", "connection.subscribe", "connection.unsubscribe"]);
