//! More tabs of the same browser, which share what the browser stores.

use std::mem::replace;

use serde_json::json;

use super::targets::open_tab;
use super::{AppFrame, Session};

/// A tab in the background. It stays as it is: nothing may load there.
#[derive(Debug)]
pub struct Tab {
    tab: String,
    main_frame: String,
    app: AppFrame,
}

impl Session {
    /// Goes on in a new, empty tab; answers with the one that was used until now.
    #[track_caller]
    pub fn new_tab(&mut self) -> Tab {
        let opened = open_tab(&mut self.connection, self.downloads.path());
        let (tab, main_frame) = opened.unwrap_or_else(|sentence| panic!("{sentence}"));
        self.switch(Tab { tab, main_frame, app: AppFrame::default() })
    }

    /// Goes on in that tab.
    #[track_caller]
    pub fn switch(&mut self, other: Tab) -> Tab {
        let left = Tab {
            tab: replace(&mut self.tab, other.tab),
            main_frame: replace(&mut self.main_frame, other.main_frame),
            app: replace(&mut self.app, other.app),
        };
        // What is behind another tab is not drawn, and has no roles.
        self.tab("Page.bringToFront", json!({}));
        left
    }
}
