// @ts-check
/** TensorFlow.js on its WebAssembly backend: a product. Its builds are classic scripts. */

import { timedRuns, uniform } from "./runs.js";

/** @param {string} name */
function load(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${name} did not load`));
    script.src = `packages/tfjs/${name}`;
    document.head.append(script);
  });
}

/** Loads both scripts once. */
async function library() {
  const global = /** @type {any} */ (globalThis);
  if (!global.tf) {
    await load("tf.min.js");
    await load("tf-backend-wasm.min.js");
  }
  return global.tf;
}

/** @param {{n: number, millis: number}} request */
export async function measure({ n, millis }) {
  const tf = await library();
  tf.wasm.setWasmPaths("packages/tfjs/");
  await tf.setBackend("wasm");
  await tf.ready();
  const [a, b] = [tf.tensor2d(uniform(n * n), [n, n]), tf.tensor2d(uniform(n * n), [n, n])];
  const seconds = await timedRuns(async () => {
    const c = tf.matMul(a, b);
    c.dataSync();
    c.dispose();
  }, millis);
  return { seconds, threads: tf.wasm.getThreadsCount() };
}
