// @ts-check
// How large the Gram files of a model would be, from the shapes in its plan.

/** @import { Plan, PlannedTensor } from "../../protocol.js" */

/** Tables that are looked up, and never multiplied with. */
const LOOKED_UP = /embed|\bw[tp]e\b/i;

/** @param {PlannedTensor} tensor */
function isLinear({ name, shape, dtype_out }) {
  return shape.length === 2 && /F(16|32|64)$/.test(dtype_out) && !LOOKED_UP.test(name);
}

/**
 * Bytes of one Gram file that holds an upper triangle for every linear layer; none if there are none.
 * @param {Plan} plan
 */
export function gramBytes({ tensors }) {
  const elements = tensors.filter(isLinear).reduce((sum, { shape }) => {
    const n = shape[1] ?? 0;
    return sum + (n * (n + 1)) / 2;
  }, 0);
  return elements > 0 ? { f16: 2 * elements, f32: 4 * elements } : null;
}
