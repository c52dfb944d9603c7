import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { call, FakeHost } from "./fake-host.js";
import {
  acknowledgementOutcome, block, calendarNights, change, changeKind, clock, coreData, exportsOf, headerOf, http, log, outcome,
  paymentCollectedBy, queryOf, question, rejected, reservation, response, resume, settings, signing, state, status,
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
    [{ paymentCollectedBy: "bank" }, "paymentCollectedBy: a tag that is one of channel, property, other is wanted, not string"],
    [{ priceLines: [{ kind: "fee", name: "Linen" }] }, "priceLines[0].amount: an object is wanted, not undefined"],
    [{ guest: { address: { town: "Faro" } } }, "guest.address.town: the contract has no such field"],
  ]) {
    assert.throws(() => reservation({ ...fields, ...wrong }), { message });
  }
  assert.throws(() => calendarNights({ roomTypeId: "1" }), { message: "stay: an object is wanted, not undefined" });
});

test("a reservation says what it is made of, and who pays whom", () => {
  const made = reservation({
    id: "1", status: status.confirmed(), pets: 1, paymentCollectedBy: paymentCollectedBy.property(), payout: { amount: "390.00" },
    rooms: [{ id: 5, stay }], guest: { name: "Ada Example", address: { city: "Faro" }, extra: { vip: true } },
    priceLines: [{ kind: "discount", name: "Early bird", amount: { amount: "-20.00", currency: "EUR" } }],
  });
  assert.deepEqual([made.pets, made.rooms[0].id], [1, "5"]);
  assert.deepEqual([made.paymentCollectedBy, made.payout], [{ tag: "property" }, { amount: "390.00", currency: undefined }]);
  assert.deepEqual(made.guest.extra, [["vip", "true"]]);
  assert.equal(made.guest.address.city, "Faro");
  assert.equal(made.priceLines[0].amount.amount, "-20.00");
  const bare = reservation({ id: "1", status: status.confirmed() });
  assert.deepEqual([bare.priceLines, bare.paymentCollectedBy, bare.payout], [[], undefined, undefined]);
});

test("changes are built by what they are about", () => {
  assert.deepEqual(change(changeKind.refetch("reservation", "7"), { propertyId: "P1" }), {
    route: { propertyId: "P1", account: undefined }, notes: [],
    data: { tag: "refetch", val: { entity: "reservation", id: "7" } },
  });
  assert.deepEqual(changeKind.refetch("block").val, { entity: "block", id: undefined });
  assert.deepEqual(changeKind.block({ stay, extra: { by: "owner" } }).val, block({ stay, extra: [["by", '"owner"']] }));
  assert.deepEqual(block({ stay, roomTypeIds: [1, 2] }).roomTypeIds, ["1", "2"]);
  assert.throws(() => block({ stay, roomTypeId: "1" }), { message: "roomTypeId: the contract has no such field" });
  const asked = question.available({ stay, replaces: "R1" }).val;
  assert.deepEqual([asked.propertyId, asked.occupancy, asked.extra], [undefined, undefined, []]);
  const [night] = change(changeKind.calendar([{ roomTypeId: "1", stay, changed: ["price"] }])).data.val;
  assert.deepEqual(night.changed, { availability: false, price: true, rules: false });
});

test("where a run left off is a time or a word, and says which", async () => {
  const fetched = (page) => exportsOf({ pull: { fetch: () => page } }, "{}").pull.fetch({});
  assert.deepEqual((await fetched({ resume: resume.token("p-9") })).resume, { tag: "token", val: "p-9" });
  assert.deepEqual((await fetched({ resume: resume.instant("2027-03-01T09:30:00Z") })).resume.tag, "instant");
  assert.equal((await fetched({})).resume, undefined);
  const unclear = /^Misfit: resume: a tag that is one of instant, token is wanted, not string/;
  await assert.rejects(fetched({ resume: "2027-03-01T09:30:00Z" }), ({ payload }) => unclear.test(payload.val));
});

