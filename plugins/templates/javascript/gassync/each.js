// Records are read one by one: what is wrong with one of a page or a message stops no other.

import { changeKind, changeRecord } from "./contract.js";
import { ChannelError, declared } from "./errors.js";
import { takeNotes } from "./notes.js";

/** These are about the whole answer, and not about one record of it. */
const OF_THE_WHOLE = new Set(["unauthorized", "rate-limited", "unavailable", "conflict", "unsupported"]);

/**
 * Reads each of the records that a channel sent in a list: `read(item, path)` gives a change or a list of them. One that
 * is `malformed` or `rejected`, or on which `read` fails otherwise, is handed on as `unreadable`, in its own words and
 * with the id that stands under one of `ids`: the host sets it aside, shows it to people and goes on with the others.
 */
export function readEach(entity, items, read, { path = "", ids = ["id"] } = {}) {
  return items.flatMap((item, index) => {
    const place = `${path}/${index}`;
    return readOne(entity, item, () => read(item, place), { ids });
  });
}

/** The same for one record: `raw` is a text as it came, or an object, which is written as JSON. */
export function readOne(entity, raw, read, { ids = ["id"] } = {}) {
  // What was noted of another record says nothing of this one.
  takeNotes();
  try {
    return [read()].flat();
  } catch (thrown) {
    const { payload } = declared(thrown);
    if (thrown instanceof ChannelError && OF_THE_WHOLE.has(payload.tag)) throw thrown;
    takeNotes();
    const record = { entity, id: idOf(raw, ids), problem: problemOf(payload), raw: wordsOf(raw) };
    return [changeRecord({ data: changeKind.unreadable(record) })];
  }
}

const wordsOf = (raw) => (typeof raw === "string" ? raw : JSON.stringify(raw));

function problemOf({ tag, val }) {
  if (tag === "rejected") return val.map(({ path, problem }) => `${path}: ${problem}`).join("; ");
  return tag === "broken" ? `the plugin failed on it: ${val}` : val;
}

function idOf(raw, ids) {
  const isId = (id) => (typeof id === "string" && id.trim() !== "") || Number.isSafeInteger(id);
  const found = ids.map((name) => raw?.[name]).find(isId);
  return found === undefined ? undefined : String(found);
}
