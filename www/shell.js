// @ts-check
// The outer page. It shows the app in a frame that may not open windows, navigate the tab, use
// features that it does not need or download from an address, then closes the network for itself
// and for the frame's navigation.
//
// It does four things for the app, which works without it as well: it shows the app's title and
// settings in the tab's title and address, it saves what the app hands over as a `Blob`, it has the
// service worker keep a copy, and it reloads when the user presses the app's button for a newer
// version. No message of the app's makes it reload.

import { keepCopy, putNewerInPlace, underHeaders, whenNewer } from "./page/load/copy.js";
import { withoutUnused } from "./page/lock/permissions.js";
import { takeUnneeded } from "./page/lock/unneeded.js";

const frame = document.createElement("iframe");
frame.title = "gramerge";
frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-modals");
frame.allow = withoutUnused(/** @type {any} */ (document).featurePolicy?.features());
frame.src = `app.html${location.search}${location.hash}`;
frame.addEventListener("load", () => {
  closeNetwork();
  followTitle();
  followSettings();
  followWish();
  const tell = (/** @type {string} */ type) =>
    frame.contentWindow?.postMessage({ type }, location.origin);
  keepCopy().then(() => tell("kept"));
  whenNewer(() => tell("newer"));
  takeUnneeded(window);
  frame.focus();
});

/** Only the user's own act sets it. */
let mayReload = false;

function reload() {
  mayReload = true;
  location.reload();
}

/** What the frame may navigate to is this document's to say: nothing, from now on. */
function closeNetwork() {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  // The browser reads the manifest whenever the user wishes to install the page.
  const manifest = new URL("manifest.webmanifest", location.href).href;
  policy.content = `default-src 'none'; img-src data:; manifest-src ${manifest}`;
  document.head.append(policy);
}

function followTitle() {
  const inner = frame.contentDocument?.querySelector("title");
  if (!inner) return;
  const follow = () => {
    document.title = inner.textContent || "gramerge";
  };
  new MutationObserver(follow).observe(inner, { childList: true });
  follow();
}

/** The settings are in the app's hash; what is typed into the address bar goes to the app. */
function followSettings() {
  const inner = frame.contentWindow;
  if (!inner) return;
  inner.navigation?.addEventListener("currententrychange", () => {
    if (inner.location.hash !== location.hash)
      history.replaceState(null, "", location.pathname + location.search + inner.location.hash);
  });
  addEventListener("hashchange", () => {
    if (inner.location.hash !== location.hash) inner.location.hash = location.hash;
  });
}

/** The app's button for a newer version; scripts can click it too, which counts for nothing. */
function followWish() {
  frame.contentDocument?.addEventListener("click", ({ isTrusted, target }) => {
    const button = /** @type {Element} */ (target).closest("#update-now");
    if (isTrusted && button) putNewerInPlace(reload);
  });
}

/** Link to a file that is already in this browser; never to an address. @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 600_000);
}

addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow) return;
  if (data?.type === "save" && data.blob instanceof Blob) save(data.blob, String(data.name));
});

/** @param {string} url */
const withoutHash = (url) => url.split("#")[0];
const address = withoutHash(location.href);

// A link or script in this document that leads elsewhere leads nowhere. What the browser's own
// buttons do is not asked about here.
window.navigation?.addEventListener("navigate", (event) => {
  const { url, sameDocument } = event.destination;
  const isSaving = event.downloadRequest !== null && url.startsWith("blob:");
  const isReload = event.navigationType === "reload" && withoutHash(url) === address;
  const isWanted = isSaving || (isReload && mayReload);
  if (event.cancelable && !sameDocument && !isWanted) event.preventDefault();
});

// Headers that close more than a page can by itself come from the service worker.
if (await underHeaders()) document.body.append(frame);
else reload();
