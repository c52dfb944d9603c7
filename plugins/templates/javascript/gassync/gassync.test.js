import assert from "node:assert/strict";
import { test } from "node:test";

import { call, FakeHost } from "./fake-host.js";
import {
  addDays, calendarNights, change, count, date, dateText, eachNight, exportsOf, headerOf, http, instant, inventory,
  keys, log, minorMoney, money, news, nights, outcome, queryOf, readJson, rejected, reply, reservation, settings, state,
  status,
} from "./index.js";

const stay = { start: { year: 2027, month: 6, day: 1 }, until: { year: 2027, month: 6, day: 4 } };

test("what is left out is absent, and what does not fit is named by its path", () => {
  const made = reservation({ id: 17, status: status.pending(), rooms: [{ stay }], notes: "", extra: { door: "1234" } });
  assert.equal(made.id, "17");
  assert.equal(made.notes, undefined);
  assert.equal(made.intent, "fact");
  assert.deepEqual(made.rooms[0].extra, []);
  assert.deepEqual(made.extra, [["door", '"1234"']]);
  assert.deepEqual(reservation({ ...made, adults: 2 }), { ...made, adults: 2 });

  const fields = { id: "1", status: status.confirmed() };
  for (const [wrong, message] of [
    [{ rooms: [{ adults: "2" }] }, "rooms[0].adults: a whole number from 0 to 4294967295 is wanted, not string"],
    [{ total: { amount: 540.5 } }, "total.amount: a text is wanted, not number"],
    [{ arival: "2027-06-01" }, "arival: the contract has no such field"],
    [{ id: undefined }, "id: a text is wanted, not undefined"],
    [{ intent: "wish" }, "intent: one of fact, request is wanted, not string"],
  ]) {
    assert.throws(() => reservation({ ...fields, ...wrong }), { message });
  }
  assert.throws(() => calendarNights({ roomTypeId: "1" }), { message: "stay: an object is wanted, not undefined" });
});

test("news are built by what they are about", () => {
  assert.deepEqual(change(news.lookAgain("reservation", "7"), { propertyId: "P1" }), {
    route: { propertyId: "P1", account: undefined },
    news: { tag: "look-again", val: { entity: "reservation", id: "7" } },
  });
  const [night] = change(news.calendar([{ roomTypeId: "1", stay, changed: ["price"] }])).news.val;
  assert.deepEqual(night.changed, { availability: false, price: true, rules: false });
});

test("an exception is an error of the contract, and not a trap", async () => {
  const plugin = {
    inbound: { decode: (request) => request.nothing.there },
    pull: { fetch: async () => ({ changes: [change(news.removed("reservation", "1")), { news: { tag: "gossip" } }] }) },
    receipts: { acknowledge: () => [] },
    pushCalendar: { push: () => [outcome.accepted({ channelId: "9" }), outcome.unknown()] },
    pushReservations: { push: () => { throw rejected([{ path: "/from", problem: "in the past" }]); } },
    answer: { respond: () => { throw new Error("no words"); } },
    connection: { check: () => ({ scopes: ["read"] }) },
  };
  const channel = exportsOf(plugin, "{}");
  const broken = (pattern) => ({ payload }) => payload.tag === "broken" && pattern.test(payload.val);
  await assert.rejects(channel.inbound.decode(call({})), broken(/^TypeError: .*\n/));
  await assert.rejects(channel.pull.fetch({}), broken(/^Misfit: changes\[1\]\.news: /));
  await assert.rejects(channel.receipts.acknowledge([{}]), broken(/0 answers to 1 items/));
  await assert.rejects(channel.connection.subscribe("{{webhook.url}}"), broken(/has no connection.subscribe/));
  const inThePast = { path: "/from", problem: "in the past" };
  await assert.rejects(channel.pushReservations.push([{}]), { payload: { tag: "rejected", val: [inThePast] } });
  const [first] = await channel.pushCalendar.push([{}, {}]);
  assert.deepEqual(first.val, { channelId: "9", replaces: undefined, confirmed: false, warnings: [] });
  await assert.rejects(channel.answer.respond(call({}), [], []), broken(/no words/));
  assert.deepEqual((await channel.connection.check()).missing, []);
  assert.equal(channel.feeds, undefined);
});

test("JSON keeps the digits that a channel wrote", () => {
  assert.deepEqual(readJson('{"price": 540.50, "id": 123456789012345678, "n": 2, "text": "at 1.50, \\"2.50\\""}'), {
    price: "540.50", id: "123456789012345678", n: 2, text: 'at 1.50, "2.50"',
  });
  assert.deepEqual(readJson("[1.0,-2.5e3,-7,true,null]"), ["1.0", "-2.5e3", -7, true, null]);
  assert.throws(() => readJson("[01.5]"), /not JSON/);
});

