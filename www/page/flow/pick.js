// @ts-check
// Collects files from the pickers, from drag and drop (folders too), from the clipboard, and from
// the bundled sample. Never reads what is in them.

/** @import { PickedFile } from "../../protocol.js" */

import { byId } from "../kit/dom.js";
import { load } from "../load/parts.js";

const SAMPLE = "samples/digits/";
const MAX_FILES = 20_000;

/**
 * Wires every way of choosing files.
 * @param {(files: PickedFile[]) => void} onPick
 * @param {() => boolean} isBusy
 */
export function bindPickers(onPick, isBusy) {
  for (const id of ["pick-files", "pick-folder"]) {
    const input = byId(id, HTMLInputElement);
    input.addEventListener("change", () => {
      const picked = fromList(input.files);
      input.value = ""; // so that the same file can be chosen again
      if (picked.length > 0) onPick(picked);
    });
  }
  bindDrop(onPick, isBusy);
  document.addEventListener("paste", (event) => {
    const picked = fromList(event.clipboardData?.files);
    if (picked.length > 0 && !isBusy()) onPick(picked);
  });
}

/** @param {FileList | null | undefined} list @returns {PickedFile[]} */
function fromList(list) {
  return [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** @param {(files: PickedFile[]) => void} onPick @param {() => boolean} isBusy */
function bindDrop(onPick, isBusy) {
  /** @param {boolean} on */
  const mark = (on) => document.body.classList.toggle("dragging", on);
  /** @param {DragEvent} event */
  const accepts = (event) => !isBusy() && event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // also keeps a stray drop from opening the file in place of the page
    mark(Boolean(accepts(event)));
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) mark(false);
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    mark(false);
    if (!accepts(event) || !event.dataTransfer) return;
    const picked = await fromDrop(event.dataTransfer);
    if (picked.length > 0) onPick(picked);
  });
}

/** @param {DataTransfer} transfer @returns {Promise<PickedFile[]>} */
async function fromDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return fromList(transfer.files);
  /** @type {PickedFile[]} */
  const picked = [];
  for (const entry of entries) if (entry) await walk(entry, picked);
  return picked;
}

/** @param {FileSystemEntry} entry @param {PickedFile[]} picked @returns {Promise<void>} */
async function walk(entry, picked) {
  if (picked.length >= MAX_FILES) return;
  if (entry.isFile) {
    const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
    picked.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (let batch = await readBatch(reader); batch.length > 0; batch = await readBatch(reader)) {
    for (const inner of batch) await walk(inner, picked);
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
function readBatch(reader) {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

/**
 * Adds files to those at hand. A file picked twice stays once; one that changed on disk takes the
 * place of its old self; other files of a path already taken go into a folder of their own, so
 * that no path means two files.
 * @param {PickedFile[]} old
 * @param {PickedFile[]} added
 * @returns {Promise<PickedFile[]>}
 */
export async function addFiles(old, added) {
  const known = new Set(old.map(identity));
  const places = new Map(old.map(({ path }, index) => [path, index]));
  const files = [...old];
  /** @type {PickedFile[]} */
  const rest = [];
  for (const one of added.filter((one) => !known.has(identity(one)))) {
    const place = places.get(one.path);
    const before = place === undefined ? undefined : old[place];
    if (place !== undefined && before && !(await isReadable(before.file))) files[place] = one;
    else rest.push(one);
  }
  return [...files, ...inFreeFolder(rest, places)];
}

/** @param {PickedFile[]} files @param {Map<string, number>} taken @returns {PickedFile[]} */
function inFreeFolder(files, taken) {
  let folder = "";
  for (let n = 2; files.some(({ path }) => taken.has(folder + path)); n += 1) folder = `${n}/`;
  return files.map(({ path, file }) => ({ path: folder + path, file }));
}

/** Browsers refuse to read a file that changed after it was picked. @param {File} file */
async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** The path as it was picked, without the folder that `addFiles` may have added. @param {PickedFile} one */
function identity({ path, file }) {
  return `${path.replace(/^\d+\//, "")}/${file.size}/${file.lastModified}`;
}

/** The bundled sample, as files like any others. @returns {Promise<PickedFile[]>} */
export async function fetchSample() {
  const { files } = await (await load(`${SAMPLE}manifest.json`)).json();
  return Promise.all(files.map(fetchSampleFile));
}

/** @param {string} name @returns {Promise<PickedFile>} */
async function fetchSampleFile(name) {
  const blob = await (await load(SAMPLE + name)).blob();
  return { path: name, file: new File([blob], name) };
}
