// @ts-check
/**
 * Ways of a computing worker's output: into the file where browsers let several workers write to one,
 * else in pieces to the worker that holds the file.
 *
 * The engine lends its memory for the call only, and makes its next piece while one is written.
 */

import { explain, openBeside, whenFlushed, writeAll } from "./private.js";

/** @import { Entry } from "./messages.js" */

/**
 * @typedef {object} Outlet
 * @property {(offsetBytes: number, bytes: Uint8Array) => void | Promise<void>} write
 * @property {(entry: Entry) => void} settle takes a finished job, to tell in due time
 */

/**
 * Straight into the file.
 * @param {FileSystemFileHandle} file
 * @param {string} elsewhere what else to do where there is no room
 * @param {(why: string) => void} refused told before writing fails
 * @param {(entries: Entry[]) => void} settled told of jobs when their bytes have reached the disk
 * @returns {Promise<Outlet>}
 */
export async function openFile(file, elsewhere, refused, settled) {
  const handle = await openBeside(file);
  /** @param {number} endBytes @param {() => void} action */
  const attempt = (endBytes, action) => {
    try {
      action();
    } catch (error) {
      const explained = explain(error, endBytes, elsewhere);
      refused(explained.message);
      throw explained;
    }
  };
  const settle = whenFlushed(handle, settled);
  return {
    write: (offsetBytes, bytes) =>
      attempt(offsetBytes + bytes.length, () => writeAll(handle, offsetBytes, bytes)),
    settle: (entry) => attempt(handle.getSize(), () => settle(entry)),
  };
}

/**
 * In pieces, each acknowledged. The acknowledgement brings the piece's buffer back, which carries a
 * later one: browsers collect large buffers so late that a fresh one each time would take hundreds
 * of megabytes.
 * @param {(offsetBytes: number, bytes: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>} send
 * @returns {Outlet}
 */
export function inPieces(send) {
  /** @type {ArrayBuffer | undefined} */
  let spare;
  return {
    async write(offsetBytes, bytes) {
      const buffer = spare && spare.byteLength >= bytes.length ? spare : undefined;
      spare = undefined;
      const piece = new Uint8Array(buffer ?? new ArrayBuffer(bytes.length), 0, bytes.length);
      piece.set(bytes);
      spare = await send(offsetBytes, piece);
    },
    settle() {}, // whoever writes the pieces does
  };
}
