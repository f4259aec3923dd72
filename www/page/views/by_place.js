// @ts-check
// Gram files that only their place in the list gave to their models. Swapped ones are the costliest
// mistake there is, and a merge of them looks fine: so somebody has to look first.

/** @import { Inventory, Selection } from "../../protocol.js" */

import { breakable, byId, el, replace } from "../kit/dom.js";
import { letter, printable } from "../kit/format.js";
import { obstruct } from "../kit/state.js";

const WHY = "First confirm that the Gram files belong to these models.";

/** The pairs that were last asked about. */
let asked = "";

const box = () => byId("grams-right", HTMLInputElement);

export function bindByPlace() {
  box().addEventListener("change", update);
}

/** Asks anew whenever the pairs are others. @param {Inventory} inventory @param {Selection} selection */
export function renderByPlace(inventory, selection) {
  const pairs = selection.models.flatMap(({ name, gram, gram_evidence }, index) =>
    typeof gram === "number" && gram_evidence === "order"
      ? [{ index, name, path: inventory.files[gram]?.path ?? "" }]
      : [],
  );
  const now = JSON.stringify(pairs);
  if (now !== asked) box().checked = false;
  asked = now;
  byId("by-place", HTMLElement).hidden = pairs.length === 0;
  replace(
    byId("by-place-pairs", HTMLElement),
    ...pairs.map(({ index, name, path }) =>
      el(
        "li",
        {},
        el("code", {}, breakable(printable(path))),
        ` with ${letter(index)}: `,
        el("code", {}, breakable(printable(name))),
      ),
    ),
  );
  update();
}

function update() {
  const isOpen = !byId("by-place", HTMLElement).hidden && !box().checked;
  obstruct("by-place", isOpen ? WHY : undefined, box);
}
