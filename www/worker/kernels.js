// @ts-check
/**
 * Makes an engine of what the page has loaded. Asks for nothing itself: by now the network is
 * locked.
 */

/**
 * One build of the engine, in hand.
 * @typedef {object} Build
 * @property {string} name of its kernels
 * @property {string} glue `blob:` address of the module that binds it to JavaScript
 * @property {WebAssembly.Module} module
 */

/** @import { Engine } from "./messages.js" */

/**
 * @param {Build} build
 * @returns {Promise<{ engine: Engine, digest: (files: File[], signal: AbortSignal) => Promise<import("../protocol.js").Response>, refusedBytes: () => number }>}
 */
export async function makeEngine({ glue, module }) {
  const { default: init, Engine, digest, refused_bytes: refusedBytes } = await import(glue);
  await init({ module_or_path: module });
  return { engine: new Engine(), digest, refusedBytes };
}
