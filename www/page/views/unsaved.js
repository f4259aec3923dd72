// @ts-check
// The question before a merged model that nobody saved is lost. The browser's own question guards
// the closing of the tab (`main.js`); this one guards what the page itself would do.

import { byId } from "../kit/dom.js";
import { saveAll, shownResult } from "./result.js";

/** @typedef {"save" | "discard" | "cancel"} Answer */

/** @param {string} id */
const button = (id) => byId(id, HTMLButtonElement);

/**
 * Asks whether the merged model may go. Saving it is no leave to go on: a download takes a while, and
 * breaks off if its file is removed.
 * @param {string} cause what would remove it
 */
export async function mayLose(cause) {
  byId("unsaved-text", HTMLElement).textContent =
    `${shownResult()}, is in this tab only, and ${cause} removes it. “Save it” sends it to your downloads; when it is there, go on.`;
  const answer = await ask();
  if (answer === "save") saveAll();
  return answer === "discard";
}

/** Escape is Cancel. The focus goes back to where it was. @returns {Promise<Answer>} */
function ask() {
  const dialog = byId("unsaved", HTMLDialogElement);
  return new Promise((resolve) => {
    /** @type {Answer} */
    let answer = "cancel";
    /** @param {Answer} given */
    const close = (given) => () => {
      answer = given;
      dialog.close();
    };
    button("unsaved-save").onclick = close("save");
    button("unsaved-discard").onclick = close("discard");
    button("unsaved-cancel").onclick = close("cancel");
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    dialog.showModal();
  });
}
