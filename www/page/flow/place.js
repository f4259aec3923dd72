// @ts-check
// Places outside the browser's own storage, which the user picks.

import { clearAlert, showError } from "../kit/alert.js";

/** @typedef {FileSystemFileHandle | FileSystemDirectoryHandle} Target */

/**
 * A place that the user picks: none if the picker is closed, or does not open.
 * @param {"merge" | "save"} purpose
 * @param {boolean} isFolder
 * @returns {Promise<Target | null>}
 */
export async function pickPlace(purpose, isFolder) {
  clearAlert(purpose);
  try {
    return isFolder
      ? await showDirectoryPicker({ mode: "readwrite" })
      : await showSaveFilePicker({ suggestedName: "merged.safetensors" });
  } catch (error) {
    const isClosed = error instanceof DOMException && error.name === "AbortError";
    if (!isClosed) showError(purpose, "There is no place to write to.", error);
    return null;
  }
}
