// @ts-check
/**
 * A file in the origin's private file system that several workers write to, each at places of its
 * own.
 */

/** @import { Entry } from "./messages.js" */

/** Chromium writes larger pieces at a third of the speed. */
const WRITE_BYTES = 1 << 20;
/** Reaching the disk takes a while, so it is waited for neither more often nor for more of the time. */
const FLUSH_MILLIS = 1000;
const MAX_FLUSHING = 1 / 16;

/**
 * Opens it beside other workers. Where a browser lets only one worker open a file, it is that one's
 * alone.
 * @param {FileSystemFileHandle} file
 */
export function openBeside(file) {
  return file.createSyncAccessHandle({ mode: "readwrite-unsafe" });
}

/** Whether other workers may open the file too. @param {FileSystemSyncAccessHandle} handle */
export function isShared(handle) {
  return handle.mode === "readwrite-unsafe";
}

/**
 * @param {FileSystemSyncAccessHandle} handle
 * @param {number} offsetBytes
 * @param {Uint8Array} bytes
 */
export function writeAll(handle, offsetBytes, bytes) {
  for (let start = 0; start < bytes.length; start += WRITE_BYTES) {
    const part = bytes.subarray(start, start + WRITE_BYTES);
    const written = handle.write(part, { at: offsetBytes + start });
    if (written !== part.length) throw new DOMException("", "QuotaExceededError");
  }
}

/**
 * Passes jobs on, once the bytes that this handle wrote for them have reached the disk.
 * @param {FileSystemSyncAccessHandle} handle
 * @param {(entries: Entry[]) => void} pass
 */
export function whenFlushed(handle, pass) {
  /** @type {Entry[]} */
  let pending = [];
  let dueMillis = performance.now() + FLUSH_MILLIS;
  /** @param {Entry} entry */
  return (entry) => {
    pending.push(entry);
    const start = performance.now();
    if (start < dueMillis) return;
    handle.flush();
    pass(pending);
    pending = [];
    const end = performance.now();
    dueMillis = end + Math.max(FLUSH_MILLIS, (end - start) / MAX_FLUSHING);
  };
}

/** @param {unknown} error */
export const isFull = (error) =>
  error instanceof DOMException && error.name === "QuotaExceededError";

/**
 * @param {unknown} error
 * @param {number} bytes that should have been written up to here
 * @param {string} elsewhere what else to do where there is no room
 */
export function explain(error, bytes, elsewhere) {
  const size = `${Math.ceil(bytes / 1e6)} MB`;
  if (isFull(error))
    return new Error(`the browser has no room for ${size}: free some disk space${elsewhere}`);
  return new Error(
    `the browser offers no file to write ${size} to: leave private browsing, or use the command line`,
  );
}
