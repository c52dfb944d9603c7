// What of a record was left out because it could not be read.

/** More on one record would tell nobody more. */
const MAX_NOTES = 50;

let notes = [];

/**
 * Notes that something of the record that is being read was left out: where, as a rule a JSON pointer, and what was
 * expected there, never the value. The next `change` carries it to the host.
 */
export function note(path, problem) {
  if (notes.length < MAX_NOTES) notes.push({ path: String(path), problem: String(problem) });
}

/** What was noted since it was asked last. */
export function takeNotes() {
  const taken = notes;
  notes = [];
  return taken;
}
