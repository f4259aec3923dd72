// @ts-check
/**
 * Folders of private files that closed or crashed tabs left behind. The page uses this too.
 *
 * A worker holds a lock of its folder's name for as long as it lives: without one, it is abandoned.
 */

const FOLDER = "gramerge";
/** In a folder: the merge under way, or interrupted. */
export const JOURNAL = "journal.jsonl";

/** @param {FileSystemGetDirectoryOptions} [options] */
export async function folders(options) {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, options);
}

/** The lock of a folder. @param {string} name */
export const lockOf = (name) => `${FOLDER}/${name}`;

/** When a lock is looked at again: a tab that has just closed may hold it a moment longer. */
const WAITS_MILLIS = [0, 200, 800, 2000];

/**
 * Whether there is a merge that this build can go on with. Takes no lock, which would stop who does.
 * @param {string} build
 */
export async function isInterrupted(build) {
  const names = [];
  const parent = await folders();
  for await (const name of parent.keys()) {
    const folder = await parent.getDirectoryHandle(name);
    const text = folder.getFileHandle(JOURNAL).then(async (file) => (await file.getFile()).text());
    if ((await text.catch(() => "")).includes(build)) names.push(lockOf(name));
  }
  if (names.length === 0) return false;
  for (const millis of WAITS_MILLIS) {
    await new Promise((resolve) => setTimeout(resolve, millis));
    // Asked last: a lock is older than its folder.
    const { held = [] } = await navigator.locks.query();
    if (names.some((name) => !held.some((lock) => lock.name === name))) return true;
  }
  return false;
}

/** Removes all of them. */
export async function removeAbandoned() {
  const parent = await folders();
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
