//! Which document is meant: the page's, or that of the frame in which the page shows its app.
//!
//! Follows the tab's events; sends nothing.

use crate::connection::Event;

/// The tab's first frame, if its document has one, and the context in which its scripts run.
#[derive(Debug, Default)]
pub(crate) struct AppFrame {
    frame: Option<String>,
    context: Option<String>,
}

impl AppFrame {
    /// Where scripts of the app run, as the protocol names it; none if the page has no frame.
    pub(crate) fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// Takes an event of the tab into account; `main` is the tab's own frame.
    pub(crate) fn note(&mut self, event: &Event, main: &str) {
        let params = &event.params;
        match event.method.as_str() {
            "Page.frameAttached" if self.frame.is_none() && params["parentFrameId"] == main => {
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
}
