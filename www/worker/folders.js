// @ts-check
/**
 * Folders of the origin's private file system, one per worker that writes.
 *
 * A worker holds a lock of its folder's name for as long as it lives. A folder without a holder was
 * left behind by a closed or crashed tab: it is taken over by who goes on with its merge, and
 * removed by anyone else.
 */

import { readJournal } from "./journal.js";

/** @import { Journal } from "./journal.js" */

const FOLDER = "gramerge";

/**
 * A folder of this worker's, and the interrupted merge in it.
 * @typedef {{folder: FileSystemDirectoryHandle, interrupted?: Journal}} Own
 */

/** @type {Own | undefined} */
let own;

/**
 * This worker's folder. The first time, an abandoned one with a journal of that fingerprint is taken
 * over, and all other abandoned ones are removed.
 * @param {string} fingerprint of the merge that is to begin
 * @returns {Promise<Own>}
 */
export async function ownFolder(fingerprint) {
  if (own) return { folder: own.folder };
  const root = await navigator.storage.getDirectory();
  const parent = await root.getDirectoryHandle(FOLDER, { create: true });
  for await (const name of parent.keys()) {
    const taken = await visit(parent, name, own ? undefined : fingerprint);
    own ??= taken;
  }
  return (own ??= await make(parent));
}

/** @param {FileSystemDirectoryHandle} parent @returns {Promise<Own>} */
async function make(parent) {
  const name = crypto.randomUUID();
  await new Promise((resolve) => {
    navigator.locks.request(`${FOLDER}/${name}`, () => {
      resolve(undefined);
      return new Promise(() => {}); // held until this worker ends
    });
  });
  return { folder: await parent.getDirectoryHandle(name, { create: true }) };
}

/**
 * Takes the folder over if it is abandoned and holds that merge; removes it if it is abandoned.
 * @param {FileSystemDirectoryHandle} parent
 * @param {string} name
 * @param {string | undefined} fingerprint
 * @returns {Promise<Own | undefined>}
 */
function visit(parent, name, fingerprint) {
  return new Promise((resolve, reject) => {
    const lock = `${FOLDER}/${name}`;
    const visited = navigator.locks.request(lock, { ifAvailable: true }, async (held) => {
      if (!held) return resolve(undefined);
      const found = fingerprint && (await interrupted(parent, name, fingerprint));
      if (!found) {
        // Another tab may be removing it too.
        await parent.removeEntry(name, { recursive: true }).catch(() => {});
        return resolve(undefined);
      }
      resolve(found);
      return new Promise(() => {}); // held until this worker ends
    });
    visited.catch(reject);
  });
}

/**
 * @param {FileSystemDirectoryHandle} parent
 * @param {string} name
 * @param {string} fingerprint
 * @returns {Promise<Own | undefined>}
 */
async function interrupted(parent, name, fingerprint) {
  try {
    const folder = await parent.getDirectoryHandle(name);
    const journal = await readJournal(folder);
    if (journal.fingerprint === fingerprint) return { folder, interrupted: journal };
  } catch {
    // What cannot be read cannot be gone on with.
  }
  return undefined;
}
