// @ts-check
// The routes by which a page can send something, each tried for one byte to the page's own server.
//
// The server is the hardest address to close, since the page came from it.

/** @import { Result, Route } from "../../shared/attempt.js" */
/** @import { Parts } from "../load/parts.js" */

import { COMMON_ROUTES, settled, tryRoutes } from "../../shared/attempt.js";
import { startWorker } from "../../shared/trusted.js";
import { el, svg } from "../kit/dom.js";
import { isFramed, PAGE_NAME } from "./lock.js";

/** Loads an element that asks for an address, and takes it away again. @param {HTMLElement | SVGElement} node */
async function load(node) {
  document.body.append(node);
  await settled(node);
  node.remove();
}

/** Something that happens inside an empty frame, which has this page's restrictions. @param {(inner: Document, url: string) => void} act */
function inFrame(act) {
  return async (/** @type {string} */ url) => {
    const frame = el("iframe", { class: "unseen", tabindex: -1, title: "leak test" });
    document.body.append(frame);
    if (frame.contentDocument) act(frame.contentDocument, url);
    await settled(frame);
    frame.remove();
  };
}

/** Something that would lead this page elsewhere; the guard says at once that it does not. @param {(url: string) => void} act */
function guarded(act) {
  return (/** @type {string} */ url) => {
    let isStopped = false;
    /** @param {NavigateEvent} event */
    const look = ({ defaultPrevented, destination }) => {
      isStopped ||= defaultPrevented && destination.url === url;
    };
    window.navigation?.addEventListener("navigate", look, { once: true });
    act(url);
    return isStopped ? "navigation guard" : undefined;
  };
}

/** @type {Route[]} */
const ELEMENTS = [
  { name: "Image", send: (url) => load(el("img", { src: url, alt: "", class: "unseen" })) },
  {
    name: "Picture in a drawing",
    send: (url) => load(svg("svg", {}, svg("image", { href: url }))),
  },
  { name: "Style sheet", send: (url) => load(el("link", { rel: "stylesheet", href: url })) },
  { name: "Script element", send: (url) => load(el("script", { src: url })) },
  { name: "Prefetch", send: (url) => load(el("link", { rel: "prefetch", href: url })) },
  { name: "Video", send: (url) => load(el("video", { src: url, class: "unseen" })) },
  { name: "Font", send: (url) => new FontFace("leak", `url(${url})`).load() },
  { name: "Embedded object", send: (url) => load(el("object", { data: url, class: "unseen" })) },
];

/** @type {Route[]} */
const MESSAGES = [
  { name: "sendBeacon", send: (url) => void navigator.sendBeacon(url, "1") },
  {
    name: "Service worker",
    send: async (url) => {
      if (!navigator.serviceWorker) return "taken away";
      return void (await navigator.serviceWorker.register(url));
    },
  },
];

/** @type {Route[]} */
const NAVIGATIONS = [
  { name: "Frame", send: inFrame((inner, url) => inner.location.assign(url)) },
  {
    name: "Link in a frame",
    send: inFrame((inner, url) => {
      const link = inner.createElement("a");
      link.href = url;
      inner.body.append(link);
      link.click();
    }),
  },
];

/** Without the outer page these would lead away from here, files and all. @type {Route[]} */
const ONLY_FRAMED = [
  { name: "Pop-up window", send: (url) => (window.open(url) === null ? "sandbox" : undefined) },
  {
    name: "Tab's address",
    send: (url) => {
      /** @type {Window} */ (window.top).location.href = url;
    },
  },
  { name: "Link", send: guarded((url) => el("a", { href: url }).click()) },
  { name: "Page's address", send: guarded((url) => location.assign(url)) },
];

/**
 * Tries every route from the page, then from a worker and from a worker of that worker.
 * @param {Parts} parts
 * @param {(result: Result) => void} onResult
 */
export async function tryToLeak(parts, onResult) {
  const framed = isFramed && window.navigation ? ONLY_FRAMED : [];
  const routes = [...COMMON_ROUTES, ...MESSAGES, ...ELEMENTS, ...NAVIGATIONS, ...framed];
  await tryRoutes(routes, "page", location.href, onResult);
  const worker = startWorker(parts.leak, PAGE_NAME);
  worker.postMessage({ base: location.href, script: parts.leak, isInner: false });
  await new Promise((resolve) => {
    worker.onmessage = ({ data }) => (data.done ? resolve(undefined) : onResult(data.result));
  });
  worker.terminate();
}
