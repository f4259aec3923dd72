//! Finding parts of the page by their accessible names, and using them.

use std::path::Path;

use serde_json::{Value, json};

use crate::session::{DEADLINE, Session};

/// A part of the page.
#[derive(Debug, Clone)]
pub struct Element {
    object: String,
}

/// The element that a label names, hidden or not: file inputs are often drawn by their label.
const BY_LABEL: &str = "(name) => {
    const plain = (text) => (text ?? '').replace(/\\s+/g, ' ').trim();
    const named = (element) => [
        element.getAttribute('aria-label'),
        ...[...(element.labels ?? [])].map((label) => label.textContent),
        ...(element.getAttribute('aria-labelledby') ?? '').split(' ')
            .map((id) => document.getElementById(id)?.textContent),
    ].some((text) => plain(text) === name);
    return [...document.querySelectorAll('input, select, textarea, [aria-label]')].find(named);
}";

impl Session {
    /// The control with this label.
    #[track_caller]
    pub fn by_label(&mut self, label: &str) -> Element {
        let find = format!("({BY_LABEL})({})", json!(label));
        self.wait_until(&format!("a control labelled `{label}`"), DEADLINE, |s| s.object(&find))
    }

    /// The first element that this CSS selector matches.
    #[track_caller]
    pub fn by_selector(&mut self, selector: &str) -> Element {
        let find = format!("document.querySelector({})", json!(selector));
        self.wait_until(&format!("an element `{selector}`"), DEADLINE, |s| s.object(&find))
    }

    /// The element that assistive technology knows by this role and name.
    #[track_caller]
    pub fn by_role(&mut self, role: &str, name: &str) -> Element {
        self.wait_until(&format!("a {role} named `{name}`"), DEADLINE, |s| s.find_role(role, name))
    }

    /// Whether an element with this role and name is there now.
    #[track_caller]
    pub fn has_role(&mut self, role: &str, name: &str) -> bool {
        self.find_role(role, name).is_some()
    }

    /// Waits until the button can be used, then clicks it with the mouse.
    #[track_caller]
    pub fn click_button(&mut self, name: &str) {
        let button = self.wait_until(&format!("an enabled button `{name}`"), DEADLINE, |s| {
            let button = s.find_role("button", name)?;
            (s.call_on(&button, "function () { return !this.disabled; }") == true).then_some(button)
        });
        self.click(&button);
    }

    /// Clicks in the middle of an element with the mouse.
    #[track_caller]
    pub fn click(&mut self, element: &Element) {
        let (x, y) = self.middle(element);
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({
                "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1,
            });
            self.tab("Input.dispatchMouseEvent", event);
        }
    }

    /// Chooses files, or one folder, in the file input with this label.
    #[track_caller]
    pub fn set_files(&mut self, label: &str, paths: &[&Path]) {
        let input = self.by_label(label);
        self.tab("DOM.setFileInputFiles", json!({ "objectId": input.object, "files": paths }));
    }

    /// Drags files from the desktop and drops them on an element.
    #[track_caller]
    pub fn drop_files(&mut self, selector: &str, paths: &[&Path]) {
        let element = self.by_selector(selector);
        let (x, y) = self.middle(&element);
        let data = json!({ "items": [], "files": paths, "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": x, "y": y, "data": data });
            self.tab("Input.dispatchDragEvent", event);
        }
    }

    /// The text that an element shows.
    #[track_caller]
    pub fn text(&mut self, element: &Element) -> String {
        let text = self.call_on(element, "function () { return this.innerText; }");
        text.as_str().unwrap_or_default().to_string()
    }

    /// Calls a JavaScript `function () { … this … }` on an element.
    #[track_caller]
    pub fn call_on(&mut self, element: &Element, function: &str) -> Value {
        let call = json!({
            "objectId": element.object, "functionDeclaration": function,
            "returnByValue": true, "awaitPromise": true, "userGesture": true,
        });
        self.tab("Runtime.callFunctionOn", call)["result"]["value"].take()
    }

    /// Presses a key by its name, such as `Tab`, `Shift+Tab`, `Space` or `Escape`.
    #[track_caller]
    pub fn press(&mut self, key: &str) {
        let (key, modifiers) = match key.strip_prefix("Shift+") {
            Some(key) => (key, 8),
            None => (key, 0),
        };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "Space" => 32,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            _ => 0,
        };
        let (text, name) = match key {
            "Enter" => ("\r", key),
            "Space" => (" ", " "),
            _ => ("", key),
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": name, "code": key, "windowsVirtualKeyCode": code,
                "text": text, "modifiers": modifiers,
            });
            self.tab("Input.dispatchKeyEvent", event);
        }
    }

    fn object(&mut self, expression: &str) -> Option<Element> {
        let params = self.in_app(json!({ "expression": expression }));
        let answer = self.tab("Runtime.evaluate", params);
        let object = answer["result"]["objectId"].as_str()?.to_string();
        Some(Element { object })
    }

    fn find_role(&mut self, role: &str, name: &str) -> Option<Element> {
        let document = self.object("document")?;
        let query = json!({ "objectId": document.object, "role": role, "accessibleName": name });
        let found = self.tab("Accessibility.queryAXTree", query);
        let node = found["nodes"].as_array()?.iter().find(|node| node["ignored"] == false)?;
        let wish = json!({ "backendNodeId": node["backendDOMNodeId"] });
        let resolved = self.tab("DOM.resolveNode", wish);
        let object = resolved["object"]["objectId"].as_str()?.to_string();
        Some(Element { object })
    }

    /// Where to point at: the middle of the element, after scrolling it into view.
    #[track_caller]
    fn middle(&mut self, element: &Element) -> (f64, f64) {
        let corners = self.call_on(
            element,
            "async function () {
                const frame = () => new Promise(requestAnimationFrame);
                for (let last = ''; ; ) {
                    this.scrollIntoView({ block: 'center', behavior: 'instant' });
                    await frame();
                    await frame();
                    const box = this.getBoundingClientRect();
                    const middle = [box.x + box.width / 2, box.y + box.height / 2];
                    // The page may still be scrolling by itself: wait until it rests.
                    if (String(middle) === last) return middle;
                    last = String(middle);
                }
            }",
        );
        let at = |ix: usize| corners[ix].as_f64().unwrap_or_default();
        (at(0), at(1))
    }
}
