// @ts-check
// What the outer page tells of the copy that the browser keeps: that it is complete, and that a
// newer version waits. Without an outer page there is no copy.

import { byId } from "../kit/dom.js";
import { isFramed } from "../lock/lock.js";

/** @type {(value?: unknown) => void} */
let kept;
const whenKept = new Promise((resolve) => {
  kept = resolve;
});

addEventListener("message", ({ source, data }) => {
  if (source !== parent || !isFramed) return;
  if (data?.type === "kept") kept();
  // The outer page itself hears the click on the button.
  if (data?.type === "newer") byId("update", HTMLElement).hidden = false;
});

/** Resolves when the copy is complete, or cannot be had here: until then the network is needed. */
export async function keptOffline() {
  if (isFramed) await whenKept;
}
