// @ts-check
// Loads everything that workers run, while there is still a network.
//
// Workers start from `blob:` addresses, since only those are under this page's content policy, and
// what they import has to be in memory too. So each module is fetched once, its imports are
// rewritten to the `blob:` addresses of what they name, and it becomes a blob itself.

/** @import { Device } from "../../protocol.js" */
/** @import { Build } from "../../worker/kernels.js" */

import { FILES } from "../../build.js";
import { cardBuild, processorBuild } from "./builds.js";

/**
 * Code in hand; the addresses are `blob:`.
 * @typedef {object} Parts
 * @property {string} coordinator
 * @property {string} compute
 * @property {string} leak what tries to get out, for the leak test
 * @property {Build[]} builds the processor's comes first
 */

/** An import of a neighbouring module: `import … from "../name.js"`. */
const IMPORT = /^(import\b[^"';]*\bfrom\s*)"(\.{1,2}\/[^"]+)"/gm;

/** @param {Device} device @returns {Promise<Parts>} */
export async function loadParts(device) {
  /** The modules so far: shared ones become one blob. @type {Map<string, Promise<string>>} */
  const modules = new Map();
  const [processor, card, coordinator, compute, leak] = await Promise.all([
    loadBuild(processorBuild(), modules),
    cardBuild(device).then((name) => name && loadBuild(name, modules)),
    blobOf("worker/coordinator.js", modules),
    blobOf("worker/compute.js", modules),
    blobOf("worker/leak.js", modules),
  ]);
  const builds = card ? [processor, card] : [processor];
  return { builds, coordinator, compute, leak };
}

/** @param {string} name @param {Map<string, Promise<string>>} modules @returns {Promise<Build>} */
async function loadBuild(name, modules) {
  const [glue, module] = await Promise.all([
    blobOf(`pkg/${name}/gramerge.js`, modules),
    load(`pkg/${name}/gramerge_bg.wasm`).then((response) => WebAssembly.compileStreaming(response)),
  ]);
  return { name, glue, module };
}

/**
 * The `blob:` address of a module whose imports are blobs too.
 * @param {string} path
 * @param {Map<string, Promise<string>>} modules
 * @returns {Promise<string>}
 */
function blobOf(path, modules) {
  const known = modules.get(path);
  if (known) return known;
  const made = load(path)
    .then((response) => response.text())
    .then((text) => withBlobImports(text, path, modules))
    .then((text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  modules.set(path, made);
  return made;
}

/** @param {string} text @param {string} path @param {Map<string, Promise<string>>} modules */
async function withBlobImports(text, path, modules) {
  const imported = [...text.matchAll(IMPORT)].map(([, , name]) => neighbour(path, name ?? ""));
  const blobs = await Promise.all(imported.map((each) => blobOf(each, modules)));
  return text.replace(IMPORT, (_, start) => `${start}"${blobs.shift()}"`);
}

/** What `name` means in the module at `path`. @param {string} path @param {string} name */
function neighbour(path, name) {
  return new URL(name, `http://page/${path}`).pathname.slice(1);
}

/**
 * A file of this very build: the browser compares its digest.
 * @param {string} path
 */
export async function load(path) {
  const wish = { integrity: FILES[path] ?? "" };
  const response = await fetch(path, wish)
    .catch(() => fetch(path, { ...wish, cache: "reload" })) // an older one may have been cached
    .catch(() => null);
  if (response?.ok && path in FILES) return response;
  throw new Error(await whyNot(path));
}

/** @param {string} path */
async function whyNot(path) {
  const plain = await fetch(path).catch(() => null);
  if (!plain) return `\`${path}\` did not load: the server does not answer; reload the page`;
  if (!plain.ok)
    return `the server answered ${plain.status} for \`${path}\`; its copy of the page is incomplete`;
  return `\`${path}\` belongs to another version of this page; reload the page, and if that does not help, empty the browser's cache`;
}
