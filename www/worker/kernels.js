// @ts-check
/**
 * Which build of the engine this browser can run, and loading it.
 *
 * Two builds differ only in their kernels: with relaxed SIMD a multiply and an add are one fused
 * instruction. A module that uses a single such instruction tells whether the browser has them.
 * A third can use a graphics card, and is loaded only where there is one.
 */

/** `(func (result v128) ... i8x16.relaxed_swizzle)` */
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253,
  15, 65, 2, 253, 15, 253, 128, 2, 11,
]);

/** @returns {"relaxed" | "simd128"} */
export function bestKernels() {
  return WebAssembly.validate(RELAXED_PROBE) ? "relaxed" : "simd128";
}

/**
 * Loads the engine.
 * @param {"relaxed" | "simd128" | "gpu"} kernels
 * @param {WebAssembly.Module} [module] compiled by another worker; fetched if absent
 */
export async function loadEngine(kernels, module) {
  const glue = await import(`../pkg/${kernels}/gramerge.js`);
  const compiled = module ?? (await compile(kernels));
  await glue.default({ module_or_path: compiled });
  return { engine: new glue.Engine(), module: compiled, refusedBytes: glue.refused_bytes };
}

/** @param {string} kernels */
async function compile(kernels) {
  const url = new URL(`../pkg/${kernels}/gramerge_bg.wasm`, import.meta.url);
  return WebAssembly.compileStreaming(fetch(url));
}
