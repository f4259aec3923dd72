// @ts-check
// Making DOM nodes. Text goes in as text nodes only: names from files are not to be trusted.

import { bytes } from "./format.js";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @param {Element} node
 * @param {string} key
 * @param {unknown} value
 */
function setProp(node, key, value) {
  if (value === false || value === null || value === undefined) return;
  if (typeof value === "function") {
    node.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
  } else {
    node.setAttribute(key, value === true ? "" : String(value));
  }
}

/**
 * @template {Element | DocumentFragment} T
 * @param {T} node
 * @param {Record<string, unknown>} props
 * @param {Child[]} children
 * @returns {T}
 */
function fill(node, props, children) {
  if (node instanceof Element)
    for (const [key, value] of Object.entries(props)) setProp(node, key, value);
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/**
 * An HTML element; `onclick` and its kind become listeners, all else attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/** A name that may break after its separators. @param {string} name @returns {Node} */
export function breakable(name) {
  const parts = name.split(/(?<=[._/])/).flatMap((part) => [part, el("wbr")]);
  return fill(document.createDocumentFragment(), {}, parts.slice(0, -1));
}

/**
 * A sentence in which `backticks` mark names. Large counts of bytes are shown as sizes.
 * @param {string} text
 * @returns {Node}
 */
export function prose(text) {
  const parts = text
    .split("`")
    .map((part, i) => (i % 2 === 1 ? el("code", {}, breakable(part)) : sized(part)));
  return fill(document.createDocumentFragment(), {}, parts);
}

/** @param {string} text */
function sized(text) {
  return text.replace(/\b(\d{4,}) bytes\b/g, (_, n) => bytes(Number(n)));
}

/**
 * The element with this id, which the page is known to have.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const node = document.getElementById(id);
  if (!(node instanceof type)) throw new Error(`#${id} is missing`);
  return node;
}

/**
 * Replaces what `parent` holds and keeps the focus on the element with the same `data-key`.
 * @param {Element} parent
 * @param {...Child} children
 */
export function replace(parent, ...children) {
  const focused = document.activeElement;
  const key = focused && parent.contains(focused) ? focused.getAttribute("data-key") : null;
  parent.replaceChildren();
  fill(parent, {}, children);
  if (key === null) return;
  for (const node of parent.querySelectorAll("[data-key]")) {
    if (node.getAttribute("data-key") === key && node instanceof HTMLElement) node.focus();
  }
}

/** Says a sentence to assistive technology without moving the focus. @param {string} sentence */
export function announce(sentence) {
  byId("status", HTMLElement).textContent = sentence;
}
