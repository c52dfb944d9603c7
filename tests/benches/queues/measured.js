// What is the same for every queue: the arguments, where the clock starts and stops, and the line that is printed.
//
//     node SCRIPT DATABASE_URL JOBS CONCURRENCY [--ahead | --batched]
//
// Without an option each job is claimed by itself and completed by itself. With `--ahead` jobs are claimed many at once, and
// each is still completed by itself. With `--batched` one commit completes many.
//
// Node.js is one of the packages: both queues ask for 22 or later, which a system's own may not be.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import pg from "pg";

/** How many jobs are added in one statement. */
const ADDED_AT_ONCE = 5000;
/** A run that takes longer has lost a job. */
const RUN_MILLISECONDS = 600_000;
/** How often the last commits are looked for: a figure is too long by no more than this and one query. */
const LOOK_MILLISECONDS = 1;

/**
 * Measures one queue and prints the figure. `library` is its package; `prepare` is told what was asked for and gives:
 *
 * - `add(count)`, which adds so many jobs in one statement;
 * - `left`, the query for the number of jobs whose completion is not committed;
 * - `start(job)`, which begins to work, and calls `job` once for each;
 * - `stop()`.
 *
 * The clock runs from the first job's start until another connection sees no job left: PostgreSQL shows a commit to others
 * only once it is durable.
 */
export async function measured(library, prepare) {
  const { url, jobs, concurrency, mode } = asked();
  const limit = setTimeout(() => fail(new Error(`not done after ${RUN_MILLISECONDS} ms`)), RUN_MILLISECONDS);
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  // Never the schema of an installation in use: what is dropped here was made here.
  const schema = `bench_${library.replaceAll("-", "_")}`;
  await database.query(`drop schema if exists ${schema} cascade`);
  const queue = await prepare({ url, schema, concurrency, mode });
  for (let added = 0; added < jobs; added += ADDED_AT_ONCE) await queue.add(Math.min(ADDED_AT_ONCE, jobs - added));
  const left = async () => Number((await database.query(queue.left)).rows[0].left);
  if ((await left()) !== jobs) fail(new Error("not every job is in the queue"));
  // Autovacuum would have seen to a queue that is older than these few seconds.
  await database.query("vacuum analyze");

  let ran = 0;
  let began;
  const { promise: everyJobRan, resolve } = Promise.withResolvers();
  await queue.start(() => {
    began ??= performance.now();
    ran += 1;
    if (ran === jobs) resolve();
  });
  await everyJobRan;
  while ((await left()) > 0) await new Promise((look) => setTimeout(look, LOOK_MILLISECONDS));
  const seconds = (performance.now() - began) / 1000;

  await queue.stop();
  if (ran !== jobs) fail(new Error(`${jobs} jobs ran ${ran} times`));
  await database.query(`drop schema ${schema} cascade`);
  await database.end();
  clearTimeout(limit);
  const version = manifest().dependencies[library];
  console.log(JSON.stringify({ library, version, mode, jobs, concurrency, seconds, perSecond: jobs / seconds }));
}

/** Ends the run without a figure: what had an error on the way was not measured. */
export function fail(error) {
  console.error(error);
  process.exit(1);
}

function asked() {
  const flag = { type: "boolean", default: false };
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { ahead: flag, batched: flag } });
  const [url, ...numbers] = positionals;
  const [jobs, concurrency] = numbers.map(Number);
  const counts = numbers.length === 2 && [jobs, concurrency].every((count) => Number.isInteger(count) && count > 0);
  if (!counts || (values.ahead && values.batched)) {
    fail(new Error("needed: DATABASE_URL JOBS CONCURRENCY [--ahead | --batched]"));
  }
  return { url, jobs, concurrency, mode: values.batched ? "batched" : values.ahead ? "ahead" : "single" };
}

/** The versions there are exact. The packages' own manifests cannot all be read from outside. */
function manifest() {
  return JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
}
