//! A plan as JSON: what tests, scripts and the page read. `action` is a word, beside which stands what
//! belongs to it.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Action, Plan, PlannedTensor, Rule};

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tensors: Vec<Named<'_>> =
            self.tensors.iter().map(|tensor| Named { plan: self, tensor }).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("models", &self.models)?;
        map.serialize_entry("base", &self.base)?;
        map.serialize_entry("rules", &self.rules)?;
        map.serialize_entry("tensors", &tensors)?;
        map.serialize_entry("lines", &self.lines)?;
        map.serialize_entry("groups", &self.groups)?;
        map.serialize_entry("unmatched_grams", &self.unmatched_grams)?;
        map.serialize_entry("warnings", &self.warnings)?;
        map.serialize_entry("lineage", &self.lineage)?;
        map.serialize_entry("estimate", &self.estimate)?;
        map.end()
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("method", &self.method)?;
        map.serialize_entry("coefficients", &self.values.coefficients)?;
        map.serialize_entry("settings", &self.values.settings)?;
        map.end()
    }
}

/// A tensor, and the plan that names its rule.
struct Named<'a> {
    plan: &'a Plan,
    tensor: &'a PlannedTensor,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PlannedTensor { name, shape, dtypes, dtype_out, action } = self.tensor;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", name)?;
        map.serialize_entry("shape", shape)?;
        map.serialize_entry("dtypes", dtypes)?;
        map.serialize_entry("dtype_out", dtype_out)?;
        map.serialize_entry("action", self.plan.action_name(action))?;
        match action {
            Action::Regress { group, orientation } => {
                map.serialize_entry("group", group)?;
                map.serialize_entry("orientation", orientation)?;
            }
            Action::Combine { rule, why } => {
                map.serialize_entry("rule", rule)?;
                map.serialize_entry("why", why)?;
            }
            Action::Copy { why } | Action::Refuse { why } => map.serialize_entry("why", why)?,
            Action::Keep { model } => map.serialize_entry("model", model)?,
        }
        map.end()
    }
}
