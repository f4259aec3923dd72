// Every interface that takes an address, a name or a destination, once per row, as a script of the
// page would use it. Answers with the table.
//
// `isOnce`: after a first failure the browser refuses it for a while.
// `isAlone`: it would disturb others that are tried at the same time.
// `send(view, to)` tries it in one window or worker; `to` has `url`, and `tls`, which is the same
// place by TLS. `in` names the kinds of place that have it: w(indow), k (worker). `by` says what
// closes it. `open` names the places where something arrives all the same, and `why`. `twin` says why
// not even the page without the lock lets it out here, so that the row shows less than others do.
(() => {
  const node = (view, name, props, parent = "body") => {
    const made = view.document.createElement(name);
    Object.assign(made, props);
    view.document[parent].append(made);
    return made;
  };
  const settled = (target) =>
    new Promise((resolve) => {
      for (const type of ["load", "error", "open", "close", "message"])
        target.addEventListener(type, resolve, { once: true });
    });
  const link = (rel, more = {}) => (view, { url }) =>
    settled(node(view, "link", { rel, ...more, href: url }, "head"));
  const style = (rule) => (view, { url }) => {
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(rule(url));
    view.document.adoptedStyleSheets.push(sheet);
    view.document.body.append("text"); // fonts are fetched for text
    return view.document.body.offsetHeight;
  };
  const svg = (name, attribute = "href") => (view, { url }) => {
    const space = "http://www.w3.org/2000/svg";
    const drawing = view.document.createElementNS(space, "svg");
    const inner = view.document.createElementNS(space, name);
    inner.setAttribute(attribute, attribute === "href" ? `${url}#x` : `url(${url}#x)`);
    drawing.append(inner);
    view.document.body.append(drawing);
    return drawing.getBoundingClientRect();
  };
  const hint = (rel) => (view, { tls }) => void node(view, "link", { rel, href: tls }, "head");
  const anchor = (more) => (view, { url }) => node(view, "a", { href: url, ...more }).click();
  const inline = (type, text) => (view) => void node(view, "script", { type, textContent: text });
  const key = (kind, more) => (view, { tls }) =>
    view.navigator.credentials[kind]({
      publicKey: { challenge: new Uint8Array(16), timeout: 1000, ...more(new URL(tls).hostname) },
    });
  const rtc = (view, { tls }) => {
    const urls = `turns:${new URL(tls).hostname}:443?transport=tcp`;
    const made = new view.RTCPeerConnection({ iceServers: [{ urls, username: "a", credential: "b" }] });
    made.createDataChannel("x");
    return made.createOffer().then((offer) => made.setLocalDescription(offer));
  };
  const cookie = async (view, { name }) => {
    view.document.cookie = `${name}=1; path=/`;
    const container = view.navigator.serviceWorker;
    return (await container.getRegistration()).update();
  };

  const CONTENT = "content policy";
  const SANDBOX = "sandbox";
  const GUARD = "navigation guard";
  const FEATURES = "permissions policy";
  const NO_TWIN = "needs a device, an account or a permission that no test has";
  const GONE = "not in this browser any more, or not yet";

  return [
    // Requests.
    { name: "fetch", in: "wk", by: CONTENT, send: (v, { url }) => v.fetch(url, { mode: "no-cors" }) },
    { name: "keepalive", in: "w", by: CONTENT, send: (v, { url }) => v.fetch(url, { mode: "no-cors", keepalive: true }) },
    { name: "fetch-later", in: "w", by: CONTENT, send: (v, { url }) => v.fetchLater(url, { activateAfter: 0 }), twin: "wants TLS" },
    { name: "xhr", in: "wk", by: CONTENT, send: (v, { url }) => { const x = new v.XMLHttpRequest(); x.open("POST", url); x.send("1"); return settled(x); } },
    { name: "websocket", in: "wk", by: CONTENT, send: (v, { url }) => settled(new v.WebSocket(url.replace("http", "ws"))) },
    { name: "websocket-stream", in: "wk", by: CONTENT, send: (v, { url }) => new v.WebSocketStream(url.replace("http", "ws")).opened, twin: GONE },
    { name: "event-source", in: "wk", by: CONTENT, send: (v, { url }) => settled(new v.EventSource(url)) },
    { name: "web-transport", in: "wk", by: CONTENT, send: (v, { tls }) => new v.WebTransport(tls).ready, twin: "speaks QUIC, which is not counted" },
    { name: "beacon", in: "w", by: CONTENT, send: (v, { url }) => v.navigator.sendBeacon(url, "1") },
    { name: "cache", in: "wk", by: CONTENT, send: (v, { url }) => v.caches.open("x").then((cache) => cache.add(url)) },
    { name: "ping", in: "w", by: CONTENT, send: (v, { url }) => node(v, "a", { href: "#", ping: url }).click() },
    // Code.
    { name: "import", in: "k", by: CONTENT, send: (v, { url }) => import(url) },
    { name: "script", in: "w", by: "trusted types", send: (v, { url }) => settled(node(v, "script", { src: url })) },
    { name: "worker", in: "wk", by: "trusted types", send: (v, { url }) => settled(new v.Worker(url)), twin: "only of the page's own server" },
    { name: "shared-worker", in: "w", by: "trusted types", send: (v, { url }) => settled(new v.SharedWorker(url)), twin: "only of the page's own server" },
    { name: "service-worker", in: "w", by: "taken away, content policy", send: (v, { url }) => v.navigator.serviceWorker.register(url), twin: "only of the page's own server" },
    { name: "audio-worklet", in: "w", by: CONTENT, send: (v, { url }) => new v.AudioContext().audioWorklet.addModule(url) },
    { name: "paint-worklet", in: "w", by: CONTENT, send: (v, { url }) => v.CSS.paintWorklet.addModule(url) },
    { name: "shared-storage", in: "w", by: FEATURES, send: (v, { url }) => v.sharedStorage.worklet.addModule(url), twin: GONE },
    { name: "speculation", in: "w", by: "trusted types", send: (v, { url }) => inline("speculationrules", JSON.stringify({ prefetch: [{ source: "list", urls: [url] }] }))(v), twin: "a browser without a screen does not speculate" },
    { name: "import-map", in: "w", by: "trusted types", send: (v, { url }) => inline("importmap", JSON.stringify({ imports: { x: url } }))(v), twin: "asks for nothing by itself" },
    // Elements.
    { name: "image", in: "w", by: CONTENT, send: (v, { url }) => { const i = new v.Image(); i.src = url; return settled(i); } },
    { name: "attribution", in: "w", by: FEATURES, send: (v, { url }) => void node(v, "img", {}).setAttribute("attributionsrc", url), twin: GONE },
    { name: "video", in: "w", by: CONTENT, send: (v, { url }) => settled(node(v, "video", { src: url })) },
    { name: "poster", in: "w", by: CONTENT, send: (v, { url }) => void node(v, "video", { poster: url }) },
    { name: "track", in: "w", by: CONTENT, send: (v, { url }) => { const m = node(v, "video", {}); const t = v.document.createElement("track"); t.src = url; t.default = true; m.append(t); t.track.mode = "showing"; return settled(t); }, twin: "only of the page's own server" },
    { name: "object", in: "w", by: CONTENT, send: (v, { url }) => void node(v, "object", { data: url }) },
    { name: "embed", in: "w", by: CONTENT, send: (v, { url }) => void node(v, "embed", { src: url }) },
    { name: "frame", in: "w", by: CONTENT, send: (v, { url }) => settled(node(v, "iframe", { src: url })) },
    { name: "svg-image", in: "w", by: CONTENT, send: svg("image") },
    { name: "svg-use", in: "w", by: CONTENT, send: svg("use"), twin: "only of the page's own server" },
    { name: "svg-filter", in: "w", by: CONTENT, send: svg("rect", "filter"), twin: "only of the page's own server" },
    // Links.
    ...["stylesheet", "icon", "prefetch", "manifest"].map((rel) => ({
      name: rel, in: "w", by: CONTENT, send: link(rel),
      twin: rel === "icon" || rel === "manifest" ? "a browser without a screen shows none" : undefined,
    })),
    { name: "preload", in: "w", by: CONTENT, send: link("preload", { as: "image" }) },
    { name: "modulepreload", in: "w", by: CONTENT, send: link("modulepreload") },
    { name: "preconnect", in: "w", by: "connection allowlist", send: hint("preconnect"), open: ["stranger empty", "stranger outer-empty"], why: "Chromium's list of connections does not hold for hints in an empty frame" },
    { name: "dns-prefetch", in: "w", by: "connection allowlist", send: hint("dns-prefetch"), twin: "a lookup makes no connection that could be counted; as open as `preconnect`" },
    // Styles.
    { name: "css-image", in: "w", by: CONTENT, send: style((url) => `body { background: url(${url}) }`) },
    { name: "css-cursor", in: "w", by: CONTENT, send: style((url) => `body { cursor: url(${url}), auto }`) },
    { name: "css-font", in: "w", by: CONTENT, send: style((url) => `@font-face { font-family: x; src: url(${url}) } body { font-family: x }`) },
    { name: "css-import", in: "w", by: CONTENT, send: (v, { url }) => void node(v, "style", { textContent: `@import url(${url});` }, "head") },
    { name: "font-face", in: "wk", by: CONTENT, send: (v, { url }) => new v.FontFace("x", `url(${url})`).load() },
    // Where windows go.
    { name: "popup", isAlone: true, in: "w", by: SANDBOX, send: (v, { url }) => void v.open(url) },
    { name: "blank", isAlone: true, in: "w", by: SANDBOX, send: anchor({ target: "_blank" }) },
    { name: "form", isAlone: true, in: "w", by: CONTENT, send: (v, { url }) => node(v, "form", { action: url, method: "post", target: "_blank" }).submit() },
    { name: "address", isAlone: true, in: "w", by: GUARD, send: (v, { url }) => void (v.location.href = url) },
    { name: "replace", isAlone: true, in: "w", by: GUARD, send: (v, { url }) => v.location.replace(url) },
    { name: "navigate", isAlone: true, in: "w", by: GUARD, send: (v, { url }) => v.navigation.navigate(url).finished },
    { name: "refresh", isAlone: true, in: "w", by: GUARD, send: (v, { url }) => void node(v, "meta", { httpEquiv: "refresh", content: `0; url=${url}` }, "head") },
    { name: "link", isAlone: true, in: "w", by: GUARD, send: anchor({}) },
    { name: "download", isAlone: true, in: "w", by: SANDBOX, send: anchor({ download: "x" }), open: ["own outer-empty"], why: "the outer page must be able to save files" },
    { name: "top", isAlone: true, in: "w", by: SANDBOX, send: (v, { url }) => void (v.top.location.href = url) },
    // What takes a name, or a destination, in no request.
    { name: "passkey-get", isAlone: true, in: "w", by: FEATURES, send: key("get", (rpId) => ({ rpId })) },
    { name: "passkey-create", isAlone: true, in: "w", by: FEATURES, send: key("create", (id) => ({ rp: { id, name: "x" }, user: { id: new Uint8Array(1), name: "x", displayName: "x" }, pubKeyCredParams: [{ type: "public-key", alg: -7 }] })) },
    { name: "identity", isAlone: true, isOnce: true, in: "w", by: FEATURES, send: (v, { tls }) => v.navigator.credentials.get({ identity: { providers: [{ configURL: tls, clientId: "x" }] } }) },
    { name: "digital-credential", in: "w", by: FEATURES, send: (v, { url }) => v.navigator.credentials.get({ digital: { requests: [{ protocol: "openid4vp", data: { url } }] } }), twin: NO_TWIN },
    { name: "password", in: "w", by: FEATURES, send: (v, { url }) => v.navigator.credentials.store(new v.FederatedCredential({ id: "x", provider: url })), twin: "kept, not sent" },
    { name: "payment", in: "w", by: FEATURES, send: (v, { tls }) => new v.PaymentRequest([{ supportedMethods: tls }], { total: { label: "x", amount: { currency: "EUR", value: "1" } } }).show(), twin: NO_TWIN },
    { name: "presentation", in: "w", by: SANDBOX, send: (v, { tls }) => new v.PresentationRequest(tls).start(), twin: NO_TWIN },
    { name: "remote-playback", in: "w", by: CONTENT, send: (v, { url }) => node(v, "video", { src: url }).remote.prompt(), twin: NO_TWIN },
    { name: "share", in: "w", by: FEATURES, send: (v, { url }) => v.navigator.share({ url }), twin: GONE },
    { name: "protocol-handler", in: "w", by: "the user, asked by the browser", send: (v, { url }) => v.navigator.registerProtocolHandler("web+x", `${url}%s`), twin: NO_TWIN },
    { name: "geolocation", in: "w", by: FEATURES, send: (v) => new Promise((yes, no) => v.navigator.geolocation.getCurrentPosition(yes, no, { timeout: 500 })), twin: NO_TWIN },
    { name: "push", in: "w", by: "taken away; the user, asked by the browser", send: async (v) => (await v.navigator.serviceWorker.ready).pushManager.subscribe({ userVisibleOnly: true }), twin: NO_TWIN },
    { name: "background-fetch", in: "w", by: "taken away, content policy", send: async (v, { url }) => (await v.navigator.serviceWorker.ready).backgroundFetch.fetch("x", [url]), twin: "a browser without a screen fetches nothing in the background" },
    { name: "topics", in: "w", by: FEATURES, send: (v) => v.document.browsingTopics(), twin: GONE },
    { name: "interest-group", in: "w", by: FEATURES, send: (v, { tls }) => v.navigator.joinAdInterestGroup({ owner: new URL(tls).origin, name: "x" }, 60), twin: GONE },
    { name: "storage-access", in: "w", by: FEATURES, send: (v) => v.document.requestStorageAccess(), twin: NO_TWIN },
    { name: "notification", in: "w", by: "the user, asked by the browser", send: (v, { url }) => new v.Notification("x", { icon: url }), twin: NO_TWIN },
    { name: "media-session", in: "w", by: CONTENT, send: (v, { url }) => void (v.navigator.mediaSession.metadata = new v.MediaMetadata({ title: "x", artwork: [{ src: url }] })), twin: NO_TWIN },
    { name: "report-uri", in: "w", by: "no effect in a <meta> element", send: (v, { url }) => { node(v, "meta", { httpEquiv: "Content-Security-Policy", content: `img-src 'none'; report-uri ${url}` }, "head"); node(v, "img", { src: "data:," }); }, twin: "never has any" },
    { name: "webrtc", isAlone: true, in: "w", by: "connection allowlist, taken away", send: rtc },
    { name: "update", in: "w", by: "taken away", send: async (v) => (await v.navigator.serviceWorker.getRegistration()).update(), twin: "the address is that of the service worker: see `cookie`" },
    { name: "cookie", in: "w", by: "taken away", send: cookie, twin: "Chromium sends no cookie for a service worker that is a module" },
    { name: "reload", isAlone: true, in: "w", by: GUARD, send: (v) => v.location.reload(), twin: "carries nothing" },
  ];
})();
