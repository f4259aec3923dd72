// @ts-check
/**
 * Whether a graphics card should solve. The engine that can use one is large, and loaded only then.
 */

/** An adapter in a background tab may never answer. */
const PATIENCE_MILLIS = 5000;

/**
 * @param {"auto" | "cpu" | "gpu"} device `gpu` takes what there is; `auto` no software, which is
 *   slower than the processor's own kernels
 */
export async function wantsCard(device) {
  if (device !== "auto") return device === "gpu";
  const gpu = /** @type {any} */ (navigator).gpu;
  const asked = gpu?.requestAdapter({ powerPreference: "high-performance" });
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MILLIS));
  const adapter = await Promise.race([asked, late]).catch(() => null);
  return Boolean(adapter) && !adapter.info?.isFallbackAdapter;
}
