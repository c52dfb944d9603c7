import assert from "node:assert/strict";
import { test } from "node:test";

import {
  addDays, change, count, date, dateText, eachNight, instant, lastModified, minorMoney, money, news, nights, readDate,
  readJson, status,
} from "./index.js";

const malformed = (val) => ({ payload: { tag: "malformed", val } });

test("JSON keeps the digits that a channel wrote", () => {
  assert.deepEqual(readJson('{"price": 540.50, "id": 123456789012345678, "n": 2, "text": "at 1.50, \\"2.50\\""}'), {
    price: "540.50", id: "123456789012345678", n: 2, text: 'at 1.50, "2.50"',
  });
  assert.deepEqual(readJson("[1.0,-2.5e3,-7,true,null]"), ["1.0", "-2.5e3", -7, true, null]);
  assert.throws(() => readJson("[01.5]"), /not JSON/);
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

test("instants are read strictly, whatever their zone", () => {
  assert.equal(instant("2027-03-01 09:30:00"), "2027-03-01T09:30:00Z");
  assert.equal(instant("2027-03-01T09:30:00.250+02:00"), "2027-03-01T07:30:00.250Z");
  for (const wrong of ["2027-02-30T09:30:00Z", "2027-03-01", "9999-12-31T23:59:59Z", "now", 1]) {
    assert.throws(() => instant(wrong, "at"), malformed("at: no instant"));
  }
});

test("the newest is the latest whatever its zone", () => {
  const modified = (modifiedAt) => change(news.reservation({ id: "1", status: status.confirmed(), modifiedAt }));
  const said = ["2027-03-04T12:30:00Z", undefined, "2027-03-04T13:00:00+02:00", "soon", "2027-03-04"].map(modified);
  assert.equal(lastModified([change(news.removed("reservation", "7")), ...said]), "2027-03-04T12:30:00Z");
  assert.equal(lastModified([modified("2027-03-04 11:00"), modified("2027-03-05")]), "2027-03-05");
  assert.equal(lastModified([modified(undefined), modified("soon")]), undefined);
  assert.equal(lastModified([]), undefined);
});

test("money is read digit by digit, and only what the host takes", () => {
  assert.deepEqual(money("540.50", "EUR"), { amount: "540.50", currency: "EUR" });
  assert.deepEqual(money(540, ""), { amount: "540", currency: undefined });
  assert.equal(money(null), undefined);
  for (const most of ["100000000000", "-100000000000.0000", "99999999999.9999", "0.1234", "1.0000000000000000"]) {
    assert.equal(money(most).amount, most);
  }
  assert.throws(() => money("1,5", "EUR", "price"), malformed("price: no decimal number"));
  for (const wrong of ["100000000000.0001", "-100000000000.0001", "100000000001", `1${"0".repeat(29)}`]) {
    assert.throws(() => money(wrong), malformed("amount: too large for an amount, of at most 100 billion"));
  }
  for (const wrong of ["0.12345", "0.00001", "0.10000000000000000555", "1.00000000000000000"]) {
    assert.throws(() => money(wrong), malformed("amount: too fine for an amount, which has 4 places"));
  }
});

test("money in a channel's smallest unit keeps to the same limits", () => {
  assert.equal(minorMoney(-5, "EUR").amount, "-0.05");
  assert.equal(minorMoney("54050", "JPY", 0).amount, "54050");
  assert.equal(minorMoney("54050", "KWD", "3").amount, "54.050");
  assert.equal(minorMoney("10000000000000", "EUR").amount, "100000000000.00");
  assert.equal(minorMoney("1000000000000000", "EUR", 4).amount, "100000000000.0000");
  assert.equal(minorMoney("5405000000", "EUR", 8).amount, "54.05000000");
  assert.equal(minorMoney(54050, "EUR", 5).amount, "0.54050");
  assert.equal(minorMoney(""), undefined);
  for (const [units, decimals, why] of [
    ["10000000000001", 2, "amount: too large for an amount, of at most 100 billion"],
    ["-100000000001", 0, "amount: too large for an amount, of at most 100 billion"],
    [54051, 5, "amount: too fine for an amount, which has 4 places"],
    [1.5, 2, "amount: no text"],
    ["1.5", 2, "amount: no whole number"],
    [540, -1, "amount, decimals: no whole number"],
    [540, null, "amount, decimals: no number from 0 to 16"],
    [540, 17, "amount, decimals: no number from 0 to 16"],
  ]) {
    assert.throws(() => minorMoney(units, "EUR", decimals), malformed(why));
  }
});

test("counts are whole", () => {
  assert.deepEqual([count("2"), count(0), count("")], [2, 0, undefined]);
  assert.throws(() => count("two", "adults"), malformed("adults: no whole number"));
});
