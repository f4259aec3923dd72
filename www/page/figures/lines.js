// @ts-check
// "Two lines, one line": two clouds of points, a line through each, and two ways of merging them.
// Clouds move by dragging or by sliders; every number is computed from the points shown.

/** @import { Line, Point } from "./fit.js" */

import { byId, el, replace, svg } from "../kit/dom.js";
import { fit, gramOf, mean, regmean, squaredError } from "./fit.js";
import { scientific } from "../kit/format.js";

const WIDTH = 640;
const HEIGHT = 400;
const UNIT = 64; // pixels per unit of x and y
const SPAN = { x: 10, y: 6.25 };
const N_POINTS = 12;

/** @typedef {{ x: number, y: number, tilt: number }} Cloud */
/** @type {Cloud[]} */
const START = [
  { x: 2.4, y: 1.7, tilt: 0.7 },
  { x: 7.4, y: 3.9, tilt: -0.5 },
];
const SLIDERS = /** @type {const} */ ([
  { key: "x", label: "left–right", min: 1.5, max: 8.5 },
  { key: "y", label: "down–up", min: 1, max: 5.25 },
  { key: "tilt", label: "tilt", min: -1.5, max: 1.5 },
]);
const NAMES = ["A", "B"];

/** @param {number} x */
const toX = (x) => x * UNIT;
/** @param {number} y */
const toY = (y) => HEIGHT - y * UNIT;

/** The same scatter at every visit. @param {number} seed @returns {Point[]} */
function scatter(seed) {
  let state = seed;
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  return Array.from({ length: N_POINTS }, (_, i) => ({
    x: (i / (N_POINTS - 1) - 0.5) * 2.4 + 0.15 * next(),
    y: 0.8 * next(),
  }));
}

const SCATTERS = [scatter(11), scatter(29)];

/** @param {Cloud} cloud @param {number} index @returns {Point[]} */
function pointsOf(cloud, index) {
  return (SCATTERS[index] ?? []).map((p) => ({
    x: cloud.x + p.x,
    y: cloud.y + cloud.tilt * p.x + p.y,
  }));
}

/** @param {HTMLElement} place */
export function drawLines(place) {
  const clouds = START.map((cloud) => ({ ...cloud }));
  const layer = svg("g");
  const handles = clouds.map((_, i) => svg("circle", { class: `handle hue-${i}`, r: 92 }));
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-labelledby": "lines-text" },
    layer,
    ...handles,
  );
  const controls = clouds.map((cloud, i) => sliders(cloud, i, update));
  replace(
    place,
    picture,
    el(
      "div",
      { class: "lines-controls" },
      ...controls.map(({ fieldset }) => fieldset),
      el("button", { class: "quiet", onclick: reset }, "Reset"),
    ),
  );
  handles.forEach((handle, i) =>
    makeDraggable(handle, picture, /** @type {Cloud} */ (clouds[i]), update),
  );
  update();

  function update() {
    drawCurrent(layer, clouds);
    handles.forEach((handle, i) => moveTo(handle, /** @type {Cloud} */ (clouds[i])));
    for (const { show } of controls) show();
  }

  function reset() {
    clouds.forEach((cloud, i) => Object.assign(cloud, START[i]));
    update();
  }
}

/** @param {SVGCircleElement} handle @param {Cloud} cloud */
function moveTo(handle, cloud) {
  handle.setAttribute("cx", String(toX(cloud.x)));
  handle.setAttribute("cy", String(toY(cloud.y)));
}

/** @param {Cloud} cloud @param {number} index @param {() => void} onChange */
function sliders(cloud, index, onChange) {
  const inputs = SLIDERS.map(({ key, label, min, max }) => {
    const input = el("input", {
      type: "range",
      min,
      max,
      step: 0.05,
      "aria-label": `Cloud ${NAMES[index]}, ${label}`,
    });
    input.addEventListener("input", () => {
      cloud[key] = input.valueAsNumber;
      onChange();
    });
    return { key, input, row: el("label", {}, el("span", {}, label), input) };
  });
  const show = () =>
    inputs.forEach(({ key, input }) => {
      input.value = String(cloud[key]);
    });
  const fieldset = el(
    "fieldset",
    { class: `hue-${index}` },
    el("legend", {}, `Cloud ${NAMES[index]}`),
    ...inputs.map(({ row }) => row),
  );
  return { fieldset, show };
}

