// @ts-check
// The lock as the user sees it: a badge that counts, and the leak test with its table.

/** @import { Result } from "../../shared/attempt.js" */
/** @import { Parts } from "../load/parts.js" */

import { announce, byId, el, replace } from "../kit/dom.js";
import { count } from "../kit/format.js";
import { tryToLeak } from "./leaks.js";

const PLACES = ["page", "worker", "worker of a worker"];

/** @param {number} nRequests */
export function showLock(nRequests) {
  byId("lock-badge", HTMLElement).dataset.lock = nRequests === 0 ? "locked" : "leaking";
  const requests = count(nRequests, "request");
  byId("lock-state", HTMLElement).textContent = `Network locked · ${requests}`;
  byId("lock-counts", HTMLElement).textContent = `${requests} since the network was locked`;
}

/** Without all its parts the page stays open to the network, and takes no files. */
export function showUnlocked() {
  byId("lock-badge", HTMLElement).dataset.lock = "failed";
  byId("lock-state", HTMLElement).textContent = "Network not locked: no files are taken";
}

/** @param {Parts} parts */
export function bindLeakTest(parts) {
  const button = byId("leak", HTMLButtonElement);
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    /** @type {Result[]} */
    const results = [];
    await tryToLeak(parts, (result) => {
      results.push(result);
      showResults(results);
    });
    button.disabled = false;
    announce(summary(results));
  });
}

/** @param {Result[]} results */
function showResults(results) {
  byId("leak-results", HTMLElement).hidden = false;
  byId("leak-summary", HTMLElement).textContent = summary(results);
  replace(byId("leak-rows", HTMLElement), ...byRoute(results).map(row), webRtcRow());
}

/** @param {Result[]} results */
function summary(results) {
  const stopped = results.filter(({ stoppedBy }) => stoppedBy !== undefined).length;
  if (stopped === results.length) return `${count(stopped, "attempt")}, every one stopped.`;
  return `${count(results.length, "attempt")}, ${results.length - stopped} NOT stopped.`;
}

/** The same route from page and workers shares a row. @param {Result[]} results */
function byRoute(results) {
  const names = [...new Set(results.map(({ name }) => name))];
  return names.map((name) => results.filter((result) => result.name === name));
}

/** @param {Result[]} results */
function row(results) {
  const how = new Set(results.map(({ stoppedBy }) => stoppedBy ?? "not stopped"));
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, results[0]?.name),
    ...PLACES.map((place) => verdict(results.find(({ from }) => from === place))),
    el("td", { class: "facts" }, [...how].join("; ")),
  );
}

/** @param {Result | undefined} result */
function verdict(result) {
  if (!result) return el("td", {});
  const isStopped = result.stoppedBy !== undefined;
  return el(
    "td",
    { class: isStopped ? "good" : "bad" },
    el("span", { "aria-hidden": "true" }, isStopped ? "✓" : "✗"),
    el("span", { class: "unseen" }, isStopped ? "stopped" : "NOT stopped"),
  );
}

/** Said where everybody looks, since most browsers leave it open. */
function webRtcRow() {
  const why =
    "Not tried: only Chromium, from version 152 on, lets a page close it, and this one does. No code of this page uses it.";
  return el(
    "tr",
    { class: "open" },
    el("th", { scope: "row" }, "WebRTC"),
    el("td", { colspan: PLACES.length + 1, class: "facts" }, why),
  );
}
