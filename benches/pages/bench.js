// @ts-check
/**
 * The page's side: starts workers and asks them. The driver calls `bench.begin(request)` once per
 * measurement and then `bench.poll()` until there is an answer, since one call may not take long.
 */

import * as shared from "./shared/page.js";

/** Workers by kernels, made when first needed. @type {Map<string, Asked[]>} */
const pools = new Map();
/** Compiled modules by kernels: one for all workers, as in the product. @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();
/** @type {Promise<object>} */
let current;

/** A worker that answers one request after the other. */
class Asked {
  /** @param {string} url */
  constructor(url) {
    this.worker = new Worker(url, { type: "module" });
  }

  /** @param {object} request @returns {Promise<any>} */
  ask(request) {
    return new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }) => (data.failure ? reject(data.failure) : resolve(data));
      this.worker.onerror = (event) => reject(event.message || "a worker did not start");
      this.worker.postMessage(request);
    });
  }
}

/** @param {string} kernels */
function moduleOf(kernels) {
  const url = `${kernels}/gramerge_bench_bg.wasm`;
  const compiled = modules.get(kernels) ?? WebAssembly.compileStreaming(fetch(url));
  modules.set(kernels, compiled);
  return compiled;
}

/** @param {string} kernels @param {number} count */
async function pool(kernels, count) {
  const workers = pools.get(kernels) ?? [];
  pools.set(kernels, workers);
  while (workers.length < count) {
    const worker = new Asked("worker.js");
    await worker.ask({ type: "load", kernels, module: await moduleOf(kernels) });
    workers.push(worker);
  }
  return workers.slice(0, count);
}

/** Ends the workers of all kernels but these, to free what they hold. @param {string} kept */
function dropOthers(kept) {
  for (const [kernels, workers] of pools) {
    if (kernels === kept) continue;
    for (const { worker } of workers) worker.terminate();
    pools.delete(kernels);
  }
}

/** @type {Record<string, (request: any) => Promise<object>>} */
const measurements = {
  /** One case on `workers` workers at once; each reports its own runs. */
  async case({ kernels, workers, name, millis }) {
    const asked = await pool(kernels, workers);
    await Promise.all(asked.map((worker) => worker.ask({ type: "prepare", name })));
    const runs = asked.map((worker) => worker.ask({ type: "measure", millis }));
    return { workers: await Promise.all(runs) };
  },

  /** One case on `workers` workers together. */
  async shared({ kernels, ...request }) {
    const module = await moduleOf(kernels);
    return { workers: [await shared.measure({ kernels, module, ...request })] };
  },

  /** A whole merge: every worker holds its share, and the clock runs from first to last. */
  async merge({ kernels, workers, models, held, precision }) {
    dropOthers(kernels);
    const asked = await pool(kernels, workers);
    /** @param {(share: number) => object} request */
    const all = (request) =>
      Promise.all(asked.map((worker, share) => worker.ask({ of: workers, share, ...request(share) })));
    await all(() => ({ type: "hold", models: held }));
    await all(() => ({ type: "plan", models, held, precision }));
    const start = performance.now();
    const shares = await all(() => ({ type: "merge" }));
    return { seconds: (performance.now() - start) / 1e3, shares };
  },

  /** Something of other software, on the page itself, from where it starts its own threads. */
  async peer({ peer, ...request }) {
    const { measure } = await import(`./peers/${peer}.js`);
    return measure(request);
  },

  async about() {
    const { userAgent, hardwareConcurrency } = navigator;
    return { userAgent, hardwareConcurrency, isolated: crossOriginIsolated };
  },
};

Object.assign(window, {
  bench: {
    /** @param {{type: string}} request */
    begin(request) {
      current = measurements[request.type](request).catch((why) => ({ failure: String(why?.stack ?? why) }));
    },
    /** The answer, or nothing if there is none within this time. @param {number} millis */
    poll(millis) {
      const later = new Promise((resolve) => setTimeout(() => resolve(null), millis));
      return Promise.race([current, later]);
    },
  },
});
