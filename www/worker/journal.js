// @ts-check
/**
 * What a merge has finished, kept beside its unfinished output, so that a merge which a crash or a
 * closed tab interrupts can go on.
 *
 * The first line names the output and identifies the merge: inputs, settings, build. Every other line
 * is a finished job. A job is written down only after the output's bytes have reached the disk. The
 * journal itself need not: what a power failure takes of it is merged again.
 */

import { JOURNAL } from "../shared/abandoned.js";

/** @import { Entry } from "./messages.js" */

/** @typedef {{name: string, fingerprint: string, entries: Entry[]}} Journal */

/**
 * The journal in a folder. A line that was cut short by a crash ends it.
 * @param {FileSystemDirectoryHandle} folder
 * @returns {Promise<Journal>}
 */
export async function readJournal(folder) {
  const file = await (await folder.getFileHandle(JOURNAL)).getFile();
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
 */
export async function startJournal(folder, { name, fingerprint, entries }) {
  const file = await folder.getFileHandle(JOURNAL, { create: true });
  const handle = await file.createSyncAccessHandle();
  handle.truncate(0);
  let end = 0;
  /** @param {string} text */
  const append = (text) => {
    end += handle.write(new TextEncoder().encode(text), { at: end });
  };
  /** @param {Entry[]} entries whose bytes have reached the disk */
  const add = (entries) => append(entries.map((entry) => `\n${JSON.stringify(entry)}`).join(""));

  append(JSON.stringify({ name, fingerprint }));
  add(entries);
  return {
    add,
    /** The output is whole, or given up. */
    async remove() {
      handle.close();
      await folder.removeEntry(JOURNAL);
    },
  };
}
