// @ts-check
// A table that sorts, shows its rows in pages and becomes cards on narrow screens.
//
// The roles are written out, since some browsers forget them where CSS changes a table's display.

/** @import { Child } from "./dom.js" */

import { el, replace } from "./dom.js";
import { count, whole } from "./format.js";

const PAGE = 100;

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: Row) => Child | Child[]} cell
 * @property {(row: Row) => number | string} [order] makes the column sortable
 * @property {string} [kind] class of its cells
 */

/** @template Row */
export class DataTable {
  /** @type {Row[]} */ #rows = [];
  #shown = PAGE;
  /** @type {{ column: number, descending: boolean } | null} */ #sorting = null;

  /** @param {HTMLElement} place @param {string} name @param {Column<Row>[]} columns */
  constructor(place, name, columns) {
    this.columns = columns;
    this.head = el("tr", { role: "row" });
    this.body = el("tbody", { role: "rowgroup" });
    this.more = el("div", { class: "more" });
    const table = el(
      "table",
      { role: "table", "aria-label": name },
      el("thead", { role: "rowgroup" }, this.head),
      this.body,
    );
    const scroller = el(
      "div",
      { class: "table-scroll", tabindex: 0, role: "group", "aria-label": "Rows, scrollable" },
      table,
    );
    place.replaceChildren(scroller, this.more);
    this.#renderHead();
  }

  /** @param {Row[]} rows @param {boolean} [isSame] that were shown, and a few more or less */
  set(rows, isSame = false) {
    this.#rows = rows;
    if (!isSame) this.#shown = PAGE;
    this.#renderBody();
  }

  #renderHead() {
    const cells = this.columns.map((column, index) => {
      const sorted = this.#sorting?.column === index ? this.#sorting : null;
      const direction = sorted ? (sorted.descending ? "descending" : "ascending") : "none";
      const arrow = el(
        "span",
        { class: "arrow", "aria-hidden": "true" },
        sorted ? (sorted.descending ? "▼" : "▲") : "",
      );
      const title = column.order
        ? el(
            "button",
            { class: "sort", "data-key": `sort-${index}`, onclick: () => this.#sortBy(index) },
            column.title,
            arrow,
          )
        : column.title;
      return el(
        "th",
        {
          role: "columnheader",
          scope: "col",
          class: column.kind,
          "aria-sort": column.order ? direction : null,
        },
        title,
      );
    });
    replace(this.head, ...cells);
  }

  /** @param {number} column */
  #sortBy(column) {
    const again = this.#sorting?.column === column;
    this.#sorting = {
      column,
      descending: again ? !this.#sorting?.descending : typeof this.#firstKey(column) === "number",
    };
    this.#renderHead();
    this.#renderBody();
  }

  /** @param {number} column */
  #firstKey(column) {
    const row = this.#rows[0];
    return row === undefined ? "" : this.columns[column]?.order?.(row);
  }

  #sorted() {
    const order = this.#sorting && this.columns[this.#sorting.column]?.order;
    if (!order) return this.#rows;
    const sign = this.#sorting?.descending ? -1 : 1;
    return [...this.#rows].sort((a, b) => sign * compare(order(a), order(b)));
  }

  #renderBody() {
    const rows = this.#sorted();
    replace(this.body, ...rows.slice(0, this.#shown).map((row) => this.#row(row)));
    const rest = rows.length - this.#shown;
    const next = Math.min(rest, 5 * PAGE);
    const button =
      rest > 0 &&
      el(
        "button",
        { class: "secondary", "data-key": "more", onclick: () => this.#showMore(next) },
        `Show ${next} more`,
      );
    replace(
      this.more,
      button,
      rest > 0 &&
        el(
          "span",
          { class: "facts" },
          `${whole(this.#shown)} of ${count(rows.length, "row")} shown`,
        ),
    );
  }

  /** @param {number} n */
  #showMore(n) {
    this.#shown += n;
    this.#renderBody();
  }

  /** @param {Row} row */
  #row(row) {
    return el(
      "tr",
      { role: "row" },
      ...this.columns.map((column) => {
        const content = column.cell(row);
        return el(
          "td",
          { role: "cell", class: column.kind, "data-title": column.title },
          ...(Array.isArray(content) ? content : [content]),
        );
      }),
    );
  }
}

/** Names with their numbers as numbers: 2 before 10. */
const NAMES = new Intl.Collator("en", { numeric: true });

/** @param {number | string} a @param {number | string} b */
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return NAMES.compare(String(a), String(b));
}

/** In the order in which people count. @template {{ name: string }} T @param {T[]} rows */
export function byName(rows) {
  return [...rows].sort((a, b) => NAMES.compare(a.name, b.name));
}
