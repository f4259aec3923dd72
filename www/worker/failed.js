// @ts-check
/** Errors on their way to the page. */

/** @import { Failed } from "./messages.js" */

/** Whether the engine has put it into words already. @param {unknown} error @returns {error is Failed} */
export function isFailed(error) {
  return typeof error === "object" && error !== null && "type" in error && error.type === "failed";
}

/** @param {unknown} error */
export function messageOf(error) {
  const isTelling = typeof error === "object" && error !== null && "message" in error;
  return String(isTelling ? error.message : error);
}

/** @param {unknown} error @param {Failed["error"]["kind"]} [kind] @returns {Failed} */
export function asFailed(error, kind = "internal") {
  if (isFailed(error)) return error;
  const what = messageOf(error);
  return {
    type: "failed",
    error: { kind, what, file: null, tensor: null, advice: null },
    message: what,
  };
}
