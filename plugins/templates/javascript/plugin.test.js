import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { call, FakeHost } from "./gassync/fake-host.js";
import { exportsOf } from "./gassync/index.js";
import * as plugin from "./plugin.js";

const manifest = readFileSync(new URL("manifest.json", import.meta.url), "utf8");
const { metadata, inbound, pull } = exportsOf(plugin, manifest);

const booking = {
  number: "B-17", room: "sea-view", from: "2027-06-01", to: "2027-06-04", state: "booked", name: "Ada Example",
  price: "410.00", currency: "EUR", changed: "2027-01-05T09:00:00Z",
};
const since = { entity: "reservation", selection: { tag: "changed-since", val: "2027-01-01T00:00:00Z" } };

test("the manifest is JSON with an id", () => {
  assert.ok(JSON.parse(metadata.describe()).id);
});

test("a booking becomes a reservation", async () => {
  const { changes, reply } = await inbound.decode(call(booking));
  const { val: reservation } = changes[0].data;
  assert.equal(reservation.id, "B-17");
  assert.deepEqual(reservation.status, { tag: "confirmed" });
  assert.deepEqual(reservation.total, { amount: "410.00", currency: "EUR" });
  assert.equal(reservation.rooms[0].roomTypeId, "sea-view");
  assert.deepEqual(reservation.stay.until, { year: 2027, month: 6, day: 4 });
  assert.equal(reply.status, 200);
});

test("what the payload does not say stays unsaid", async () => {
  const { changes } = await inbound.decode(call({ number: "B-18", state: "moved", room: "", price: null }));
  const { val: reservation } = changes[0].data;
  assert.deepEqual(reservation.status, { tag: "other", val: "moved" });
  assert.deepEqual(reservation.rooms, []);
  for (const field of ["stay", "total", "guest", "adults", "modifiedAt"]) assert.equal(reservation[field], undefined);
});

test("a call that cannot be read is malformed", async () => {
  for (const body of ["{", "[]", ""]) {
    await assert.rejects(inbound.decode(call(body)), ({ payload }) => payload.tag === "malformed");
  }
});

test("a booking that cannot be read is handed on with its number, and what it can do without is not needed", async () => {
  const { changes } = await inbound.decode(call({ ...booking, from: "tomorrow" }));
  const { tag, val: odd } = changes[0].data;
  assert.deepEqual([tag, odd.id, odd.problem], ["unreadable", "B-17", "from: no day (YYYY-MM-DD)"]);
  const { changes: kept } = await inbound.decode(call({ ...booking, price: "a lot", changed: "soon", name: {} }));
  assert.deepEqual(kept[0].data.val.total, { amount: "a lot", currency: "EUR" });
  assert.deepEqual(kept[0].notes, [{ path: "name", problem: "no text" }]);
});

test("one booking stops no other", async () => {
  new FakeHost({ settings: { baseUrl: "https://channel.example/api" } })
    .answer(200, [booking, { ...booking, number: null }, "odd", { ...booking, number: "B-19" }]);
  const { changes } = await pull.fetch(since);
  const told = changes.map(({ data }) => data.tag);
  assert.deepEqual(told, ["reservation", "unreadable", "unreadable", "reservation"]);
});

test("bookings are fetched with the key as a placeholder", async () => {
  const host = new FakeHost({ settings: { baseUrl: "https://channel.example/api" } }).answer(200, [booking]);
  const { changes } = await pull.fetch(since);
  assert.equal(changes.length, 1);
  assert.equal(host.requests[0].url, "https://channel.example/api/bookings?changedSince=2027-01-01T00:00:00Z");
  assert.equal(host.requests[0].headers.authorization, "Bearer {{example.key}}");
});

test("the channel's refusals have their names", async () => {
  const host = new FakeHost({ settings: { baseUrl: "https://channel.example/api" } });
  host.answer(401).answer(429, "", { "retry-after": "12" }).answer(500).fail("rate-limited", 30);
  for (const payload of [
    { tag: "unauthorized", val: "the key is refused" },
    { tag: "rate-limited", val: 12 },
    { tag: "unavailable", val: "status 500" },
    { tag: "rate-limited", val: 30 },
  ]) {
    await assert.rejects(pull.fetch(since), { payload });
  }
  await assert.rejects(pull.fetch({ ...since, entity: "property" }), { payload: { tag: "unsupported" } });
});
