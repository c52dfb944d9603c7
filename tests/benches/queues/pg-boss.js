// Jobs of pg-boss that do nothing. See `measured.js` for the arguments.
//
// `package.json` holds the package that computes its recurring schedules at 2.2.7, as the 2.2.8 it asks for is not in every
// mirror. Nothing is scheduled here.

import { PgBoss } from "pg-boss";

import { fail, measured } from "./measured.js";

const QUEUE = "nothing";
/** How many jobs a worker claims with one statement. Of 10 to 200, and of 50 to 2000, the fastest or nearly so. */
const BATCH_SIZE = { single: 1, ahead: 50, batched: 1000 };

await measured("pg-boss", async ({ url, schema, concurrency, mode }) => {
  // No upkeep and no schedules beside the jobs. A connection for each worker, and one for what else it asks.
  const settings = { connectionString: url, schema, max: concurrency + 1, supervise: false, schedule: false };
  const opened = async () => {
    const boss = new PgBoss(settings);
    boss.on("error", fail);
    return boss.start();
  };
  const adding = await opened();
  await adding.createQueue(QUEUE);
  let boss;
  return {
    add: (count) => adding.insert(QUEUE, Array.from({ length: count }, () => ({}))),
    // What is completed is kept, with its state.
    left: `select count(*) as left from ${schema}.job where name = '${QUEUE}' and state <> 'completed'`,
    async start(job) {
      // Counts the jobs that wait. The instance that works reads it as it starts, and so knows that there are many.
      await adding.supervise(QUEUE);
      await adding.stop();
      boss = await opened();
      const work = {
        batchSize: BATCH_SIZE[mode],
        localConcurrency: concurrency,
        // Without these a worker pauses for its polling interval after every claim: with the first while many wait, with the
        // second while its batches come full.
        burstWhenReadyExceeds: 1,
        burstWhenBatchFull: true,
        pollingIntervalSeconds: 0.5,
      };
      await boss.work(QUEUE, work, async (batch) => {
        for (const _ of batch) job();
        // Each with a statement, and so a commit, of its own. What is left to the worker is completed by one for the batch.
        if (mode === "ahead") await Promise.all(batch.map(({ id }) => boss.complete(QUEUE, id)));
      });
    },
    stop: () => boss.stop(),
  };
});
