import assert from "node:assert/strict";
import { test } from "node:test";

import {
  changeKind, addDays, change, count, date, dateOrNote, dateText, eachNight, instant, lastModified, malformed as isMalformed,
  minorMoney, money, nights, note, readDate, readEach, readJson, readOne, status, text, unavailable,
} from "./index.js";

const noted = () => change(changeKind.removed("guest", "1")).notes.map(({ path }) => path);
const malformed = (val) => ({ payload: { tag: "malformed", val } });

test("JSON keeps the digits that a channel wrote", () => {
  assert.deepEqual(readJson('{"price": 540.50, "id": 123456789012345678, "n": 2, "text": "at 1.50, \\"2.50\\""}'), {
    price: "540.50", id: "123456789012345678", n: 2, text: 'at 1.50, "2.50"',
  });
  assert.deepEqual(readJson("[1.0,-2.5e3,-7,true,null]"), ["1.0", "-2.5e3", -7, true, null]);
  assert.throws(() => readJson("[01.5]"), /not JSON/);
});

test("half a character fails nothing", () => {
  const said = String.raw`["caf\u00e9 \ud83d", "\u0000\ude00", "\ud83d\ude00", "\\ud83d"]`;
  assert.deepEqual(readJson(said), ["café \ufffd", "\ufffd\ufffd", "😀", "\\ud83d"]);
});

test("one record stops no other, and keeps its words, its id and its notes", () => {
  const read = (item, path) => {
    note(`${path}/odd`, "is odd");
    if (!item.name) throw isMalformed(`${path}/name: is missing`);
    return change(changeKind.reservation({ id: item.id.toString(), status: status.confirmed() }));
  };
  const sent = [{ id: 1, name: "Ada" }, { id: 2, price: "1.50" }, { name: "Bo" }, null];
  const changes = readEach("reservation", sent, read, { path: "/data" });
  assert.deepEqual(changes.map(({ data: { tag, val }, notes }) => [tag, val.id, notes.length]), [
    ["reservation", "1", 1], ["unreadable", "2", 0], ["unreadable", undefined, 0], ["unreadable", undefined, 0],
  ]);
  assert.deepEqual(changes[1].data.val, {
    entity: "reservation", id: "2", problem: "/data/1/name: is missing", raw: '{"id":2,"price":"1.50"}',
  });
  assert.match(changes[2].data.val.problem, /^the plugin failed on it: TypeError/);
  assert.throws(() => readOne("reservation", "<a/>", () => { throw unavailable("busy"); }), { name: "ChannelError" });
});

test("days are read strictly, and counted", () => {
  const noDays = ["2028-02-30", "2027-02-29", "0027-02-30", "2027-13-01", "2027-1-01", "tomorrow", "2027-01-01x"];
  for (const wrong of [...noDays, 7, ["2027-01-01"]]) {
    assert.throws(() => date(wrong, "from"), malformed("from: no day (YYYY-MM-DD)"));
  }
  assert.equal(dateText(addDays(date("2028-02-28"), 1)), "2028-02-29");
  assert.equal(dateText(addDays(date("2027-12-31T10:00:00Z"), 1)), "2028-01-01");
  assert.equal(nights(date("2027-06-01"), date(null)), undefined);
  const stay = nights(date("2027-06-01"), date("2027-06-04"));
  assert.deepEqual([...eachNight(stay)].map(dateText), ["2027-06-01", "2027-06-02", "2027-06-03"]);
});

