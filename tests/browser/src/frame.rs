//! Which document is meant: the page's, or that of the frame in which the page shows its app.
//!
//! Follows the tab's events; sends nothing.

use serde_json::Value;

use crate::connection::Event;

/// The first frame that the tab's document has while it loads, if any, and the context in which its
/// scripts run.
#[derive(Debug, Default)]
pub(crate) struct AppFrame {
    frame: Option<String>,
    context: Option<String>,
    has_loaded: bool,
}

impl AppFrame {
    /// Where scripts of the app run, as the protocol names it; none if the page has no frame.
    pub(crate) fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// Frames that are added from now on belong to what the page does, not to what it is.
    pub(crate) fn loaded(&mut self) {
        self.has_loaded = true;
    }

    /// Takes an event of the tab into account; `main` is the tab's own frame.
    pub(crate) fn note(&mut self, event: &Event, main: &str) {
        let params = &event.params;
        match event.method.as_str() {
            "Page.frameAttached" if self.is_first(&params["parentFrameId"], main) => {
                self.frame = params["frameId"].as_str().map(str::to_string);
            }
            "Runtime.executionContextCreated" => {
                let context = &params["context"];
                let (about, frame) = (&context["auxData"], self.frame.as_deref());
                if about["isDefault"] == true && frame.is_some_and(|id| about["frameId"] == id) {
                    self.context = context["uniqueId"].as_str().map(str::to_string);
                }
            }
            "Runtime.executionContextsCleared" => *self = AppFrame::default(),
            _ => {}
        }
    }

    fn is_first(&self, parent: &Value, main: &str) -> bool {
        parent == main && self.frame.is_none() && !self.has_loaded
    }
}
