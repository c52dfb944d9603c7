// Jobs of graphile-worker that do nothing. See `measured.js` for the arguments.

import { fail, measured } from "./measured.js";

// It would write a line for each job. Read when the package is loaded.
process.env.NO_LOG_SUCCESS = "1";
const { Logger, makeWorkerUtils, run } = await import("graphile-worker");

const TASK = "nothing";
/** What its own documentation measures with. */
const LOCAL_QUEUE = { size: 500 };

const logger = new Logger(() => (level, message) => {
  if (level === "error") fail(new Error(message));
});

await measured("graphile-worker", async ({ url, schema, concurrency, mode }) => {
  const worker = {
    connectionString: url,
    schema,
    logger,
    concurrentJobs: concurrency,
    // One more than the workers, as its documentation measures: the connection that listens. A completion is not waited for
    // before the worker asks for its next job, so the pool is what bounds the commits on their way. More connections than
    // this made it slower.
    maxPoolSize: concurrency + 1,
    // Off, each worker claims one job with a statement, and a commit, of its own. On, one statement claims so many for all.
    ...(mode === "single" ? {} : { localQueue: LOCAL_QUEUE }),
    // -1: each completion is a statement, and so a commit, of its own. 0: what ends in one turn of the event loop is
    // completed by one statement.
    completeJobBatchDelay: mode === "batched" ? 0 : -1,
  };
  const utils = await makeWorkerUtils({ preset: { worker } });
  await utils.migrate();
  let runner;
  return {
    add: (count) => utils.addJobs(Array.from({ length: count }, () => ({ identifier: TASK, payload: {} }))),
    // What is completed is deleted.
    left: `select count(*) as left from ${schema}._private_jobs`,
    async start(job) {
      await utils.release();
      const taskList = { [TASK]: async () => job() };
      runner = await run({ preset: { worker }, taskList, parsedCronItems: [], noHandleSignals: true });
      // It tries these again after a pause.
      runner.events.on("worker:getJob:error", ({ error }) => fail(error));
    },
    stop: () => runner.stop(),
  };
});