test("days are read in the order that the caller says", () => {
  for (const [order, said] of [
    ["DD.MM.YYYY", "05.03.2027"],
    ["DD.MM.YYYY", "05.03.2027 14:00"],
    ["D.M.YYYY", "5.3.2027"],
    ["D.M.YYYY", "05.03.2027"],
    ["MM/DD/YYYY", "03/05/2027"],
    ["DD - MM - YYYY", "05 - 03 - 2027"],
    ["YYYYMMDD", "20270305"],
    ["YYYY-MM-DD", "2027-03-05T10:00:00Z"],
  ]) {
    assert.equal(dateText(readDate(said, order)), "2027-03-05", `${order}: ${said}`);
  }
  const noDays = ["31.02.2027", "29.02.2027", "00.03.2027", "05.13.2027"];
  const otherwise = ["5.3.2027", "05.03.27", "05-03-2027", "2027-03-05", "05.03.2027x", "05x03x2027", 5, {}];
  for (const wrong of [...noDays, ...otherwise]) {
    assert.throws(() => readDate(wrong, "DD.MM.YYYY", "from"), malformed("from: no day (DD.MM.YYYY)"));
  }
  assert.deepEqual([readDate(null, "DD.MM.YYYY"), readDate("", "DD.MM.YYYY")], [undefined, undefined]);
  const noOrders = ["DD.MM", "DD.MM.YY", "DD.DD.YYYY", "DMYYYY", "D.MYYYY", "dd.mm.yyyy", "YYYY-MM-DDTHH", ""];
  for (const wrong of [...noOrders, undefined]) {
    assert.throws(() => readDate("05.03.2027", wrong), { name: "TypeError" }, wrong);
    assert.throws(() => readDate(undefined, wrong), { name: "TypeError" }, wrong);
  }
});

test("instants are read whatever their zone", () => {
  assert.equal(instant("2027-03-01 09:30:00"), "2027-03-01T09:30:00Z");
  assert.equal(instant("2027-03-01T09:30:00.250+02:00"), "2027-03-01T07:30:00.250Z");
  for (const wrong of ["2027-02-30T09:30:00Z", "2027-03-01", "9999-12-31T23:59:59Z", "now"]) {
    assert.equal(instant(wrong, "at"), wrong, "the host leaves it out");
  }
});

test("the newest is the latest whatever its zone", () => {
  const modified = (modifiedAt) => change(changeKind.reservation({ id: "1", status: status.confirmed(), modifiedAt }));
  const said = ["2027-03-04T12:30:00Z", undefined, "2027-03-04T13:00:00+02:00", "soon", "2027-03-04"].map(modified);
  assert.equal(lastModified([change(changeKind.removed("reservation", "7")), ...said]), "2027-03-04T12:30:00Z");
  assert.equal(lastModified([modified("2027-03-04 11:00"), modified("2027-03-05")]), "2027-03-05");
  assert.equal(lastModified([modified(undefined), modified("soon")]), undefined);
  assert.equal(lastModified([]), undefined);
});

test("money keeps its digits", () => {
  assert.deepEqual(money("540.50", "EUR"), { amount: "540.50", currency: "EUR" });
  assert.deepEqual(money(540, ""), { amount: "540", currency: undefined });
  assert.equal(money(null), undefined);
  // The host rounds what is too fine, and leaves out what is no amount.
  for (const said of ["1714.28571", "100000000000.0001", "1,5", "a lot"]) assert.equal(money(said).amount, said);
  assert.equal(money({}, "EUR", "price"), undefined);
  assert.deepEqual(noted(), ["price"]);
});

test("money in a channel's smallest unit", () => {
  assert.equal(minorMoney(-5, "EUR").amount, "-0.05");
  assert.equal(minorMoney("54050", "JPY", 0).amount, "54050");
  assert.equal(minorMoney("54050", "KWD", "3").amount, "54.050");
  assert.equal(minorMoney("5405000000", "EUR", 8).amount, "54.05000000");
  assert.equal(minorMoney(54051, "EUR", 5).amount, "0.54051");
  assert.equal(minorMoney(""), undefined);
  assert.deepEqual(noted(), []);
  for (const [units, decimals] of [[1.5, 2], ["1.5", 2], ["a lot", 2], [540, -1], [540, null], [540, 17]]) {
    assert.equal(minorMoney(units, "EUR", decimals, "price"), undefined);
    assert.deepEqual(noted(), ["price"]);
  }
});

test("counts come as numbers, texts or yes and no; what is none is noted", () => {
  assert.deepEqual([count("2"), count(0), count(""), count("2.0"), count(true), count(false)], [2, 0, undefined, 2, 1, 0]);
  assert.deepEqual([count("two", "adults"), count(-1, "children"), count(1.5, "infants")], Array(3).fill(undefined));
  assert.deepEqual([text(7), text({}, "name"), dateOrNote("soon", "from")], ["7", undefined, undefined]);
  assert.deepEqual(noted(), ["adults", "children", "infants", "name", "from"]);
});
