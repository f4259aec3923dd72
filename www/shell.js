// @ts-check
// The outer page. It shows the app in a frame that may not open windows, navigate the tab or
// download from an address, then closes the network for itself and for the frame's navigation.
//
// It does three things for the app, which works without it as well: it shows the app's title and
// settings in the tab's title and address, it saves what the app hands over as a `Blob`, and it
// reloads when the user asks for a newer version.

const frame = document.createElement("iframe");
frame.title = "gramerge";
frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-modals");
frame.src = `app.html${location.search}${location.hash}`;
frame.addEventListener("load", () => {
  closeNetwork();
  followTitle();
  followSettings();
  frame.focus();
});
document.body.append(frame);

/** What the frame may navigate to is this document's to say: nothing, from now on. */
function closeNetwork() {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "default-src 'none'; img-src 'self' data:; manifest-src 'self'";
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
  if (data?.type === "reload") location.reload();
});

/** @param {string} url */
const withoutHash = (url) => url.split("#")[0];
const address = withoutHash(location.href);

// A link or script in this document that leads elsewhere leads nowhere.
window.navigation?.addEventListener("navigate", (event) => {
  const { url, sameDocument } = event.destination;
  const isSaving = event.downloadRequest !== null && url.startsWith("blob:");
  const isReload = event.navigationType === "reload" && withoutHash(url) === address;
  if (event.cancelable && !sameDocument && !isSaving && !isReload) event.preventDefault();
});
