// @ts-check
/**
 * Where merged bytes are kept until the user saves them: a file in the origin's private file
 * system, or memory where the browser has none.
 */

import { ownFolder } from "./folders.js";
import { startJournal } from "./journal.js";
import { explain, isFull, isShared, openBeside, whenFlushed, writeAll } from "./private.js";

/** @import { Entry } from "./messages.js" */

/** Beyond this, memory is no place for an output. */
const MAX_MEMORY_BYTES = 1 << 30;
/** Until it is looked again whether a file has been closed. */
const CLOSING_MILLIS = 20;

/**
 * @typedef {object} Output
 * @property {Entry[]} finished jobs whose bytes are there already
 * @property {(offsetBytes: number, bytes: Uint8Array) => void | Promise<void>} write
 * @property {FileSystemFileHandle} [shared] what other workers may open and write to
 * @property {(entry: Entry) => void} settle takes a finished job, to record it in due time
 * @property {(entries: Entry[]) => void} record writes down jobs whose bytes have reached the disk
 * @property {() => Promise<File[]>} finish
 * @property {() => Promise<void>} discard
 */

/**
 * One file of the output: they lie one behind the other.
 * @typedef {{name: string, start_bytes: number, len_bytes: number}} Place
 */

/**
 * @param {Place[]} places
 * @param {string} fingerprint identifies the merge, to go on with it after an interruption
 * @param {string} elsewhere what else to do where there is no room
 * @returns {Promise<Output>}
 */
export async function createOutput(places, fingerprint, elsewhere) {
  const totalBytes = places.reduce((sum, { len_bytes }) => sum + len_bytes, 0);
  try {
    return await createFile(places, totalBytes, fingerprint, elsewhere);
  } catch (error) {
    if (totalBytes > MAX_MEMORY_BYTES || isFull(error))
      throw explain(error, totalBytes, elsewhere);
    return createInMemory(places, totalBytes);
  }
}

/**
 * @param {Place[]} places
 * @param {number} totalBytes
 * @param {string} fingerprint
 * @param {string} elsewhere
 * @returns {Promise<Output>}
 */
async function createFile(places, totalBytes, fingerprint, elsewhere) {
  const { folder, interrupted } = await ownFolder(fingerprint);
  const name = interrupted?.name ?? `${crypto.randomUUID()}.safetensors`;
  if (!interrupted) await checkSpace(totalBytes);
  const file = await folder.getFileHandle(name, { create: true });
  const handle = await openBeside(file);
  const discard = async () => {
    handle.close();
    await removeClosing(folder, name);
  };
  /** @param {number} endBytes @param {() => void} action */
  const attempt = (endBytes, action) => {
    try {
      action();
    } catch (error) {
      throw explain(error, endBytes, elsewhere);
    }
  };
  try {
    // An interrupted output has its length from the start.
    const entries = handle.getSize() === totalBytes ? (interrupted?.entries ?? []) : [];
    handle.truncate(totalBytes);
    const journal = await startJournal(folder, { name, fingerprint, entries });
    const settle = whenFlushed(handle, journal.add);
    const shared = isShared(handle) ? file : undefined;
    return {
      finished: entries,
      shared,
      write: (offsetBytes, bytes) =>
        attempt(offsetBytes + bytes.length, () => writeAll(handle, offsetBytes, bytes)),
      settle(entry) {
        // Else the worker that wrote its bytes does, and only the end waits here for the disk.
        if (!shared) attempt(totalBytes, () => settle(entry));
      },
      record: (entries) => attempt(totalBytes, () => journal.add(entries)),
      async finish() {
        attempt(totalBytes, () => handle.flush());
        handle.close();
        await journal.remove();
        // Before old results go: the browser answers in order, and removing gigabytes takes a while.
        const whole = await file.getFile();
        await removeOthers(folder, name);
        return cut(whole, places);
      },
      async discard() {
        await journal.remove();
        await discard();
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** A browser's own estimate may be too high, but never is too low. @param {number} totalBytes */
async function checkSpace(totalBytes) {
  const { quota = Infinity, usage = 0 } = await navigator.storage.estimate();
  if (quota - usage < totalBytes) throw new DOMException("", "QuotaExceededError");
}

/**
 * Removes a file, as soon as workers that have just been stopped have closed it. If it cannot be
 * removed, it goes with the folder.
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 */
async function removeClosing(folder, name) {
  for (;;) {
    try {
      return await folder.removeEntry(name);
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "NoModificationAllowedError") return;
      await new Promise((resolve) => setTimeout(resolve, CLOSING_MILLIS));
    }
  }
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} kept
 */
async function removeOthers(folder, kept) {
  const others = [];
  for await (const name of folder.keys()) if (name !== kept) others.push(name);
  // A file that the page still offers may be open; it goes with the folder. Nobody need wait for it.
  for (const name of others) folder.removeEntry(name).catch(() => {});
}

/** The single files, which take no room of their own. @param {Blob} whole @param {Place[]} places */
function cut(whole, places) {
  return places.map(
    ({ name, start_bytes, len_bytes }) =>
      new File([whole.slice(start_bytes, start_bytes + len_bytes)], name),
  );
}

/** @param {Place[]} places @param {number} totalBytes @returns {Output} */
function createInMemory(places, totalBytes) {
  const bytes = new Uint8Array(totalBytes);
  return {
    finished: [],
    write: (offsetBytes, piece) => bytes.set(piece, offsetBytes),
    settle() {},
    record() {},
    finish: async () => cut(new Blob([bytes]), places),
    discard: async () => {},
  };
}
