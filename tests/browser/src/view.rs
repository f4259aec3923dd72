//! How the page is seen: size, colours, pictures, and whether there is a network.

use std::path::Path;

use serde_json::json;

use crate::session::Session;

impl Session {
    /// Sets the size of the window's inside, in CSS pixels.
    #[track_caller]
    pub fn set_viewport(&mut self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.tab("Emulation.setDeviceMetricsOverride", size);
    }

    /// Pretends that the person prefers this, such as `prefers-color-scheme`, `dark`.
    #[track_caller]
    pub fn prefer(&mut self, feature: &str, value: &str) {
        let features = json!({ "features": [{ "name": feature, "value": value }] });
        self.tab("Emulation.setEmulatedMedia", features);
    }

    /// Cuts the tab off from every network, the local server included.
    #[track_caller]
    pub fn go_offline(&mut self) {
        let conditions = json!({
            "offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.tab("Network.emulateNetworkConditions", conditions);
    }

    /// Stores a picture (PNG) of the whole page, not only of what fits the window.
    #[track_caller]
    pub fn screenshot(&mut self, path: &Path) {
        let size =
            self.evaluate("[innerWidth, innerHeight, document.documentElement.scrollHeight]");
        let pixels = |ix: usize| size[ix].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        // A frame shows only as much as fits: the window grows until all of it does.
        self.set_viewport(pixels(0), pixels(2).max(pixels(1)));
        self.capture(path);
        self.set_viewport(pixels(0), pixels(1));
    }

    /// Stores a picture (PNG) of what fits the window.
    #[track_caller]
    pub fn screenshot_of_window(&mut self, path: &Path) {
        self.capture(path);
    }

    #[track_caller]
    fn capture(&mut self, path: &Path) {
        let wish = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.tab("Page.captureScreenshot", wish);
        let picture = answer["data"].as_str().unwrap_or_default();
        let bytes = data_encoding::BASE64.decode(picture.as_bytes());
        let bytes = bytes.unwrap_or_else(|e| panic!("Chromium sent no picture: {e}"));
        std::fs::write(path, bytes)
            .unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
    }
}
