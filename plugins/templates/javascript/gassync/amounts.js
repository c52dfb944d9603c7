// Money as channels write it, digit by digit. What the host would refuse is `malformed` here, under the name of its
// field: handed on, it would be taken for a fault of the plugin.

import { malformed } from "./errors.js";
import { absent, count, text } from "./values.js";

/** The host keeps ten-thousandths. */
const PLACES = 4;
/** The host takes more than 100 billion for a mistake. */
const MAX_TEN_THOUSANDTHS = 100_000_000_000 * 10 ** PLACES;
/** Places in all, zeros or not: an amount with many more the host could not read. */
const MAX_WRITTEN_PLACES = 16;

/** Money with the digits the payload had. A number with a fraction comes from `readJson` as the text it needs. */
export function money(amount, currency, field = "amount") {
  if (absent(amount)) return undefined;
  const digits = text(amount, field).trim();
  const [, whole, places = ""] = /^-?(\d{1,30})(?:\.(\d{1,30}))?$/.exec(digits) ?? [];
  if (!whole) throw malformed(`${field}: no decimal number`);
  if (places.length > MAX_WRITTEN_PLACES || /[1-9]/.test(places.slice(PLACES))) {
    throw malformed(`${field}: too fine for an amount, which has ${PLACES} places`);
  }
  // Up to the limit and just beyond a number is exact.
  if (Number(whole + places.slice(0, PLACES).padEnd(PLACES, "0")) > MAX_TEN_THOUSANDTHS) {
    throw malformed(`${field}: too large for an amount, of at most 100 billion`);
  }
  return { amount: digits, currency: absent(currency) ? undefined : currency };
}

/** Money that a channel counts in its smallest unit: `minorMoney(54050, "EUR")` is 540.50. */
export function minorMoney(units, currency, decimals = 2, field = "amount") {
  if (absent(units)) return undefined;
  const [, sign, digits] = /^(-?)(\d{1,30})$/.exec(text(units, field)) ?? [];
  if (!digits) throw malformed(`${field}: no whole number`);
  const places = count(decimals, `${field}, decimals`);
  if (!(places <= MAX_WRITTEN_PLACES)) throw malformed(`${field}, decimals: no number from 0 to ${MAX_WRITTEN_PLACES}`);
  const padded = digits.padStart(places + 1, "0");
  const point = padded.length - places;
  return money(sign + padded.slice(0, point) + (places > 0 ? `.${padded.slice(point)}` : ""), currency, field);
}
