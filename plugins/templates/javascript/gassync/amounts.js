// Money as channels write it, digit by digit. What is too fine for the host it rounds; what is no amount, or too large, it
// leaves out, and notes it: the record is kept all the same.

import { note } from "./notes.js";
import { absent, text } from "./values.js";

/** Places of a number that no currency and no channel has any more. */
const MAX_PLACES = 16;

/** Money with the digits the payload had. A number with a fraction comes from `readJson` as the text it needs. */
export function money(amount, currency, field = "amount") {
  const digits = text(amount, field)?.trim();
  if (absent(digits)) return undefined;
  return { amount: digits, currency: absent(currency) ? undefined : currency };
}

/**
 * Money that a channel counts in its smallest unit: `minorMoney(54050, "EUR")` is 540.50. What is no whole number is left
 * out and noted: where its point stands nobody knows.
 */
export function minorMoney(units, currency, decimals = 2, field = "amount") {
  if (absent(units)) return undefined;
  const [, sign, digits] = /^(-?)(\d{1,30})$/.exec(String(units).trim()) ?? [];
  const places = Number(decimals);
  if (!digits || decimals === null || !(Number.isInteger(places) && places >= 0 && places <= MAX_PLACES)) {
    note(field, `is no whole number, or has no number of places from 0 to ${MAX_PLACES}`);
    return undefined;
  }
  const padded = digits.padStart(places + 1, "0");
  const point = padded.length - places;
  return money(sign + padded.slice(0, point) + (places > 0 ? `.${padded.slice(point)}` : ""), currency, field);
}
