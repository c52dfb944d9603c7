// The adapter: a made-up channel that sends one booking as JSON, and lists them on request.
//
// {"number": "B-17", "room": "sea-view", "from": "2027-06-01", "to": "2027-06-04", "state": "booked",
//  "name": "Ada Example", "price": "410.00", "currency": "EUR", "changed": "2027-01-05T09:00:00Z"}

import {
  change, changeKind, date, http, instant, malformed, money, nights, rateLimited, readEach, readJson, readOne, response,
  settings, status, text, unauthorized, unavailable, unsupported,
} from "./gassync/index.js";

/** Where a booking's id stands, even if nothing else of it can be read. */
const NUMBER = { ids: ["number"] };

export const inbound = {
  decode(request) {
    const booking = readJson(request.body);
    if (Array.isArray(booking)) throw malformed("one booking is expected");
    return { changes: readOne("reservation", booking, () => bookingChange(booking), NUMBER), reply: response(200, "ok") };
  },
};

export const pull = {
  fetch(query) {
    if (query.entity !== "reservation") throw unsupported();
    const { baseUrl } = settings();
    const since = query.selection.tag === "changed-since" ? `?changedSince=${query.selection.val}` : "";
    // The plugin never has the key: the host fills the placeholder in on the way out.
    const answer = http.get(`${baseUrl}/bookings${since}`, { authorization: "Bearer {{example.key}}" }, ["example.key"]);
    if (answer.status === 401 || answer.status === 403) throw unauthorized("the key is refused");
    if (answer.status === 429) throw rateLimited(answer.retryAfter());
    if (answer.status !== 200) throw unavailable(`status ${answer.status}`);
    const bookings = answer.json();
    if (!Array.isArray(bookings)) throw malformed("a list of bookings is expected");
    // One by one: one that cannot be read is set aside by the host, and the others are taken.
    return { changes: readEach("reservation", bookings, bookingChange, NUMBER) };
  },
};

function bookingChange(booking) {
  const id = text(booking?.number, "number");
  const state = text(booking?.state, "state");
  if (!id || !state) throw malformed("a booking has a number and a state");
  const room = text(booking.room, "room");
  const name = text(booking.name, "name");
  const stay = nights(date(booking.from, "from"), date(booking.to, "to"));
  // What is not in the payload is left out, or undefined: never zero, never an empty text.
  return change(
    changeKind.reservation({
      id,
      status: statusOf(state),
      rooms: room ? [{ roomTypeId: room, stay }] : [],
      stay,
      source: "__NAME__",
      // One text for the whole name stays one text.
      guest: name ? { name } : undefined,
      total: money(booking.price, text(booking.currency, "currency"), "price"),
      modifiedAt: instant(booking.changed, "changed"),
    }),
  );
}

function statusOf(state) {
  switch (state) {
    case "booked":
      return status.confirmed();
    case "cancelled":
      return status.cancelled();
    default:
      // A word nobody knows is passed on: the host holds the record back until a person decides.
      return status.other(state);
  }
}
