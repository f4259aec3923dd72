// @ts-check
/**
 * Places outside the browser's own storage, which the user picked: a file, or a folder for several.
 *
 * What is written to a file appears in it when it is closed, and not before. So all files are closed
 * at the very end, and what was begun is removed if that end is not reached.
 */

/** @import { Output, Place } from "./output.js" */

/** @typedef {FileSystemFileHandle | FileSystemDirectoryHandle} Target */
/** @typedef {{name: string, startBytes: number, handle: FileSystemFileHandle, stream?: FileSystemWritableFileStream}} Open */

/** Small enough for slow disks to show progress. */
const PIECE_BYTES = 4 << 20;

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError: "the browser may not write it: choose the place again and allow it",
  QuotaExceededError: "there is no room for it: free some disk space, or choose another place",
  NotFoundError: "it is gone: choose another place, or merge again",
  NotReadableError: "it can no longer be read: merge again",
};

/**
 * An output of these files at the target, and the extras, which are written last.
 * @param {Target} target
 * @param {Place[]} places
 * @param {File[]} extras
 * @param {AbortSignal} signal
 * @returns {Promise<Output & {write: (offsetBytes: number, data: Uint8Array | Blob) => Promise<void>}>}
 */
export async function openPicked(target, places, extras, signal) {
  /** @type {Open[]} */
  const open = [];
  const cancelled = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  cancelled.catch(() => {}); // nobody may be waiting
  /** A slow disk does not keep who cancels waiting. @param {() => Promise<void>} action */
  const unlessCancelled = async (action) => {
    signal.throwIfAborted();
    await Promise.race([action(), cancelled]);
  };
  const removeAll = async () => {
    for (const { handle, stream } of open) {
      await stream?.abort().catch(() => {});
      await removeOwn(target, handle).catch(() => {});
    }
  };
  const discard = async () => {
    const removed = removeAll();
    if (!signal.aborted) await removed;
  };
  try {
    for (const { name, start_bytes } of places) await add(target, name, start_bytes, open);
    for (const { name } of extras) await add(target, name, Infinity, open);
    signal.throwIfAborted();
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    finished: [],
    settle() {},
    record() {},
    discard,
    async write(offsetBytes, data) {
      const file = open.findLast(({ startBytes }) => startBytes <= offsetBytes);
      if (file) await unlessCancelled(() => write(file, offsetBytes - file.startBytes, data));
    },
    async finish() {
      for (const [index, extra] of extras.entries())
        await unlessCancelled(() => write(open[places.length + index], 0, extra));
      signal.throwIfAborted();
      for (const { name, stream } of open) await explained(name, () => stream?.close());
      return Promise.all(open.slice(0, places.length).map(({ handle }) => handle.getFile()));
    },
  };
}

/** @param {Target} target @param {string} name @param {number} startBytes @param {Open[]} open */
async function add(target, name, startBytes, open) {
  await explained(name, async () => {
    const handle = target.kind === "file" ? target : await newFile(target, name);
    /** @type {Open} */
    const file = { name: handle.name, startBytes, handle };
    open.push(file);
    file.stream = await handle.createWritable();
  });
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name */
async function newFile(folder, name) {
  const isTaken = await folder.getFileHandle(name).then(
    () => true,
    () => false,
  );
  if (isTaken) throw new Error(`the folder already holds \`${name}\`: choose an empty one`);
  return folder.getFileHandle(name, { create: true });
}

/** @param {Open} file @param {number} position @param {Uint8Array | Blob} data */
function write({ name, stream }, position, data) {
  return explained(name, () =>
    stream?.write({ type: "write", position, data: /** @type {Blob} */ (data) }),
  );
}

/** A picked file that holds something is not ours. @param {Target} target @param {FileSystemFileHandle} handle */
async function removeOwn(target, handle) {
  if (target.kind === "directory" || (await handle.getFile()).size === 0) await handle.remove();
}

/** A place that was not used after all: for a new name, pickers make an empty file. @param {Target | undefined} target */
export function leave(target) {
  if (target?.kind === "file") removeOwn(target, target).catch(() => {});
}

/**
 * Copies files to the target, with progress.
 * @param {Target | undefined} target
 * @param {File[]} files
 * @param {File[]} extras
 * @param {AbortSignal} signal
 * @param {(response: import("../protocol.js").Response) => void} reply
 */
export async function copyTo(target, files, extras, signal, reply) {
  if (!target) throw new Error("no place was chosen");
  let endBytes = 0;
  const places = files.map(({ name, size }) => {
    endBytes += size;
    return { name, start_bytes: endBytes - size, len_bytes: size };
  });
  const output = await openPicked(target, places, extras, signal);
  try {
    for (const [index, { name, start_bytes, len_bytes }] of places.entries()) {
      for (let at = 0; at < len_bytes; at += PIECE_BYTES) {
        // A slice is copied by the browser and never comes here.
        const piece = files[index].slice(at, at + PIECE_BYTES);
        await output.write(start_bytes + at, piece);
        const written_bytes = start_bytes + Math.min(at + PIECE_BYTES, len_bytes);
        reply({
          type: "progress",
          tensors_done: index + Number(at + PIECE_BYTES >= len_bytes),
          tensors_total: files.length,
          fraction: written_bytes / endBytes,
          written_bytes,
          current: name,
        });
      }
    }
    return await output.finish();
  } catch (error) {
    await output.discard();
    throw error;
  }
}

/**
 * Failures in words of our own: a browser's are about its insides.
 * @param {string} name
 * @param {() => Promise<void> | undefined} action
 */
async function explained(name, action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    const why = REASONS[error.name] ?? `it cannot be written (${error.message}): choose another place`;
    throw new Error(`\`${name}\`: ${why}`);
  }
}
