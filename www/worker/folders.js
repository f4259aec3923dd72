// @ts-check
/**
 * Folders of the origin's private file system, one per worker that writes.
 *
 * An abandoned one is taken over by who goes on with its merge, and removed by anyone else.
 */

import { folders, lockOf, visit } from "../shared/abandoned.js";
import { readJournal } from "./journal.js";

/** @import { Journal } from "./journal.js" */

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
  const parent = await folders({ create: true });
  for await (const name of parent.keys()) {
    const take = async () => (own ? undefined : interrupted(parent, name, fingerprint));
    const taken = await visit(parent, name, take);
    own ??= taken;
  }
  return (own ??= await make(parent));
}

/** @param {FileSystemDirectoryHandle} parent @returns {Promise<Own>} */
async function make(parent) {
  const name = crypto.randomUUID();
  await new Promise((resolve) => {
    navigator.locks.request(lockOf(name), () => {
      resolve(undefined);
      return new Promise(() => {}); // held until this worker ends
    });
  });
  return { folder: await parent.getDirectoryHandle(name, { create: true }) };
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
