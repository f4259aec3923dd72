// @ts-check
// Whether the report shown is of the present files and settings.

/** @import { Options, PickedFile, Selection } from "../../protocol.js" */

import { byId } from "../kit/dom.js";
import { companions } from "../settings/companions.js";
import { everyModel } from "../settings/selection.js";

/** What the report shown was made with; none if none is shown. @type {string | null} */
let reported = null;

/** @param {boolean} isOutdated */
function mark(isOutdated) {
  byId("report-outdated", HTMLElement).hidden = !isOutdated;
}

/**
 * All that a merge would be made of.
 * @param {PickedFile[]} files
 * @param {Selection} selection
 * @param {Options} options
 */
export function setUp(files, selection, options) {
  const used = everyModel(selection).flatMap((model) => [...model.files, model.gram ?? -1]).concat(companions());
  const known = used.map((i) => {
    const file = files[i]?.file;
    return file && [file.name, file.size, file.lastModified];
  });
  return JSON.stringify([known, options]);
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
