// @ts-check
/**
 * One of the workers that solve a layer together: the messages are those of the product's
 * `compute.js`, but the inputs lie in the engine's memory, and the result stays there.
 */

/** @type {any} */
let glue;
/** This worker's part: `Lead` or `Help`. @type {any} */
let part;
let place = 0;

/** Who waits for a message of a type. @type {Map<string, (data: any) => void>} */
const awaited = new Map();
/** @param {string} type @returns {Promise<any>} */
const next = (type) => new Promise((resolve) => awaited.set(type, resolve));

/** @type {Record<string, (message: any) => Promise<void>>} */
const handlers = {
  async begin({ kernels, module, name, nHelpers, ...own }) {
    glue = await import(`../${kernels}/gramerge_bench.js`);
    await glue.default({ module_or_path: module });
    place = own.place;
    part = place === 0 ? new glue.Lead(name, nHelpers) : new glue.Help(name, nHelpers, place);
    postMessage({ type: "ready", kernels: glue.kernels() });
  },
  task: () => (place === 0 ? lead() : help()),
};

async function lead() {
  const helpers = {
    /** @param {boolean} isDouble @param {Uint8Array} bytes */
    publish: (isDouble, bytes) =>
      postMessage({ type: "factor", factor: { isDouble, bytes } }, [bytes.buffer]),
    collect() {
      postMessage({ type: "collect" });
      return next("rows").then(({ rows }) => rows);
    },
  };
  postMessage({ type: "outcome", work: await part.run(helpers) });
}

async function help() {
  const rows = await part.run(next("factor").then(({ factor }) => factor));
  postMessage({ type: "rows", place, rows }, [rows.buffer]);
}

/** @param {any} error */
function failed(error) {
  postMessage({ type: "failed", why: String(error?.stack ?? error) });
}

self.addEventListener("message", ({ data }) => {
  const resolve = awaited.get(data.type);
  awaited.delete(data.type);
  if (resolve) return resolve(data);
  handlers[data.type](data).catch(failed);
});

// A trap inside a future surfaces here, not where the future is awaited.
self.addEventListener("error", (event) => failed(event.error ?? event.message));
self.addEventListener("unhandledrejection", (event) => failed(event.reason));
