// @ts-check
/**
 * Runs cases where the product runs its kernels: in a dedicated module worker, on an instance of
 * its own. Everything that is timed here is timed by this worker's clock.
 */

/** At least so many runs, whatever they take. */
const MIN_RUNS = 3;
const MAX_RUNS = 200;
/** Unmeasured runs before: the browser compiles hot code anew meanwhile. */
const WARM_UP_MILLIS = 400;

/** @type {{kernels: string, module: WebAssembly.Module}} */
let build;
/** @type {any} */
let glue;
/** @type {any} */
let ready;
/** Input tensors, outside the engine's memory. @type {Uint8Array[]} */
let tensors = [];
/** @type {WebAssembly.Memory} */
let memory;
let nInstances = 0;

/** A new instance of the engine: wasm memory never shrinks, so what one needed is only seen so. */
async function instance() {
  // The glue keeps one instance per URL.
  const own = await import(`./${build.kernels}/gramerge_bench.js?instance=${nInstances++}`);
  const { memory } = await own.default({ module_or_path: build.module });
  return { glue: own, memory };
}

/** @type {Record<string, (request: any) => Promise<object> | object>} */
const handlers = {
  async load({ kernels, module }) {
    build = { kernels, module };
    ({ glue } = await instance());
    return {};
  },

  async prepare({ name }) {
    ready?.free();
    ready = name.startsWith("gpu-") ? await glue.CardCase.open(name) : new glue.Case(name);
    return {};
  },

  /**
   * Runs for so long; answers with every run's time. Only a card's runs are promises, and use up
   * what is made anew outside the time.
   */
  async measure({ millis }) {
    const onCard = ready.card !== undefined;
    const warm = performance.now() + WARM_UP_MILLIS;
    do {
      if (onCard) await ready.renew();
      onCard ? await ready.run() : ready.run();
    } while (performance.now() < warm);
    const seconds = [];
    let work = "";
    const end = performance.now() + millis;
    while (seconds.length < MAX_RUNS && (seconds.length < MIN_RUNS || performance.now() < end)) {
      if (onCard) await ready.renew();
      const start = performance.now();
      work = onCard ? await ready.run() : ready.run();
      seconds.push((performance.now() - start) / 1e3);
    }
    const kernels = onCard ? ready.card() : glue.kernels();
    return { seconds, work: JSON.parse(work), kernels };
  },

  /** Makes the input of this worker's share of the merge. */
  async hold({ models, share, of }) {
    if (tensors.length > 0) return {};
    const { glue } = await instance();
    const count = glue.count_tensors(models, share, of);
    for (let index = 0; index < count; index++) {
      tensors.push(glue.make_tensor(models, share, of, index));
    }
    return {};
  },

  async plan({ models, share, of, precision }) {
    ready?.free();
    const fresh = await instance();
    ({ glue, memory } = fresh);
    const count = glue.count_tensors(models, share, of);
    ready = new glue.Share(tensors.slice(0, count), models, share, of, precision);
    return {};
  },

  merge() {
    const start = performance.now();
    const found = JSON.parse(ready.run());
    const seconds = (performance.now() - start) / 1e3;
    return { seconds, found, memory_bytes: memory.buffer.byteLength, kernels: glue.kernels() };
  },
};

self.addEventListener("message", async ({ data }) => {
  try {
    postMessage(await handlers[data.type](data));
  } catch (error) {
    postMessage({ failure: String(error instanceof Error ? error.stack : error) });
  }
});
