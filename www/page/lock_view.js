// @ts-check
// The lock as the user sees it: a badge that counts, and the leak test with its table.

/** @import { Result } from "../worker/attempt.js" */
/** @import { Parts } from "./parts.js" */

import { announce, byId, el, replace } from "./dom.js";
import { count } from "./format.js";
import { tryToLeak } from "./leaks.js";

/** @typedef {{ requests: number, stopped: number }} Counts */

/** @param {Counts} counts */
export function showLock({ requests, stopped }) {
  const badge = byId("lock-badge", HTMLElement);
  badge.dataset.lock = requests === 0 ? "locked" : "leaking";
  const since = `${count(requests, "request")} since`;
  byId("lock-state", HTMLElement).textContent = `Network locked, ${since}`;
  byId("lock-counts", HTMLElement).textContent =
    stopped === 0 ? since : `${since}, ${count(stopped, "attempt")} stopped`;
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
  const verdicts = results.map(({ from, stoppedBy }) =>
    el(
      "li",
      { class: stoppedBy === undefined ? "bad" : "good" },
      el("span", { class: "mark", "aria-hidden": "true" }, stoppedBy === undefined ? "✗" : "✓"),
      el("span", {}, from),
      el("span", { class: "facts" }, stoppedBy === undefined ? "NOT stopped" : stoppedBy),
    ),
  );
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, results[0]?.name),
    el("td", {}, el("ul", { class: "verdicts" }, ...verdicts)),
  );
}

/** Said where everybody looks, since it is the one known hole. */
function webRtcRow() {
  return el(
    "tr",
    { class: "open" },
    el("th", { scope: "row" }, "WebRTC"),
    el(
      "td",
      {},
      "Not tried: browsers offer pages no way to give it up. No code of this page uses it.",
    ),
  );
}
