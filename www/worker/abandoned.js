// @ts-check
/**
 * Folders of the origin's private file system that closed or crashed tabs left behind, for workers
 * and for the page.
 *
 * Whoever writes to a folder holds a lock of its name for as long as it lives, so a folder without a
 * holder is abandoned.
 */

/** Where all folders are. */
export const FOLDER = "gramerge";
/** In a folder: the merge under way, or interrupted. */
export const JOURNAL = "journal.jsonl";

/** The lock of a folder. @param {string} name */
export const lockOf = (name) => `${FOLDER}/${name}`;

/**
 * Whether there is a merge that can be gone on with. Takes no lock, which would stop who wants to.
 */
export async function isInterrupted() {
  const names = [];
  const parent = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER);
  for await (const name of parent.keys()) {
    const folder = await parent.getDirectoryHandle(name);
    const has = folder.getFileHandle(JOURNAL).then(() => true);
    if (await has.catch(() => false)) names.push(lockOf(name));
  }
  // Asked last: a lock is older than its folder.
  const { held = [] } = await navigator.locks.query();
  return names.some((name) => !held.some((lock) => lock.name === name));
}

/** Removes all of them. */
export async function removeAbandoned() {
  const parent = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER);
  for await (const name of parent.keys()) await visit(parent, name);
}

/**
 * If the folder is abandoned, it is taken over for as long as this worker lives if there is something
 * to take, and else removed.
 * @template T
 * @param {FileSystemDirectoryHandle} parent
 * @param {string} name
 * @param {() => Promise<T | undefined>} [take]
 * @returns {Promise<T | undefined>}
 */
export function visit(parent, name, take) {
  return new Promise((resolve, reject) => {
    const visited = navigator.locks.request(lockOf(name), { ifAvailable: true }, async (held) => {
      const taken = held && (await take?.());
      // Another tab may be removing it too.
      if (held && !taken) await parent.removeEntry(name, { recursive: true }).catch(() => {});
      resolve(taken ?? undefined);
      if (taken) return new Promise(() => {}); // held until this worker ends
    });
    visited.catch(reject);
  });
}
