// @ts-check
// The picture at the top: the layers of two models, each with its Gram matrix, flow into one.

import { replace, svg } from "../kit/dom.js";

const N_LAYERS = 5;
const N_CELLS = 6;
const CELL = 11;
const MODELS = [
  { hue: "hue-0", y: 16 },
  { hue: "hue-1", y: 128 },
];
const MERGED_Y = 72;
const STEP = 14;

/** @param {HTMLElement} place */
export function drawOverview(place) {
  const parts = MODELS.flatMap(({ hue, y }, index) => [
    ...layers(0, y, hue),
    gram(188, y - 1, hue, index),
    ...strands(y, hue),
  ]);
  replace(
    place,
    svg(
      "svg",
      { viewBox: "0 0 960 210", "aria-hidden": "true" },
      ...parts,
      ...layers(820, MERGED_Y, "hue-merged"),
    ),
  );
}

/** @param {number} x @param {number} y @param {string} hue */
function layers(x, y, hue) {
  return Array.from({ length: N_LAYERS }, (_, i) =>
    svg("rect", { class: `layer ${hue}`, x, y: y + i * STEP, width: 140, height: 9, rx: 4.5 }),
  );
}

/** A symmetric heat map. @param {number} x @param {number} y @param {string} hue @param {number} seed */
function gram(x, y, hue, seed) {
  const cells = [];
  for (let row = 0; row < N_CELLS; row += 1) {
    for (let column = 0; column < N_CELLS; column += 1) {
      const wave = Math.cos((row + 1) * (column + 1) * (1.3 + seed)) * 0.25 + 0.38;
      cells.push(
        svg("rect", {
          class: hue,
          x: x + column * (CELL + 1),
          y: y + row * (CELL + 1),
          width: CELL,
          height: CELL,
          "fill-opacity": (row === column ? 1 : wave).toFixed(2),
        }),
      );
    }
  }
  return svg("g", { class: "gram" }, ...cells);
}

/** @param {number} fromY @param {string} hue */
function strands(fromY, hue) {
  return Array.from({ length: N_LAYERS }, (_, i) => {
    const start = fromY + i * STEP + 4.5;
    const end = MERGED_Y + i * STEP + 4.5;
    return svg("path", {
      class: `strand ${hue}`,
      d: `M148 ${start}H180M268 ${start}C470 ${start} 560 ${end} 812 ${end}`,
    });
  });
}
