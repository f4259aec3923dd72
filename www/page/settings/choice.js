// @ts-check
// The choice of a method: what is usual for these models, what else there is, and what each needs.

/** @import { Method, Plan, Selection } from "../../protocol.js" */
/** @typedef {(index: number) => void} OnBase takes the model that is the base */

import { breakable, byId, el, replace } from "../kit/dom.js";
import { bytes, letter, printable, sentence } from "../kit/format.js";
import { gramBytes } from "./gram_sizes.js";
import { badge } from "../kit/badge.js";
import { find, haveGrams, lacksBase, methods, needsGrams, usual, whyNot } from "./methods.js";
import { obstruct } from "../kit/state.js";

/** Offered beside the usual one: what needs nothing, and what a base is most often given for. */
const OFFERED = ["average", "ties"];
const WHY = "First say which model is the base.";

/** What somebody chose, here or by the address. @type {string | undefined} */
let asked;

/** @param {string | null} name of the address; what is in no table is no choice */
export function setChoice(name) {
  asked = name === null ? undefined : find(name)?.name;
}

/** @param {() => void} onChange */
export function bindChoice(onChange) {
  byId("choice", HTMLElement).addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement) asked = event.target.value;
    onChange();
  });
  byId("choice", HTMLElement).addEventListener("click", (event) => {
    const isHelp = event.target instanceof HTMLAnchorElement;
    if (isHelp) byId("gram-script", HTMLDetailsElement).open = true;
  });
}

/** The method that merges these; none if none can. @param {Selection} selection */
export function chosen(selection) {
  const wanted = asked === undefined ? undefined : find(asked);
  return wanted && !whyNot(wanted, selection) ? wanted : usual(selection);
}

/** Whether nobody had to choose it. @param {Selection} selection */
export function isByItself(selection) {
  return chosen(selection) === usual(selection);
}

/** @param {Selection} selection @param {OnBase} onBase */
export function renderChoice(selection, onBase) {
  const method = chosen(selection);
  if (!method) return;
  const first = usual(selection);
  const isOffered = (/** @type {Method} */ one) =>
    one === first || (OFFERED.includes(one.name) && !lacksBase(one, selection));
  const all = methods().filter((one) => !needsGrams(one) || haveGrams(selection));
  const others = all.filter((one) => !isOffered(one));
  /** @param {Method} one */
  const draw = (one) => card(one, selection, one === method);
  const more = byId("more-methods", HTMLDetailsElement);
  replace(byId("methods", HTMLElement), ...all.filter(isOffered).map(draw));
  replace(byId("other-methods", HTMLElement), ...others.map(draw));
  byId("more-summary", HTMLElement).textContent = `More methods (${others.length})`;
  if (others.includes(method)) more.open = true;
  askForBase(method, selection, onBase);
}

/** @param {Method} method @param {Selection} selection @param {boolean} isChosen */
function card(method, selection, isChosen) {
  const id = `method-${method.name}`;
  const why = whyNot(method, selection);
  const needs = why || (lacksBase(method, selection) ? "needs the base model among the files" : "");
  const radio = el("input", {
    type: "radio",
    name: "method",
    value: method.name,
    checked: isChosen,
    disabled: why !== "",
    "aria-labelledby": id,
    "aria-describedby": `${id}-about`,
    "data-key": id,
  });
  return el(
    "label",
    { class: "method" },
    radio,
    el("strong", { id }, method.title),
    el(
      "span",
      { id: `${id}-about`, class: "facts" },
      `${method.about} `,
      needs && el("em", {}, sentence(needs)),
    ),
  );
}

/** @param {Method} method @param {Selection} selection @param {OnBase} onBase */
function askForBase(method, selection, onBase) {
  const isOpen = lacksBase(method, selection);
  const question = byId("base-question", HTMLElement);
  question.hidden = !isOpen;
  byId("base-question-title", HTMLElement).textContent =
    `${method.title} starts from the model that the others were fine-tuned from. Which one is it?`;
  const buttons = selection.models.map(({ name }, index) =>
    el(
      "button",
      {
        class: "secondary",
        type: "button",
        "data-key": `base-${index}`,
        "aria-label": `The base is ${letter(index)}, ${printable(name)}`,
        onclick: () => onBase(index),
      },
      badge(index),
      breakable(printable(name)),
    ),
  );
  replace(byId("base-choices", HTMLElement), ...(isOpen ? buttons : []));
  obstruct("base", isOpen ? WHY : undefined, () => buttons[0]);
}

/** What statistics would cost, where some model has none. @param {Plan | null} plan @param {Selection} selection */
export function renderGramRoad(plan, selection) {
  const road = byId("gram-road", HTMLElement);
  const method = methods().find(needsGrams);
  road.hidden = !method || haveGrams(selection);
  if (!method || road.hidden) return;
  const without = selection.models.flatMap(({ gram }, i) =>
    typeof gram === "number" ? [] : [letter(i)],
  );
  const sizes = plan && gramBytes(plan);
  const about = sizes
    ? ` One of these models' takes about ${bytes(sizes.f32)} in f32, ${bytes(sizes.f16)} in f16, packed.`
    : "";
  replace(
    road,
    el("strong", {}, `With Gram files: ${method.title}`),
    el("span", { class: "facts" }, `${method.about} Missing for ${without.join(", ")}.${about} `),
    el("a", { href: "#gram-help", "data-key": "make-grams" }, "How to make Gram files"),
  );
}
