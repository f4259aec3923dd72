// @ts-check
// The merged files: their names, sizes and digests, and how they are saved.

/** @import { Report, WrittenFile } from "../../protocol.js" */
/** @import { Result } from "../flow/client.js" */

import { clearAlert, showAlert } from "../kit/alert.js";
import { breakable, byId, el, replace } from "../kit/dom.js";
import { bytes, count, printable, sizeOf } from "../kit/format.js";
import { download, hasPickers } from "../lock/outer.js";

/** Browsers drop downloads that come too close together. */
const APART_MILLIS = 200;

/**
 * What is shown, and which of its files somebody has saved.
 * @type {{ report: Report, files: File[], isDirect: boolean, saved: Set<File> } | null}
 */
let current = null;

export function bindResult() {
  byId("save", HTMLButtonElement).addEventListener("click", saveAll);
  byId("save-report", HTMLButtonElement).addEventListener("click", () => {
    if (!current) return;
    const json = JSON.stringify(current.report, null, 2);
    download(new Blob([json], { type: "application/json" }), "merge-report.json");
  });
}

/** Whether every file is where the user wants it, or on the way there. */
export function isSaved() {
  return !current || current.isDirect || current.files.every((file) => current?.saved.has(file));
}

/** Gives all files to the browser's downloads. */
export function saveAll() {
  hand(current?.files ?? []);
}

/** The merged files as a sentence begins with them. */
export function shownResult() {
  return described(current?.files ?? []);
}

/** Gives files to the browser's downloads. @param {File[]} files */
function hand(files) {
  clearAlert("save");
  files.forEach((file) => current?.saved.add(file));
  files.forEach((file, i) => setTimeout(() => download(file, file.name), i * APART_MILLIS));
  const may = files.length > 1 ? ", where the browser may ask whether it may save several" : "";
  note(`Sent to your downloads${may}: ${described(files)}.`);
}

/** @param {string} text */
function note(text) {
  byId("save-note", HTMLElement).textContent = text;
}

/** @param {File[]} files */
function described(files) {
  const what = files.length === 1 ? printable(files[0]?.name ?? "") : count(files.length, "file");
  return `${what}, ${bytes(sizeOf(files))}`;
}

/**
 * @param {Report} report
 * @param {Result} result
 * @param {boolean} isDirect the files are where the user wants them
 */
export function renderResult(report, { files, extras }, isDirect) {
  const all = [...files, ...extras];
  current = { report, files: all, isDirect, saved: new Set() };
  byId("save", HTMLElement).hidden = isDirect;
  byId("save-to", HTMLElement).hidden = isDirect || !hasPickers;
  byId("save-to", HTMLElement).textContent =
    all.length > 1 ? "Save into a folder…" : "Save to a place of your choice…";
  note((isDirect ? "Written to the place that you chose: " : "") + described(all));
  byId("report-digest", HTMLElement).textContent = "SHA-256: reading what was merged";
  renderFiles();
}

/** The files' digests, once they have been read again. @param {WrittenFile[] | undefined} files */
export function renderDigests(files) {
  if (!current) return;
  current.report.files = files ?? [];
  byId("report-digest", HTMLElement).textContent = !files
    ? "SHA-256: what was merged could not be read again"
    : current.files.length === 1
      ? `SHA-256: ${files[0]?.sha256}`
      : "Each with its SHA-256 below";
  renderFiles();
}

/** Each of several files, with its digest. */
function renderFiles() {
  if (!current) return;
  const { report, files, isDirect } = current;
  const row = (/** @type {File} */ file, /** @type {number} */ i) =>
    el(
      "li",
      {},
      el("span", { class: "path" }, breakable(printable(file.name))),
      el("span", { class: "facts" }, bytes(file.size)),
      el("span", { class: "facts digest" }, report.files[i]?.sha256 ?? ""),
      !isDirect &&
        el(
          "button",
          {
            class: "quiet",
            "aria-label": `Save ${printable(file.name)}`,
            onclick: () => hand([file]),
          },
          "Save",
        ),
    );
  replace(byId("report-files", HTMLElement), ...(files.length > 1 ? files.map(row) : []));
}

/**
 * @param {string} place where the files were saved
 * @param {WrittenFile[]} [saved] what was read back; empty if it cannot be read
 */
export function noteSaved(place, saved) {
  const name = printable(place);
  if (!saved) return note(`Saved to ${name}; reading it back.`);
  const wanted = current?.report.files ?? [];
  const isComparable = wanted.length > 0 && saved.length > 0;
  if (!isComparable || wanted.every(({ sha256 }, i) => sha256 === saved[i]?.sha256)) {
    current?.files.forEach((file) => current?.saved.add(file));
    const outcome = isComparable
      ? "read back, its SHA-256 is the same"
      : "its SHA-256 could not be compared";
    return note(`Saved to ${name}; ${outcome}.`);
  }
  showAlert("save", "What was saved is not what was merged.", [
    `\`${name}\` reads back with another SHA-256: remove it and save again.`,
  ]);
}
