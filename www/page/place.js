// @ts-check
// Places outside the browser's own storage, where it lets a user pick some.

/** @typedef {FileSystemFileHandle | FileSystemDirectoryHandle} Target */

export const hasPickers = "showSaveFilePicker" in window && "showDirectoryPicker" in window;

/**
 * A place that the user picks: nothing if the picker is closed.
 * @param {boolean} isFolder
 * @returns {Promise<Target | null>}
 */
export async function pickPlace(isFolder) {
  try {
    return isFolder
      ? await showDirectoryPicker({ mode: "readwrite" })
      : await showSaveFilePicker({ suggestedName: "merged.safetensors" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
}
