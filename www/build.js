// The build's identity. `cargo xtask build` writes this file anew; as it stands here it describes
// no build, and the page refuses to start.

/** A digest of every file below. */
export const BUILD = "none";

/** Every file of the page and its digest, as the `integrity` of a request states it. @type {Record<string, string>} */
export const FILES = {};
