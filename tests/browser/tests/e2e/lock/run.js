// Tries rows of the table in one place: the app's own window, the outer page's, an empty frame in
// either, which is a fresh window, or a worker. Every attempt carries its row's name and its place.
(rows, table, run) => {
  /** So long an attempt may take: a request that nobody answers. */
  const PATIENCE_MILLIS = 700;
  const late = () => new Promise((resolve) => setTimeout(resolve, PATIENCE_MILLIS));
  const empty = (document) => {
    const frame = document.createElement("iframe");
    document.body.append(frame);
    return frame.contentWindow;
  };
  const views = {
    page: () => window,
    outer: () => parent,
    empty: () => empty(document),
    "outer-empty": () => empty(parent.document),
    worker: () => self,
  };
  const target = (to, name) =>
    to === "stranger"
      ? { name, url: `http://${name}.example/${name}`, tls: `https://${name}.example/${name}` }
      : { name, url: to + name, tls: to.replace("http", "https") + name };

  const here = async (place, names, to) => {
    const view = views[place]();
    const attempt = async ({ name, send }) => send(view, target(to, `${name}--${place}`));
    const wanted = rows.filter(({ name }) => names.includes(name));
    await Promise.all(wanted.map((row) => Promise.race([late(), attempt(row).catch(() => {})])));
  };
  const inWorker = async (...what) => {
    const { startWorker } = await import("./shared/trusted.js");
    const text = `(${run})(${table}).here(...${JSON.stringify(what)}).then(() => postMessage(0));`;
    const worker = startWorker(
      URL.createObjectURL(new Blob([text], { type: "text/javascript" })),
      "routes",
    );
    await new Promise((resolve) => {
      worker.onmessage = resolve;
    });
  };
  return { here, inWorker };
};