test("days, instants, money and counts are read strictly", () => {
  const noDays = ["2028-02-30", "2027-02-29", "0027-02-30", "2027-13-01", "2027-1-01", "tomorrow", "2027-01-01x"];
  for (const wrong of [...noDays, 7, ["2027-01-01"]]) {
    assert.throws(() => date(wrong, "from"), { payload: { tag: "malformed", val: "from: no day" } });
  }
  assert.equal(dateText(addDays(date("2028-02-28"), 1)), "2028-02-29");
  assert.equal(dateText(addDays(date("2027-12-31T10:00:00Z"), 1)), "2028-01-01");
  assert.equal(nights(date("2027-06-01"), date(null)), undefined);
  assert.deepEqual([...eachNight(stay)].map(dateText), ["2027-06-01", "2027-06-02", "2027-06-03"]);
  assert.equal(instant("2027-03-01 09:30:00"), "2027-03-01T09:30:00Z");
  assert.equal(instant("2027-03-01T09:30:00.250+02:00"), "2027-03-01T07:30:00.250Z");
  for (const wrong of ["2027-02-30T09:30:00Z", "2027-03-01", "now", 1]) {
    assert.throws(() => instant(wrong), /malformed/);
  }
  assert.deepEqual(money("540.50", "EUR"), { amount: "540.50", currency: "EUR" });
  assert.deepEqual(money(540, ""), { amount: "540", currency: undefined });
  assert.equal(money(null), undefined);
  assert.throws(() => money("1,5"), /malformed/);
  assert.equal(minorMoney(-5, "EUR").amount, "-0.05");
  assert.equal(minorMoney("54050", "JPY", 0).amount, "54050");
  assert.equal(count("2"), 2);
  assert.equal(count(0), 0);
  assert.throws(() => count("two", "adults"), { payload: { tag: "malformed", val: "adults: no whole number" } });
});

test("the host is reached through it, and its refusals have names", () => {
  const quote = () => {
    throw Object.assign(new Error("refused"), { payload: [{ why: "closed" }] });
  };
  const host = new FakeHost({ settings: { a: 1 }, inventory: { roomTypes: (id) => [{ id }], quote } });
  host.answer(200, { x: 1.5 }, { ETag: "v1" }).fail("credential", "no key").fail("too-large", 8n);
  const answer = http.post("https://a.example", { b: 2 }, { "X-Key": "{{slot.key}}" });
  assert.equal(answer.header("etag"), "v1");
  assert.deepEqual(answer.json(), { x: "1.5" });
  assert.deepEqual(host.requests[0], {
    method: "POST", url: "https://a.example", body: '{"b":2}',
    headers: { "content-type": "application/json", "x-key": "{{slot.key}}" },
  });
  assert.throws(() => http.get("https://a.example"), { payload: { tag: "unauthorized", val: "no key" } });
  const tooLarge = { tag: "unavailable", val: "an answer over 8 bytes" };
  assert.throws(() => http.get("https://a.example"), { payload: tooLarge });
  assert.equal(http.get("https://a.example").status, 503);
  http.post("https://a.example", new URLSearchParams({ a: "b c" }));
  assert.equal(host.requests.at(-1).body, "a=b+c");

  assert.deepEqual(settings(), { a: 1 });
  state.set("seen:1", { at: 5 });
  assert.deepEqual([state.get("seen:1"), state.get("seen:2"), state.keys("seen:")], [{ at: 5 }, undefined, ["seen:1"]]);
  state.delete("seen:1");
  assert.deepEqual(host.state, {});
  assert.equal(new TextDecoder().decode(keys.sign("slot", "secret", "hmac-sha256", "text")), "signature");
  assert.deepEqual(inventory.roomTypes("P1"), [{ id: "P1" }]);
  assert.deepEqual(inventory.quote({ propertyId: "P1", stay, party: { adults: 2 } }), { refused: [{ why: "closed" }] });
  log.warn("odd", { status: 418 });
  assert.deepEqual(host.log, [{ level: "warn", message: "odd", fields: { status: "418" } }]);
});

test("a call's query and headers are at hand", () => {
  const request = call(undefined, { method: "GET", url: "/feed?from=2027-01-01", headers: { Accept: "text/plain" } });
  assert.equal(queryOf(request).get("from"), "2027-01-01");
  assert.equal(headerOf(request, "accept"), "text/plain");
  assert.equal(reply(200, { ok: true }).headers[0].value, "application/json");
});
