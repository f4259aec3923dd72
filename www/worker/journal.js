// @ts-check
/**
 * What a merge has finished, kept beside its unfinished output, so that a merge which a crash or a
 * closed tab interrupts can go on.
 *
 * The first line names the output and identifies the merge: inputs, settings, build. Every other line
 * is a finished job. A job is written down only after the output's bytes have reached the disk.
 */

const NAME = "journal.jsonl";
/** Reaching the disk takes a while, so it is waited for neither more often nor for more of the time. */
const FLUSH_MILLIS = 1000;
const MAX_FLUSHING = 1 / 16;

/** A finished job. @typedef {{index: number, outcome: unknown}} Entry */

/** @typedef {{name: string, fingerprint: string, entries: Entry[]}} Journal */

/**
 * The journal in a folder. A line that was cut short by a crash ends it.
 * @param {FileSystemDirectoryHandle} folder
 * @returns {Promise<Journal>}
 */
export async function readJournal(folder) {
  const file = await (await folder.getFileHandle(NAME)).getFile();
  const [first, ...lines] = (await file.text()).split("\n");
  const { name, fingerprint } = JSON.parse(first ?? "");
  /** @type {Entry[]} */
  const entries = [];
  for (const line of lines) {
    try {
      entries.push(JSON.parse(line));
    } catch {
      break;
    }
  }
  return { name, fingerprint, entries };
}

/**
 * Starts a journal, with what had been finished before.
 * @param {FileSystemDirectoryHandle} folder
 * @param {Journal} journal
 * @param {FileSystemSyncAccessHandle} output
 */
export async function startJournal(folder, { name, fingerprint, entries }, output) {
  const file = await folder.getFileHandle(NAME, { create: true });
  const handle = await file.createSyncAccessHandle();
  handle.truncate(0);
  let end = 0;
  /** @type {Entry[]} */
  let pending = [];
  let dueMillis = 0;

  /** @param {string} text */
  const append = (text) => {
    end += handle.write(new TextEncoder().encode(text), { at: end });
  };
  const flush = () => {
    const start = performance.now();
    output.flush();
    append(pending.map((entry) => `\n${JSON.stringify(entry)}`).join(""));
    handle.flush();
    pending = [];
    const done = performance.now();
    dueMillis = done + Math.max(FLUSH_MILLIS, (done - start) / MAX_FLUSHING);
  };

  append(JSON.stringify({ name, fingerprint }));
  pending = entries;
  flush();
  return {
    /** @param {Entry} entry */
    add(entry) {
      pending.push(entry);
      if (performance.now() >= dueMillis) flush();
    },
    /** The output is whole, or given up. */
    async remove() {
      handle.close();
      await folder.removeEntry(NAME);
    },
  };
}
