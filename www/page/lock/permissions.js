// @ts-check
// The browser's features that this page does not use, to be switched off by name.
//
// Known to the outer page, which switches them off in the app's frame, and to the service worker,
// which does so for the outer page. Some of them take an address or a name of the caller's choosing,
// and so are ways out that no content policy governs.

/** The one feature that the app uses: no sleep while it merges. */
export const USED = ["screen-wake-lock"];

/** For browsers that do not tell what they know: the registered names, without client hints. */
const KNOWN = (
  "accelerometer ambient-light-sensor aria-notify attribution-reporting autoplay bluetooth " +
  "browsing-topics camera captured-surface-control clipboard-read clipboard-write " +
  "compute-pressure cross-origin-isolated deferred-fetch deferred-fetch-minimal " +
  "digital-credentials-create digital-credentials-get display-capture encrypted-media fullscreen " +
  "gamepad geolocation gyroscope hid identity-credentials-get idle-detection interest-cohort " +
  "join-ad-interest-group keyboard-map language-detector language-model local-fonts " +
  "local-network local-network-access loopback-network magnetometer mediasession " +
  "media-playback-while-not-visible microphone midi on-device-speech-recognition " +
  "otp-credentials payment picture-in-picture private-aggregation " +
  "private-state-token-issuance private-state-token-redemption publickey-credentials-create " +
  "publickey-credentials-get run-ad-auction serial shared-storage shared-storage-select-url " +
  "speaker-selection storage-access summarizer sync-xhr translator unload usb web-share " +
  "window-management writer rewriter proofreader xr-spatial-tracking"
).split(" ");

/**
 * What a frame is to go without: all features that the browser knows and the app does not use.
 * @param {string[]} [told] those that the browser says it knows
 * @returns {string} the frame's `allow`
 */
export function withoutUnused(told = KNOWN) {
  const unused = told.filter((name) => !USED.includes(name));
  return unused.map((name) => `${name} 'none'`).join("; ");
}

/** The same as a header. Names that a browser does not know it passes over. */
export const HEADER = KNOWN.map((name) => `${name}=()`).join(", ");
