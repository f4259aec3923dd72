// @ts-check
// Settings in the page's address, after `#`: never names of files or models.

/** What the address holds. */
export function readAddress() {
  return new URLSearchParams(location.hash.slice(1));
}

/** @param {Record<string, string | undefined>} settings those that are not as they are by themselves */
export function writeAddress(settings) {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(settings)) {
    if (value !== undefined) params.set(key, value);
  }
  const address = params.size > 0 ? `#${params}` : location.pathname + location.search;
  history.replaceState(null, "", address);
}

/** @param {() => void} onChange */
export function onAddress(onChange) {
  addEventListener("hashchange", onChange);
}
