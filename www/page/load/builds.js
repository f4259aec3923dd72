// @ts-check
// Which builds of the engine this browser can run.
//
// Builds for the processor differ only in their kernels: with relaxed SIMD a multiply and an add
// are one fused instruction. A module that uses a single such instruction tells whether the browser
// has them. A third build can use a graphics card; it is large, and loaded only where there is one.
// The service worker asks as well, to keep the same builds for offline use.

/** `(func (result v128) ... i8x16.relaxed_swizzle)` */
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15,
  65, 2, 253, 15, 253, 128, 2, 11,
]);

/** A browser in the background may never answer. */
const PATIENCE_MILLIS = 2000;

/** The folder under `pkg/` of the processor's build. */
export function processorBuild() {
  return WebAssembly.validate(RELAXED_PROBE) ? "relaxed" : "simd128";
}

/**
 * The folder under `pkg/` of the graphics card's build, if it is to be used.
 * @param {"auto" | "cpu" | "gpu"} device `gpu` takes what there is; `auto` no software, which is
 *   slower than the processor's own kernels
 */
export async function cardBuild(device) {
  if (device === "auto") return (await hasCard()) ? "gpu" : undefined;
  return device === "gpu" ? "gpu" : undefined;
}

async function hasCard() {
  const gpu = /** @type {any} */ (navigator).gpu;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MILLIS));
  const asked = Promise.resolve(gpu?.requestAdapter({ powerPreference: "high-performance" }));
  const adapter = await Promise.race([asked, late]).catch(() => null);
  return Boolean(adapter) && !adapter.info?.isFallbackAdapter;
}

/**
 * The folders that a session uses unless its address asks for a device. What is not loaded before
 * the network is locked cannot be had later.
 * @returns {Promise<string[]>}
 */
export async function usableBuilds() {
  const card = await cardBuild("auto");
  return card ? [processorBuild(), card] : [processorBuild()];
}
