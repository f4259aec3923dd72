// @ts-check
// Which builds of the engine this browser can run.
//
// Builds for the processor differ only in their kernels: with relaxed SIMD a multiply and an add
// are one fused instruction. A module that uses a single such instruction tells whether the browser
// has them. The service worker asks as well, to keep the same builds for offline use.

/** `(func (result v128) ... i8x16.relaxed_swizzle)` */
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15,
  65, 2, 253, 15, 253, 128, 2, 11,
]);

/**
 * The folders under `pkg/` that a session may use, the processor's build first. All of them are
 * loaded before the network is locked: what is not in this list cannot be had later.
 * @returns {Promise<string[]>}
 */
export async function usableBuilds() {
  return [WebAssembly.validate(RELAXED_PROBE) ? "relaxed" : "simd128"];
}
