// @ts-check
// Tells of an interrupted merge, which can be gone on with or discarded.

import { BUILD } from "../../build.js";
import { isInterrupted, removeAbandoned } from "../../shared/abandoned.js";
import { announce, byId } from "../kit/dom.js";

/** Once the page can be used. */
export async function tellOfInterrupted() {
  // There may be no private storage, or nothing in it.
  if (!(await isInterrupted(BUILD).catch(() => false))) return;
  byId("interrupted", HTMLElement).hidden = false;
  byId("discard", HTMLButtonElement).addEventListener("click", discard);
}

async function discard() {
  await removeAbandoned();
  forgetInterrupted();
  byId("pick-files", HTMLInputElement).focus();
  announce("The interrupted merge is discarded");
}

/** A merge that begins goes on with it or removes it. */
export function forgetInterrupted() {
  byId("interrupted", HTMLElement).hidden = true;
}
