// @ts-check
/**
 * Runs the jobs of one merge on a pool of computing workers, one engine each.
 *
 * Jobs come the most expensive first. A job that is shared has a task for its leader and one for
 * each helper, in this order, so that whoever waits waits for someone who works. A worker that dies
 * (a trap, out of memory) is replaced once and its task is run again; its pieces are simply written
 * again at the same place.
 *
 * A graphics card has a worker of its own, which takes all layers, and hands those back that f32
 * does not suffice for: who solves a layer, and so the merged bytes, must not depend on who is first.
 * It has two tasks at a time: while the card computes one, the files of the next one are read.
 */

import { createShares, tell } from "./shares.js";
import { startWorker } from "../shared/trusted.js";

/** @import { Entry } from "./messages.js" */
/** @import { Death, Failed, FromCompute, OfType, SetUp, Task } from "./messages.js" */

/**
 * @typedef {object} Work
 * @property {string} script `blob:` address of `compute.js`
 * @property {number[]} nHelpers of each job
 * @property {number} nWorkers
 * @property {SetUp} setUp the `begin` message of every worker
 * @property {{jobs: number[], setUp: SetUp}} [card] the jobs of the worker with a graphics card
 * @property {(index: number, death: Death) => Failed} explain a `failed` message
 * @property {Set<number>} skipped jobs that were finished before
 * @property {AbortSignal} signal
 * @property {(offsetBytes: number, bytes: Uint8Array) => Promise<void>} write
 * @property {(index: number, outcome: unknown, writtenBytes: number) => void} finished
 * @property {(entries: Entry[]) => void} settled what they wrote themselves has reached the disk
 */

/** Tasks at a time of the worker with a graphics card. */
const ON_CARD = 2;

/**
 * Resolves when every job has finished; rejects with a `failed` message.
 * @param {Work} work
 * @returns {Promise<void>}
 */
export function runJobs(work) {
  return new Promise((resolve, reject) => {
    /** @type {Set<Worker>} */
    const workers = new Set();
    const onCard = new Set(work.card?.jobs);
    const tasks = tasksOf(work.nHelpers).filter(({ index }) => !work.skipped.has(index));
    const shares = createShares(work.nHelpers);
    const others = tasks.filter(({ index }) => !onCard.has(index));
    /** Workers without a task wait for what the card hands back. @type {Set<() => void>} */
    const idle = new Set();
    const retried = new Set();
    let remaining = work.nHelpers.length - work.skipped.size;

    /** @param {() => void} settle */
    const stop = (settle) => {
      workers.forEach((worker) => worker.terminate());
      workers.clear();
      settle();
    };
    work.signal.addEventListener("abort", () => stop(() => reject(work.signal.reason)));

    /** @param {Task[]} queue @param {SetUp} setUp @param {number} most tasks at a time */
    const start = (queue, setUp, most) => {
      const worker = startWorker(work.script, self.name);
      workers.add(worker);
      /** @type {Task[]} */
      let current = [];

      const next = () => {
        idle.delete(next);
        let task;
        do task = queue.shift();
        while (task && task.place > 0 && shares.isFinished(task.index));
        if (!task) {
          idle.add(next);
          return;
        }
        current.push(task);
        tell(worker, { type: "task", ...task, nHelpers: work.nHelpers[task.index] ?? 0 });
        if (task.place > 0) shares.await(task.index, worker);
      };
      /** @param {number} index */
      const ended = (index) => {
        current = current.filter((task) => task.index !== index);
        next();
      };
      /** @param {Death} death */
      const died = (death) => {
        if (!workers.delete(worker)) return;
        worker.terminate();
        idle.delete(next);
        const suspects = current.length > 0 ? current : [queue[0] ?? { index: 0, place: 0 }];
        for (const { index, place } of suspects) {
          shares.forget(index, worker);
          const key = `${index}/${place}`;
          if (retried.has(key)) return stop(() => reject(work.explain(index, death)));
          retried.add(key);
        }
        queue.unshift(...current);
        // One at a time, so that it is seen which of several stopped it.
        start(queue, setUp, 1);
      };

      /** @param {OfType<FromCompute, "outcome">} job */
      const finished = ({ index, outcome, writtenBytes }) => {
        shares.finish(index);
        work.finished(index, outcome, writtenBytes);
        remaining -= 1;
        return remaining === 0 ? stop(resolve) : ended(index);
      };
      /** @param {() => void} action */
      const orStop = (action) => {
        try {
          action();
        } catch (error) {
          stop(() => reject(error));
        }
      };

      worker.onmessage = (/** @type {MessageEvent<FromCompute>} */ { data }) => {
        switch (data.type) {
          case "ready":
            for (let count = 0; count < most; count++) next();
            return;
          case "piece":
            return work.write(data.offsetBytes, data.bytes).then(
              () => acknowledge(worker, data.bytes.buffer),
              (error) => stop(() => reject(error)),
            );
          case "refused":
            return stop(() => reject(new Error(data.why)));
          case "factor":
            return shares.publish(data.index, data.factor);
          case "collect":
            return shares.collect(data.index, worker);
          case "rows":
            shares.add(data.index, data.place, data.rows);
            return ended(data.index);
          case "outcome":
            return orStop(() => finished(data));
          case "settled":
            return orStop(() => work.settled(data.entries));
          case "handed_back":
            others.push({ index: data.index, place: 0 });
            [...idle].forEach((wake) => wake());
            return ended(data.index);
          case "failed":
            return stop(() => reject(data.failure));
          case "died":
            return died(data.death);
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        died({ why: event.message || "it could not start", refusedBytes: 0 });
      };
      tell(worker, { type: "begin", ...setUp });
    };

    if (remaining === 0) return resolve();
    if (work.card) start(tasks.filter(({ index }) => onCard.has(index)), work.card.setUp, ON_CARD);
    const nOthers = Math.min(work.nWorkers, tasks.length);
    for (let count = 0; count < nOthers; count++) start(others, work.setUp, 1);
  });
}

/** @param {number[]} nHelpers @returns {Task[]} */
function tasksOf(nHelpers) {
  return nHelpers.flatMap((n, index) =>
    Array.from({ length: n + 1 }, (_, place) => ({ index, place })),
  );
}

/** @param {Worker} worker @param {ArrayBuffer} buffer */
function acknowledge(worker, buffer) {
  tell(worker, { type: "written", buffer }, [buffer]);
}