test("acknowledgements and subscriptions are answered in full", async () => {
  const { accepted, retry, outdated } = acknowledgementOutcome;
  const outcomes = [accepted(), retry(), outdated("newer"), { tag: "accepted" }];
  const plugin = {
    acknowledgements: { acknowledge: () => outcomes },
    connection: { subscribe: () => ({ ids: [7] }), unsubscribe: (ids) => ids },
  };
  const { acknowledgements, connection } = exportsOf(plugin, "{}");
  assert.deepEqual((await acknowledgements.acknowledge([{}, {}, {}, {}])).map(({ tag }) => tag), [
    "accepted", "retry", "outdated", "accepted",
  ]);
  assert.deepEqual(await connection.subscribe("{{webhook.url}}"), { ids: ["7"], steps: [] });
  assert.deepEqual(await connection.unsubscribe(["7"]), ["7"]);
});

test("what an adapter need not write is unsupported", async () => {
  const plugin = { reply: { respond: () => response(200) }, connection: { check: () => ({}) } };
  const { reply, connection } = exportsOf(plugin, "{}");
  const isUnsupported = { payload: { tag: "unsupported" } };
  await assert.rejects(reply.onError(call({}), { tag: "malformed", val: "from" }), isUnsupported);
  await assert.rejects(connection.subscribe("{{webhook.url}}"), isUnsupported);
  await assert.rejects(connection.unsubscribe(["7"]), isUnsupported);
});

test("what went wrong is handed in as a tag and a value", async () => {
  const onError = (request, why) => response(why.tag === "malformed" ? 400 : 503, why.val ?? "");
  const { reply } = exportsOf({ reply: { respond: () => response(200), onError } }, "{}");
  const worded = await reply.onError(call({}), { tag: "malformed", val: "from" });
  assert.deepEqual([worded.status, new TextDecoder().decode(worded.body)], [400, "from"]);
  assert.equal((await reply.onError(call({}), { tag: "rate-limited", val: undefined })).status, 503);
});

test("an exception is an error of the contract, and not a trap", async () => {
  const plugin = {
    inbound: { decode: (request) => request.nothing.there },
    pull: { fetch: async () => ({ changes: [change(changeKind.removed("reservation", "1")), { data: { tag: "gossip" } }] }) },
    acknowledgements: { acknowledge: () => [] },
    pushCalendar: { push: () => [outcome.accepted({ channelId: "9" }), outcome.unknown()] },
    pushReservations: { push: () => { throw rejected([{ path: "/from", problem: "in the past" }]); } },
    reply: { respond: () => { throw new Error("no words"); } },
    connection: { subscribe: () => ({}) },
  };
  const channel = exportsOf(plugin, "{}");
  const broken = (pattern) => ({ payload }) => payload.tag === "broken" && pattern.test(payload.val);
  await assert.rejects(channel.inbound.decode(call({})), broken(/^TypeError: .*\n/));
  await assert.rejects(channel.pull.fetch({}), broken(/^Misfit: changes\[1\]\.data: /));
  await assert.rejects(channel.acknowledgements.acknowledge([{}]), broken(/0 answers to 1 items/));
  await assert.rejects(channel.connection.check(), broken(/has no connection.check/));
  const inThePast = { path: "/from", problem: "in the past" };
  await assert.rejects(channel.pushReservations.push([{}]), { payload: { tag: "rejected", val: [inThePast] } });
  const [first] = await channel.pushCalendar.push([{}, {}]);
  assert.deepEqual(first.val, { channelId: "9", replaces: undefined, confirmed: false, warnings: [] });
  await assert.rejects(channel.reply.respond(call({}), [], []), broken(/no words/));
  assert.equal(channel.feeds, undefined);
});

test("a partner's frames are told apart from ours wherever the plugin stands", async () => {
  const parent = await mkdtemp(join(tmpdir(), "plugin-"));
  try {
    // The partner's own folders are called as ours is.
    const plugin = join(parent, "gassync", "gassync (2)");
    await mkdir(join(plugin, "lib", "gassync"), { recursive: true });
    await cp(dirname(fileURLToPath(import.meta.url)), join(plugin, "gassync"), { recursive: true });
    await writeFile(join(parent, "gassync", "package.json"), '{ "type": "module" }');
    const lines = 'import { exportsOf } from "./gassync/index.js";\nimport { read } from "./lib/gassync/read.js";\n' +
      'export const { inbound } = exportsOf({ inbound: { decode: (request) => read(request) } }, "{}");\n';
    await writeFile(join(plugin, "plugin.js"), lines);
    await writeFile(join(plugin, "lib", "gassync", "read.js"), "export const read = (of) => of.nothing.there;\n");
    const { inbound } = await import(pathToFileURL(join(plugin, "plugin.js")));
    const { payload } = await inbound.decode({}).catch((thrown) => thrown);
    const files = payload.val.split("\n").slice(1).map((line) => line.replace(/^.*\/([^/]*):\d+:\d+\)?$/, "$1"));
    // What this test adds itself comes last.
    assert.deepEqual(files.slice(0, 2), ["read.js", "plugin.js"], payload.val);
    assert.ok(!/exports\.js|node:/.test(payload.val), payload.val);
  } finally {
    await rm(parent, { recursive: true });
  }
});

