// @ts-check
// Every tensor of the plan in a table: the same thing in many layers is one row, which opens.

/** @import { Plan, PlannedTensor } from "../../protocol.js" */

import { breakable, byId, el, prose } from "../kit/dom.js";
import { count, letter, printable, shape, whole } from "../kit/format.js";
import { actionClass, actionName } from "../settings/methods.js";
import { DataTable } from "../kit/table.js";

/** One row: tensors of the same fate whose names differ by numbers alone. */
/** @typedef {{ name: string, why: string, tensors: PlannedTensor[], isPart: boolean }} Row */

/** @type {DataTable<Row> | null} */
let table = null;
/** Rows as they are drawn while none is open. @type {Row[]} */
let rows = [];
/** Rows that somebody opened, by their name and fate. @type {Set<string>} */
const open = new Set();

/** @param {Plan} plan @param {(tensor: PlannedTensor, why: string) => boolean} isWanted */
export function renderTensors(plan, isWanted) {
  table ??= new DataTable(byId("plan-table", HTMLElement), "Plan", COLUMNS);
  rows = refusedFirst(grouped(plan, isWanted));
  draw();
  const n = rows.reduce((sum, row) => sum + row.tensors.length, 0);
  byId("plan-shown", HTMLElement).textContent =
    n === plan.tensors.length
      ? count(n, "tensor")
      : `${whole(n)} of ${count(plan.tensors.length, "tensor")}`;
}

/** @param {boolean} [isSame] */
function draw(isSame) {
  const all = rows.flatMap((row) =>
    open.has(key(row))
      ? [row, ...row.tensors.map((one) => ({ ...row, name: one.name, tensors: [one], isPart: true }))]
      : [row],
  );
  table?.set(all, isSame);
}

/** @param {Plan} plan @param {(tensor: PlannedTensor, why: string) => boolean} isWanted */
function grouped(plan, isWanted) {
  return plan.lines.flatMap((line) => {
    const own = line.tensors.flatMap((index) => plan.tensors[index] ?? []);
    const tensors = own.filter((tensor) => isWanted(tensor, reason(tensor, plan)));
    const [first] = tensors;
    if (!first) return [];
    const name = tensors.length > 1 ? line.pattern : first.name;
    return [{ name, why: reason(first, plan), tensors, isPart: false }];
  });
}

/** @param {Row} row */
function key({ name, why, tensors: [first] }) {
  return `${name} ${first?.action} ${first?.shape} ${why}`;
}

/** @param {Row[]} all */
function refusedFirst(all) {
  const isRefused = (/** @type {Row} */ { tensors }) => tensors[0]?.action === "refuse";
  return [...all.filter(isRefused), ...all.filter((row) => !isRefused(row))];
}

/** @param {Row} row */
function nameCell(row) {
  const name = breakable(printable(row.name));
  if (row.tensors.length === 1) return row.isPart ? el("span", { class: "part" }, name) : name;
  const id = key(row);
  const toggle = () => {
    if (!open.delete(id)) open.add(id);
    draw(true);
  };
  return el(
    "button",
    { class: "opener", "aria-expanded": String(open.has(id)), "data-key": id, onclick: toggle },
    el("strong", {}, `${row.tensors.length} ×`),
    " ",
    el("span", {}, name),
  );
}

/** @type {(read: (tensor: PlannedTensor) => number | string) => (row: Row) => number | string} */
const ofFirst = (read) => (row) => (row.tensors[0] ? read(row.tensors[0]) : "");

/** @type {import("../kit/table.js").Column<Row>[]} */
const COLUMNS = [
  { title: "Tensor", kind: "name", cell: nameCell, order: ({ name }) => name },
  {
    title: "Shape",
    kind: "number",
    cell: ofFirst((tensor) => shape(tensor.shape)),
    order: ofFirst((tensor) => tensor.shape.reduce((a, b) => a * b, 1)),
  },
  { title: "Type", cell: ofFirst(dtype), order: ofFirst(({ dtype_out }) => dtype_out) },
  {
    title: "What happens",
    kind: "wide",
    order: ofFirst(({ action }) => actionName(action)),
    cell: ({ tensors: [first], why }) =>
      first
        ? [
            el("span", { class: `tag ${actionClass(first.action)}` }, actionName(first.action)),
            " ",
            prose(why),
          ]
        : [],
  },
];

/** @param {PlannedTensor} tensor */
function dtype(tensor) {
  const inputs = [...new Set(tensor.dtypes)].join(", ");
  return inputs === tensor.dtype_out ? inputs : `${inputs} → ${tensor.dtype_out}`;
}

/** @param {PlannedTensor} tensor @param {Plan} plan */
function reason(tensor, plan) {
  if (tensor.action === "keep") {
    const model = tensor.model ?? 0;
    return `from ${letter(model)}: ${printable(plan.models[model] ?? "")}`;
  }
  const group = plan.groups[tensor.group ?? -1];
  if (!group) return tensor.why ?? "";
  const shared = group.tensors.length > 1 ? `, shared by ${group.tensors.length} weights` : "";
  return `Gram ${group.n_in} × ${group.n_in}${shared}${tensor.orientation === "in_out" ? ", stored transposed" : ""}`;
}
