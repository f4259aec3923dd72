// @ts-check
// What the outer page does for this one, or this one by itself where it was opened alone.

import { isFramed } from "./lock.js";

/** Whether users can pick places to write to; the outer page's sandbox leaves that to the browser. */
export const hasPickers = "showSaveFilePicker" in window && "showDirectoryPicker" in window;

/**
 * Hands a file to the browser's downloads.
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  if (isFramed) return parent.postMessage({ type: "save", blob, name }, location.origin);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 600_000);
}
