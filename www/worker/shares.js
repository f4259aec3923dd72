// @ts-check
/**
 * Jobs that several workers share: the leader's factor on its way to the helpers, their rows on the
 * way back. What has arrived is kept until the job is finished, so that a worker in the place of a
 * dead one finds it.
 */

/** @import { Factor, ToCompute } from "./messages.js" */

/**
 * @typedef {object} Share
 * @property {Factor | undefined} factor
 * @property {Set<Worker>} waiting helpers without the factor
 * @property {(Uint8Array<ArrayBuffer> | undefined)[]} rows of each helper
 * @property {Worker | undefined} leader once it waits for rows
 */

/** @param {Worker} worker @param {ToCompute} message @param {Transferable[]} [transfer] */
export function tell(worker, message, transfer = []) {
  worker.postMessage(message, transfer);
}

/**
 * @param {number[]} nHelpers of each job
 */
export function createShares(nHelpers) {
  /** Unfinished shared jobs, by index. @type {Map<number, Share>} */
  const shares = new Map();
  nHelpers.forEach((n, index) => {
    const rows = new Array(n).fill(undefined);
    if (n > 0) shares.set(index, { factor: undefined, waiting: new Set(), rows, leader: undefined });
  });

  /** @param {Share} share */
  const deliver = (share) => {
    if (!share.leader || share.rows.includes(undefined)) return;
    tell(share.leader, { type: "rows", rows: share.rows });
    share.leader = undefined;
  };

  return {
    /** @param {number} index */
    isFinished: (index) => !shares.has(index),

    /** A helper waits for its job's factor. @param {number} index @param {Worker} helper */
    await(index, helper) {
      const share = shares.get(index);
      if (share?.factor) return tell(helper, { type: "factor", factor: share.factor });
      share?.waiting.add(helper);
    },

    /** @param {number} index @param {Share["factor"]} factor */
    publish(index, factor) {
      const share = shares.get(index);
      if (!share) return;
      share.factor = factor;
      share.waiting.forEach((helper) => tell(helper, { type: "factor", factor }));
      share.waiting.clear();
    },

    /** The leader waits for all rows. @param {number} index @param {Worker} leader */
    collect(index, leader) {
      const share = shares.get(index);
      if (!share) return;
      share.leader = leader;
      deliver(share);
    },

    /** @param {number} index @param {number} place @param {Uint8Array<ArrayBuffer>} rows */
    add(index, place, rows) {
      const share = shares.get(index);
      if (!share) return;
      share.rows[place - 1] = rows;
      deliver(share);
    },

    /** Helpers that still wait are not needed. @param {number} index */
    finish(index) {
      const share = shares.get(index);
      shares.delete(index);
      share?.waiting.forEach((helper) => tell(helper, { type: "factor" }));
    },

    /** A worker is gone. @param {number} index @param {Worker} worker */
    forget(index, worker) {
      const share = shares.get(index);
      share?.waiting.delete(worker);
      if (share?.leader === worker) share.leader = undefined;
    },
  };
}
