// Whether the report shown is of the present files and settings.

/** @import { PickedFile, Selection } from "../protocol.js" */

import { byId } from "./dom.js";
import { companions, readOptions } from "./settings.js";

/** What the report shown was made with; none if none is shown. @type {string | null} */
let reported = null;

/** @param {boolean} isOutdated */
function mark(isOutdated) {
  byId("report-outdated", HTMLElement).hidden = !isOutdated;
}

/**
 * All that a merge would be made of now; empty if the settings cannot be read.
 * @param {PickedFile[]} files
 * @param {Selection} selection
 */
export function setUp(files, { models }) {
  const used = models.flatMap((model) => [...model.files, model.gram ?? -1]).concat(companions());
  const known = used.map((i) => {
    const file = files[i]?.file;
    return file && [file.name, file.size, file.lastModified];
  });
  try {
    return JSON.stringify([known, readOptions(models.length)]);
  } catch {
    return "";
  }
}

/** A report was made with this. @param {string | null} now none if it is gone */
export function remember(now) {
  reported = now;
  mark(false);
}

/** Says of the report shown whether it is of something else. @param {string} now */
export function compare(now) {
  mark(reported !== null && reported !== now);
}
