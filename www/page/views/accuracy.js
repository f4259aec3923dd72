// @ts-check
// After a merge of the sample: right answers on images that no model was trained on.

/** @import { Accuracy, Evaluation, Example, Report } from "../../protocol.js" */

import { byId, el, replace } from "../kit/dom.js";
import { letter, percent, printable, whole } from "../kit/format.js";
import { described } from "../settings/methods.js";

const SIDE = 8;
const DARKEST = 16;
const SHOWN_EXAMPLES = 12;

/** Earlier merges in this tab, as sentences. @type {string[]} */
const tries = [];

/** @param {Evaluation} evaluation @param {Report} report */
export function renderAccuracy(evaluation, report) {
  byId("accuracy", HTMLElement).hidden = false;
  const { rows, n_images } = evaluation;
  byId("accuracy-title", HTMLElement).textContent = `Accuracy on ${whole(n_images)} unseen images`;
  byId("accuracy-summary", HTMLElement).textContent = summary(evaluation);
  replace(byId("accuracy-bars", HTMLElement), ...rows.map((row, i) => bar(row, i, evaluation)));
  replace(
    byId("accuracy-digits", HTMLElement),
    ...evaluation.n_images_per_class.map((_, digit) => digitPanel(evaluation, digit)),
  );
  replace(byId("accuracy-table", HTMLElement), table(evaluation));
  const cards = evaluation.examples.map((example) => exampleCard(example, rows));
  replace(byId("accuracy-examples", HTMLElement), ...cards.slice(0, SHOWN_EXAMPLES));
  replace(byId("more-examples-list", HTMLElement), ...cards.slice(SHOWN_EXAMPLES));
  byId("more-examples", HTMLElement).hidden = cards.length <= SHOWN_EXAMPLES;
  renderTries(rows, n_images, report);
}

/** @param {Evaluation} evaluation */
function summary({ rows, n_images }) {
  const merged = rows.at(-1);
  const average = rows.at(-2);
  if (!merged || !average) return "";
  return (
    `No model has seen these ${n_images} images. The merged model gets ${merged.n_correct} right ` +
    `(${percent(merged.n_correct / n_images)}), the plain average of the same models ${average.n_correct} ` +
    `(${percent(average.n_correct / n_images)}).`
  );
}

/** Models have their letter and colour, then come the plain average and the merged model. @param {number} index @param {number} n */
function rowStyle(index, n) {
  if (index === n - 1) return { mark: "M", hue: "hue-merged" };
  return index === n - 2
    ? { mark: "∅", hue: "hue-average" }
    : { mark: letter(index), hue: `hue-${index % 6}` };
}

/** @param {number} index @param {number} n */
function rowBadge(index, n) {
  const { mark, hue } = rowStyle(index, n);
  return el("span", { class: `badge ${hue}`, "aria-hidden": "true" }, mark);
}

/** @param {Accuracy} row @param {number} index @param {Evaluation} evaluation */
function bar(row, index, { rows, n_images }) {
  const most = Math.max(1, ...rows.map((other) => n_images - other.n_correct));
  const wrong = n_images - row.n_correct;
  const fillPart = el("span", { class: `bar ${rowStyle(index, rows.length).hue}` });
  fillPart.style.width = `${(wrong / most) * 100}%`;
  const right = `, ${percent(row.n_correct / n_images)} right`;
  return el(
    "li",
    { class: index === rows.length - 1 ? "is-merged" : "" },
    rowBadge(index, rows.length),
    el("span", { class: "bar-name" }, printable(row.name)),
    el("span", { class: "track", "aria-hidden": "true" }, fillPart),
    el("span", { class: "bar-value" }, `${wrong} wrong`, el("span", { class: "facts" }, right)),
  );
}

/** Wrong answers on one digit. @param {Accuracy} row @param {Evaluation} evaluation @param {number} digit */
function missed(row, { n_images_per_class }, digit) {
  return (n_images_per_class[digit] ?? 0) - (row.n_correct_per_class[digit] ?? 0);
}

/** @param {Evaluation} evaluation @param {number} digit */
function digitPanel(evaluation, digit) {
  const { rows, n_images_per_class } = evaluation;
  const most = Math.max(
    1,
    ...rows.flatMap((row) => n_images_per_class.map((_, other) => missed(row, evaluation, other))),
  );
  const bars = rows.map((row, index) => {
    const wrong = missed(row, evaluation, digit);
    const column = el("span", { class: `bar ${rowStyle(index, rows.length).hue}` });
    column.style.height = `${(wrong / most) * 100}%`;
    return el(
      "span",
      { class: "column" },
      el("span", { class: "column-track" }, el("span", { class: "column-value" }, wrong), column),
      rowStyle(index, rows.length).mark,
    );
  });
  return el(
    "div",
    { class: "digit" },
    el("strong", {}, digit),
    el("div", { class: "columns" }, ...bars),
  );
}

/** @param {Evaluation} evaluation */
function table(evaluation) {
  const { rows, n_images_per_class } = evaluation;
  return el(
    "table",
    { "aria-label": "Wrong answers per digit" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, "Model"),
        ...n_images_per_class.map((_, digit) => el("th", { scope: "col" }, digit)),
      ),
    ),
    el(
      "tbody",
      {},
      ...rows.map((row) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, printable(row.name)),
          ...n_images_per_class.map((_, digit) =>
            el("td", { class: "number" }, missed(row, evaluation, digit)),
          ),
        ),
      ),
    ),
  );
}

/** @param {Example} example @param {Accuracy[]} rows */
function exampleCard(example, rows) {
  const answers = [...Array.from(example.answers)].map((answer, index) => {
    const right = answer === example.label;
    return el(
      "li",
      { class: right ? "right" : "wrong" },
      rowBadge(index, rows.length),
      el("span", { class: "unseen" }, `${printable(rows[index]?.name ?? "")} says `),
      el("strong", {}, answer),
      el("span", { class: "unseen" }, right ? ", right" : ", wrong"),
      el("span", { "aria-hidden": "true" }, right ? " ✓" : " ✗"),
    );
  });
  return el(
    "li",
    { class: "example" },
    drawDigit(example),
    el("ul", { class: "answers" }, ...answers),
  );
}

/** @param {Example} example */
function drawDigit({ pixels, label }) {
  const canvas = el("canvas", {
    width: SIDE,
    height: SIDE,
    role: "img",
    "aria-label": `A handwritten ${label}`,
  });
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const image = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i += 1) {
    const ink = Math.round(255 * Math.min((pixels[i] ?? 0) / DARKEST, 1));
    image.data.set([255 - ink * 0.87, 255 - ink * 0.87, 255 - ink * 0.82, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** @param {Accuracy[]} rows @param {number} nImages @param {Report} report */
function renderTries(rows, nImages, { options }) {
  const merged = rows.at(-1);
  if (!merged) return;
  const line = `${described(options)}: ${merged.n_correct} of ${nImages} right, ${percent(merged.n_correct / nImages)}`;
  if (!tries.includes(line)) tries.unshift(line);
  byId("tries", HTMLElement).hidden = tries.length < 2;
  replace(byId("tries-list", HTMLElement), ...tries.map((text) => el("li", {}, text)));
}