test("the host is reached through it, and its refusals have names", () => {
  const held = {
    roomTypes: (id) => [{ id }],
    stays: (roomTypeId, span) => [{ ourReference: `${roomTypeId} until ${span.until.day}` }],
    blocks: (roomTypeId, span) => [{ roomTypeIds: [roomTypeId], stay: span }],
    content: ({ entity, id }) => (id === "P1" ? JSON.stringify({ name: entity }) : undefined),
    quoteStay: () => {
      throw Object.assign(new Error("refused"), { payload: [{ reason: "unknown-rate-plan" }] });
    },
  };
  const host = new FakeHost({ settings: { a: 1 }, coreData: held });
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
  assert.equal(new TextDecoder().decode(signing.sign("slot", "secret", "hmac-sha256", "text")), "signature");
  assert.deepEqual(coreData.roomTypes("P1"), [{ id: "P1" }]);
  assert.deepEqual(coreData.stays("1", stay), [{ ourReference: "1 until 4" }]);
  assert.deepEqual(coreData.blocks("1", stay), [{ roomTypeIds: ["1"], stay }]);
  assert.deepEqual(coreData.content({ entity: "property", id: "P1" }), { name: "property" });
  assert.equal(coreData.content({ entity: "room-type", id: "1" }), undefined);
  assert.throws(() => coreData.content("P1"), { message: "an object is wanted, not string" });
  assert.deepEqual(coreData.quoteStay({ stay, replaces: "R1" }), { refusals: [{ reason: "unknown-rate-plan" }] });
  log.warn("odd", { status: 418 });
  assert.deepEqual(host.log, [{ level: "warn", message: "odd", fields: { status: "418" } }]);
});

test("a wait is seconds or its end, by a clock that can be held still", () => {
  const host = new FakeHost({ now: "2027-03-05T09:58:00Z" });
  assert.deepEqual([clock.now(), clock.today()], ["2027-03-05T09:58:00Z", { year: 2027, month: 3, day: 5 }]);
  const wait = (said) => {
    host.answer(429, "", said === undefined ? {} : { "Retry-After": said });
    return http.get("https://a.example").retryAfter();
  };
  assert.deepEqual([wait("120"), wait(" 0 "), wait("4294967295")], [120, 0, 4294967295]);
  assert.equal(wait("Fri, 05 Mar 2027 10:00:00 GMT"), 120);
  assert.equal(wait("Fri, 05 Mar 2027 09:00:00 GMT"), 0);
  const noEnds = ["05 Mar 2027 10:00:00 CET", "31 Feb 2027 10:00:00 GMT", "05 Mai 2027 10:00:00 GMT"];
  for (const none of [undefined, "", "soon", "-1", "1.5", "4294967296", ...noEnds.map((end) => `Fri, ${end}`)]) {
    assert.equal(wait(none), undefined, none);
  }
  host.now = "2027-03-05T09:59:59Z";
  assert.equal(wait("Fri, 05 Mar 2027 10:00:00 GMT"), 1);
  new FakeHost();
  assert.ok(clock.now() > "2026" && clock.now() !== host.now, "then it is the machine's");
});

test("a call's query and headers are at hand", () => {
  const request = call(undefined, { method: "GET", url: "/feed?from=2027-01-01", headers: { Accept: "text/plain" } });
  assert.equal(queryOf(request).get("from"), "2027-01-01");
  assert.equal(headerOf(request, "accept"), "text/plain");
  assert.equal(response(200, { ok: true }).headers[0].value, "application/json");
});
