// @ts-check
/** jax-js on its WebAssembly or WebGPU backend: a product, a factor, and one layer by the difference form. */

import { timedRuns, uniform } from "./runs.js";

/** @type {any} */
const { init, defaultDevice, blockUntilReady, lax, numpy: np } = await import(
  "../packages/jax/index.js"
);

/** @param {Float32Array} values @param {number[]} shape */
const array = (values, shape) => np.array(values, { shape, dtype: np.float32 });

/** Near the identity, as symmetric as a Gram matrix. @param {number} n */
function gram(n) {
  const values = uniform(n * n).map((value) => (0.1 * value) / n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) values[j * n + i] = values[i * n + j];
    values[i * n + i] = 1;
  }
  return array(values, [n, n]);
}

/** @type {Record<string, (n: number) => () => any>} */
const cases = {
  gemm(n) {
    const [a, b] = [array(uniform(n * n), [n, n]), array(uniform(n * n), [n, n])];
    return () => np.matmul(a.ref, b.ref);
  },

  cholesky(n) {
    const s = gram(n);
    return () => lax.linalg.cholesky(s.ref);
  },

  /** Sums the Grams, multiplies once, factorises, solves with both triangles. */
  layer(n) {
    const grams = [gram(n), gram(n)];
    const weights = [array(uniform(n * n), [n, n]), array(uniform(n * n), [n, n])];
    return () => {
      const sum = np.add(grams[0].ref, grams[1].ref);
      const apart = np.subtract(weights[1].ref, weights[0].ref);
      const right = np.matmul(grams[1].ref, np.matrixTranspose(apart));
      const factor = lax.linalg.cholesky(sum);
      const half = lax.linalg.triangularSolve(factor.ref, right, { leftSide: true, lower: true });
      const upper = { leftSide: true, lower: true, transposeA: true };
      return lax.linalg.triangularSolve(factor, half, upper);
    };
  },
};

/** @param {{device: "wasm" | "webgpu", name: string, n: number, millis: number}} request */
export async function measure({ device, name, n, millis }) {
  await init(device);
  defaultDevice(device);
  const run = cases[name]?.(n);
  if (!run) throw new Error(`no case ${name}`);
  const seconds = await timedRuns(async () => {
    const result = run();
    await blockUntilReady(result);
    result.dispose();
  }, millis);
  return { seconds, threads: crossOriginIsolated ? navigator.hardwareConcurrency : 1 };
}
