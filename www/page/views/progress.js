// @ts-check
// The running merge: a progress bar, figures, the percentage in the tab's title.

/** @import { Progress } from "../../protocol.js" */

import { announce, byId } from "../kit/dom.js";
import { bytes, count, duration, printable, whole } from "../kit/format.js";
import { keepAwake, letSleep } from "./wake.js";

const TITLE = document.title;
const MIN_FRACTION_FOR_ESTIMATE = 0.03;
const DRAW_MILLIS = 150;
/** Until it is said what the page waits for when all is done but the closing of the file. */
const CLOSING_MILLIS = 5000;
const CLOSING =
  "The browser has not closed the file yet. With a large one that takes a while; if this site's " +
  "data was cleared meanwhile, it never does: cancel and start again.";

export class ProgressView {
  #startMillis = 0;
  #announced = 0;
  #writeBytes = 0;
  #noun = "";
  /** What is to be drawn next. @type {Progress | undefined} */ #latest;
  #timer = 0;
  #closing = 0;

  /**
   * @param {"merge" | "save"} place
   * @param {number} nThings
   * @param {number} writeBytes
   */
  start(place, nThings, writeBytes) {
    this.#startMillis = performance.now();
    this.#announced = 0;
    this.#writeBytes = writeBytes;
    this.#noun = place === "save" ? "file" : "tensor";
    const bar = byId("bar", HTMLElement);
    bar.hidden = place === "save";
    if (place === "merge") bar.append(byId("run", HTMLElement));
    else byId("save-alert", HTMLElement).before(byId("run", HTMLElement));
    byId("merging", HTMLElement).ariaLabel = place === "save" ? "Saving" : "Merging";
    keepAwake();
    this.#say("Starting");
    this.update({
      tensors_done: 0,
      tensors_total: nThings,
      fraction: 0,
      written_bytes: 0,
      current: "",
    });
    this.#draw();
  }

  /**
   * Shows how far it is, soon: what is drawn more often than one can read takes time from the work.
   * @param {Progress} progress
   */
  update(progress) {
    if (!this.#latest) this.#timer = setTimeout(() => this.#draw(), DRAW_MILLIS);
    this.#latest = progress;
  }

  #draw() {
    const progress = this.#latest;
    if (!progress) return;
    this.#latest = undefined;
    const isWhole = progress.tensors_done === progress.tensors_total;
    const share = isWhole ? 1 : Math.min(Math.max(progress.fraction, 0), 1);
    const shown = `${Math.floor(share * 100)}%`;
    byId("merging", HTMLProgressElement).value = share;
    byId("run-percent", HTMLElement).textContent = shown;
    document.title = `${shown} · ${TITLE}`;
    byId("run-figures", HTMLElement).textContent = this.#figures(progress, share);
    if (progress.current) this.#say(printable(progress.current), "path");
    if (isWhole) this.#close();
    this.#announce(share);
  }

  /** @param {string} text @param {string} [kind] */
  #say(text, kind = "") {
    const line = byId("run-current", HTMLElement);
    line.textContent = text;
    line.className = `facts ${kind}`;
  }

  /** All is written. Closing the file is the browser's, which fails without a word if it is gone. */
  #close() {
    this.#say("Closing the file");
    this.#closing = setTimeout(() => {
      this.#say(CLOSING);
      announce(CLOSING);
    }, CLOSING_MILLIS);
  }

  /** @param {Progress} progress @param {number} share */
  #figures(progress, share) {
    const seconds = (performance.now() - this.#startMillis) / 1000;
    const parts = [
      `${whole(progress.tensors_done)} of ${count(progress.tensors_total, this.#noun)}`,
      `${bytes(progress.written_bytes)} of ${bytes(Math.max(this.#writeBytes, progress.written_bytes))}`,
    ];
    if (seconds > 0.5 && progress.written_bytes > 0)
      parts.push(`${bytes(progress.written_bytes / seconds)}/s`);
    if (seconds > 1 && share >= MIN_FRACTION_FOR_ESTIMATE && share < 1)
      parts.push(left((seconds * (1 - share)) / share));
    return parts.join(" · ");
  }

  /** Every quarter only, so that speech keeps up. @param {number} share */
  #announce(share) {
    const quarter = Math.floor(share * 4);
    if (quarter <= this.#announced) return;
    this.#announced = quarter;
    announce(`${quarter * 25} percent done`);
  }

  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#closing);
    this.#latest = undefined;
    letSleep();
    document.title = TITLE;
  }
}

/** @param {number} seconds */
function left(seconds) {
  return seconds < 10 ? "a few seconds left" : `about ${duration(seconds)} left`;
}
