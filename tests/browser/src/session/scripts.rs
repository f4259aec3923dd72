//! What a page's scripts say, now or after a while.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{DEADLINE, Session};
use crate::record::exception;

/// How long to listen before a condition is looked at again; any event ends it early.
const LISTENING: Duration = Duration::from_millis(25);

impl Session {
    /// The value of an expression in the page, or in its frame if it has one; a promise is waited
    /// for.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = self.in_app(json!({ "expression": expression }));
        self.value_of(expression, params)
    }

    /// The value of an expression in the tab's own document, whatever frames it has.
    #[track_caller]
    pub fn evaluate_in_tab(&mut self, expression: &str) -> Value {
        self.value_of(expression, json!({ "expression": expression }))
    }

    /// Adds to the parameters of an evaluation where it is to run.
    pub(crate) fn in_app(&mut self, mut params: Value) -> Value {
        self.listen(Duration::ZERO);
        if let Some(context) = self.app.context() {
            params["uniqueContextId"] = context.into();
        }
        params
    }

    #[track_caller]
    fn value_of(&mut self, expression: &str, mut params: Value) -> Value {
        for wish in ["awaitPromise", "returnByValue", "userGesture"] {
            params[wish] = true.into();
        }
        let mut answer = self.tab("Runtime.evaluate", params);
        let details = &answer["exceptionDetails"];
        assert!(details.is_null(), "`{expression}` threw {}", exception(details));
        answer["result"]["value"].take()
    }

    /// Waits until the expression is true in the tab's own document.
    #[track_caller]
    pub fn wait_for_in_tab(&mut self, expression: &str) {
        let condition = is_true(expression);
        self.wait_until(expression, DEADLINE, |session| {
            session.holds(json!({ "expression": condition })).then_some(())
        });
    }

    /// Waits until the expression, or what it promises, is true.
    #[track_caller]
    pub fn wait_for(&mut self, expression: &str) {
        self.wait_for_within(expression, DEADLINE);
    }

    /// Waits until the expression is true, at most for this long.
    #[track_caller]
    pub fn wait_for_within(&mut self, expression: &str, limit: Duration) {
        let condition = is_true(expression);
        self.wait_until(expression, limit, |session| {
            let params = session.in_app(json!({ "expression": condition }));
            session.holds(params).then_some(())
        });
    }

    /// Whether an expression is true now. In a document that goes while it is asked it is not yet.
    #[track_caller]
    fn holds(&mut self, mut params: Value) -> bool {
        for wish in ["awaitPromise", "returnByValue", "userGesture"] {
            params[wish] = true.into();
        }
        match self.connection.call(&self.tab, "Runtime.evaluate", params) {
            Ok(answer) => {
                let details = &answer["exceptionDetails"];
                assert!(details.is_null(), "a condition threw {}", exception(details));
                answer["result"]["value"] == true
            }
            Err(sentence) if sentence.contains("navigated or closed") => false,
            Err(sentence) if sentence.contains("uniqueContextId not found") => false,
            Err(sentence) => panic!("{sentence}"),
        }
    }

    /// Waits until `look` finds something; `what` names it if it does not come.
    #[track_caller]
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&mut Session) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + limit;
        loop {
            self.listen(Duration::ZERO);
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited {limit:?} for: {what}\n{:#?}", self.record);
            self.listen(LISTENING);
        }
    }
}

/// What an expression, or a promise, comes to. A promise itself is always true.
fn is_true(expression: &str) -> String {
    format!("(async () => !!(await ({expression})))()")
}