/** @param {SVGCircleElement} handle @param {SVGSVGElement} picture @param {Cloud} cloud @param {() => void} onChange */
function makeDraggable(handle, picture, cloud, onChange) {
  /** @type {{ x: number, y: number } | null} */
  let grip = null;
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    grip = { x: event.clientX, y: event.clientY };
  });
  handle.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const scale = WIDTH / picture.getBoundingClientRect().width / UNIT;
    cloud.x = clamp(cloud.x + (event.clientX - grip.x) * scale, 1.5, 8.5);
    cloud.y = clamp(cloud.y - (event.clientY - grip.y) * scale, 1, 5.25);
    grip = { x: event.clientX, y: event.clientY };
    onChange();
  });
  for (const end of ["pointerup", "pointercancel"])
    handle.addEventListener(end, () => {
      grip = null;
    });
}

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** @param {SVGGElement} layer @param {Cloud[]} clouds */
function drawCurrent(layer, clouds) {
  const sets = clouds.map(pointsOf);
  const all = sets.flat();
  const own = sets.map(fit);
  const merged = regmean(
    sets.map((points, i) => ({ gram: gramOf(points), line: /** @type {Line} */ (own[i]) })),
  );
  const pooled = fit(all);
  const plain = mean(own);
  replace(
    layer,
    drawLine(pooled, "pooled"),
    ...own.map((line, i) => drawLine(line, `own hue-${i}`)),
    drawLine(plain, "plain"),
    drawLine(merged, "merged"),
    ...sets.flatMap((points, i) => points.map((point) => drawPoint(point, i))),
  );
  const rows = [
    { name: "A alone", key: "own hue-0", line: own[0] },
    { name: "B alone", key: "own hue-1", line: own[1] },
    { name: "Plain mean", key: "plain", line: plain },
    { name: "RegMean", key: "merged", line: merged },
    { name: "Fit on all points", key: "pooled", line: pooled },
  ];
  replace(
    byId("lines-rows", HTMLElement),
    ...rows.flatMap(({ name, key, line }) => (line ? [tableRow(name, key, line, all)] : [])),
  );
  byId("lines-text", HTMLElement).textContent = conclusion(merged, pooled, plain, all);
}

/** @param {Line} line @param {string} kind */
function drawLine({ slope, offset }, kind) {
  return svg("line", {
    class: `line ${kind}`,
    x1: 0,
    y1: toY(offset),
    x2: WIDTH,
    y2: toY(offset + slope * SPAN.x),
  });
}

/** @param {Point} point @param {number} index */
function drawPoint({ x, y }, index) {
  if (index === 0) return svg("circle", { class: "point hue-0", cx: toX(x), cy: toY(y), r: 5 });
  return svg("rect", {
    class: "point hue-1",
    x: toX(x) - 4.5,
    y: toY(y) - 4.5,
    width: 9,
    height: 9,
  });
}

/** @param {string} name @param {string} key @param {Line} line @param {Point[]} all */
function tableRow(name, key, line, all) {
  const sample = svg(
    "svg",
    { viewBox: "0 0 28 10", class: "key", "aria-hidden": "true" },
    svg("line", { class: `line ${key}`, x1: 1, x2: 27, y1: 5, y2: 5 }),
  );
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, sample, name),
    el(
      "td",
      { class: "number" },
      `${signed(line.slope)} x ${line.offset < 0 ? "−" : "+"} ${Math.abs(line.offset).toFixed(2)}`,
    ),
    el("td", { class: "number" }, squaredError(line, all).toFixed(3)),
  );
}

/** @param {number} value */
function signed(value) {
  return (value < 0 ? "−" : "") + Math.abs(value).toFixed(2);
}

/** @param {Line} merged @param {Line} pooled @param {Line} plain @param {Point[]} all */
function conclusion(merged, pooled, plain, all) {
  const gap = Math.max(
    Math.abs(merged.slope - pooled.slope),
    Math.abs(merged.offset - pooled.offset),
  );
  const same =
    gap === 0 ? "are equal to the last bit" : `differ by ${scientific(gap)}, rounding only`;
  const times = squaredError(plain, all) / squaredError(pooled, all);
  return `RegMean and the fit on all points ${same}. The mean of the two lines has ${compared(times)}.`;
}

/** Squared errors as people say them; `times` is below 1 by rounding only. @param {number} times */
function compared(times) {
  const shown = times.toFixed(times < 10 ? 1 : 0);
  return shown === "1.0" ? "the same error" : `${shown} times their squared error`;
}
