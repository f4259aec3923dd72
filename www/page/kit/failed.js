// @ts-check
// How a request can end without an answer.

/** @import { ErrorData } from "../../protocol.js" */

/** A request that was answered by an error. */
export class Failed extends Error {
  /** @param {ErrorData} data @param {string} message */
  constructor(data, message) {
    super(message);
    this.data = data;
  }
}

/** A request that the user cancelled, or whose worker was replaced. */
export class Cancelled extends Error {}
