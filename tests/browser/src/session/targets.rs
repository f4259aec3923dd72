//! Tabs and workers, as the protocol attaches to them.

use std::path::Path;

use serde_json::json;

use crate::Result;
use crate::connection::{Connection, Event};

/// A new tab, and its frame, which the protocol names like the tab.
pub(super) fn open_tab(connection: &mut Connection, downloads: &Path) -> Result<(String, String)> {
    let mut browser = |method, params| connection.call("", method, params);
    let behavior = json!({
        "behavior": "allow",
        "downloadPath": downloads,
        "eventsEnabled": true,
    });
    browser("Browser.setDownloadBehavior", behavior)?;
    let target = browser("Target.createTarget", json!({ "url": "about:blank" }))?;
    let frame = target["targetId"].as_str().unwrap_or_default().to_string();
    let wish = json!({ "targetId": frame, "flatten": true });
    let attached = browser("Target.attachToTarget", wish)?;
    let tab = attached["sessionId"].as_str().ok_or("Chromium gave no tab")?.to_string();
    for method in ["Page.enable", "DOM.enable", "Accessibility.enable", "Inspector.enable"] {
        connection.call(&tab, method, json!({}))?;
    }
    watch(connection, &tab)?;
    Ok((tab, frame))
}

/// Listens to a tab or worker, and has its workers wait until they are listened to as well.
fn watch(connection: &mut Connection, target: &str) -> Result<()> {
    for method in ["Runtime.enable", "Log.enable", "Network.enable"] {
        connection.send(target, method, json!({}))?;
    }
    let wish = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
    connection.send(target, "Target.setAutoAttach", wish)?;
    Ok(())
}

/// A new worker waits: listen to it, then let it start.
pub(super) fn greet(connection: &mut Connection, event: &Event) -> Result<()> {
    let Some(worker) = event.params["sessionId"].as_str() else { return Ok(()) };
    // The tab itself is announced too; it was greeted when it was opened.
    if event.params["waitingForDebugger"] == true {
        watch(connection, worker)?;
        connection.send(worker, "Runtime.runIfWaitingForDebugger", json!({}))?;
    }
    Ok(())
}
