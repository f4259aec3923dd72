// @ts-check
/**
 * Tries to get a byte out of a worker, and out of a worker that this worker starts: what the leak
 * test on the page runs. Started with the page's base address, and its own for the inner one.
 */

import { COMMON_ROUTES, tryRoutes } from "../shared/attempt.js";
import { reportRequests } from "../shared/requests.js";
import { startWorker } from "../shared/trusted.js";

reportRequests();

onmessage = async ({ data: { base, script, isInner } }) => {
  const from = isInner ? "worker of a worker" : "worker";
  await tryRoutes(COMMON_ROUTES, from, base, (result) => postMessage({ result }));
  if (!isInner) await runInner(base, script);
  postMessage({ done: true });
};

/** @param {string} base @param {string} script */
function runInner(base, script) {
  const inner = startWorker(script, self.name);
  inner.postMessage({ base, script, isInner: true });
  return new Promise((resolve) => {
    inner.onmessage = ({ data }) => {
      if (data.done) resolve(inner.terminate());
      else postMessage(data);
    };
  });
}
