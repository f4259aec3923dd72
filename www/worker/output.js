// @ts-check
/**
 * Where merged bytes are kept until the user saves them: a file in the origin's private file
 * system, or memory where the browser has none.
 *
 * Each worker keeps its files in a folder of its own, and holds a lock of the folder's name for as
 * long as it lives. Folders without a holder were left behind by closed tabs and are removed.
 */

const FOLDER = "gramerge";
/** Beyond this, memory is no place for an output. */
const MAX_MEMORY_BYTES = 1 << 30;
/** Chromium writes larger pieces at a third of the speed. */
const WRITE_BYTES = 1 << 20;

/**
 * @typedef {object} Output
 * @property {(offsetBytes: number, bytes: Uint8Array) => void} write
 * @property {() => Promise<File>} finish
 * @property {() => Promise<void>} discard
 */

/** The folder of this worker, once it has one. @type {Promise<FileSystemDirectoryHandle> | undefined} */
let ownFolder;
let nextNumber = 1;

/**
 * @param {number} totalBytes
 * @returns {Promise<Output>}
 */
export async function createOutput(totalBytes) {
  try {
    return await createFile(totalBytes);
  } catch (error) {
    if (totalBytes > MAX_MEMORY_BYTES || isFull(error)) throw explain(error, totalBytes);
    return createInMemory(totalBytes);
  }
}

/** @param {number} totalBytes */
async function createFile(totalBytes) {
  ownFolder ??= makeFolder();
  const folder = await ownFolder;
  const name = `merged-${nextNumber++}.safetensors`;
  const file = await folder.getFileHandle(name, { create: true });
  const handle = await file.createSyncAccessHandle();
  const discard = async () => {
    handle.close();
    await folder.removeEntry(name);
  };
  try {
    handle.truncate(totalBytes);
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    write: (/** @type {number} */ offsetBytes, /** @type {Uint8Array} */ bytes) =>
      writeAll(handle, offsetBytes, bytes),
    finish: async () => {
      handle.flush();
      handle.close();
      await removeOthers(folder, name);
      return file.getFile();
    },
    discard,
  };
}

/**
 * @param {FileSystemSyncAccessHandle} handle
 * @param {number} offsetBytes
 * @param {Uint8Array} bytes
 */
function writeAll(handle, offsetBytes, bytes) {
  try {
    for (let start = 0; start < bytes.length; start += WRITE_BYTES) {
      const part = bytes.subarray(start, start + WRITE_BYTES);
      const written = handle.write(part, { at: offsetBytes + start });
      if (written !== part.length) throw new DOMException("", "QuotaExceededError");
    }
  } catch (error) {
    throw explain(error, offsetBytes + bytes.length);
  }
}

async function makeFolder() {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  await removeAbandoned(folder);
  const name = crypto.randomUUID();
  await new Promise((resolve) => {
    navigator.locks.request(`${FOLDER}/${name}`, () => {
      resolve(undefined);
      return new Promise(() => {}); // held until this worker ends
    });
  });
  return folder.getDirectoryHandle(name, { create: true });
}

/** @param {FileSystemDirectoryHandle} folder */
async function removeAbandoned(folder) {
  for await (const name of folder.keys()) {
    await navigator.locks.request(`${FOLDER}/${name}`, { ifAvailable: true }, async (lock) => {
      // Another tab may be removing it too.
      if (lock) await folder.removeEntry(name, { recursive: true }).catch(() => {});
    });
  }
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} kept
 */
async function removeOthers(folder, kept) {
  for await (const name of folder.keys()) {
    // A file that the page still offers may be open; it goes with the folder.
    if (name !== kept) await folder.removeEntry(name).catch(() => {});
  }
}

/** @param {number} totalBytes */
function createInMemory(totalBytes) {
  const bytes = new Uint8Array(totalBytes);
  return {
    write: (/** @type {number} */ offsetBytes, /** @type {Uint8Array} */ piece) =>
      bytes.set(piece, offsetBytes),
    finish: async () => new File([bytes], "merged.safetensors"),
    discard: async () => {},
  };
}

/** @param {unknown} error */
const isFull = (error) => error instanceof DOMException && error.name === "QuotaExceededError";

/**
 * @param {unknown} error
 * @param {number} bytes
 */
function explain(error, bytes) {
  const size = `${Math.ceil(bytes / 1e6)} MB`;
  if (isFull(error)) return new Error(`the browser has no room for ${size}: free some disk space`);
  return new Error(`the browser offers no file to write ${size} to: leave private browsing, or use the command line`);
}
