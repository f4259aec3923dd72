//! `gramerge plan`: what would happen to every tensor.

use std::process::ExitCode;

use gramerge::checkpoint::pattern::Line;
use gramerge::plan::Plan;
use gramerge::plan::lineage::Lineage;
use gramerge::plan::{Action, PlannedTensor};
use gramerge::tensor::Orientation;
use gramerge::{Result, printable};

use crate::args;
use crate::asked::asked;
use crate::inputs;
use crate::output::{bytes, json};
use crate::table::{self, Row, counted};

pub(crate) fn run(args: &args::Plan) -> Result<ExitCode> {
    let asked = asked(&args.inputs, &args.settings)?;
    let plan = Plan::make(&inputs::models(&asked)?, &asked.options)?;
    if args.json {
        json(&plan)?;
    } else {
        print(&plan, args.all);
    }
    Ok(if plan.counts().refuse > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn print(plan: &Plan, is_all: bool) {
    let name = |index: usize| plan.tensors[index].name.as_str();
    let lines = table::unless_all(plan.lines.clone(), is_all, name);
    let row = |line: &Line| {
        let tensor = &plan.tensors[line.tensors[0]];
        Row::new(line, tensor.dtype_out, &tensor.shape, fate(tensor, plan))
    };
    table::print(&lines.iter().map(row).collect::<Vec<_>>(), "");
    for gram in &plan.unmatched_grams {
        println!("unmatched Gram matrix of model {}: {}", gram.model + 1, printable(&gram.name));
    }
    if let Some(sentence) = plan.lineage.as_ref().and_then(Lineage::sentence) {
        println!("{sentence}");
    }
    inputs::warn(&plan.warnings);
    println!("{}", summary(plan));
}

/// What happens to a tensor, and why.
fn fate(tensor: &PlannedTensor, plan: &Plan) -> String {
    match &tensor.action {
        Action::Regress { orientation: Orientation::OutIn, .. } => "→ RegMean".into(),
        Action::Regress { orientation: Orientation::InOut, .. } => "→ RegMean ([in, out])".into(),
        Action::Combine { why, .. } => {
            let method = plan.action_name(&tensor.action);
            let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
            format!("→ {method}{why}")
        }
        Action::Copy { why } => format!("→ copy ({why})"),
        Action::Keep { model } => {
            let name = plan.models.get(*model).map_or(String::new(), |name| printable(name));
            format!("→ kept from model {}, `{name}`", model + 1)
        }
        Action::Refuse { why } => format!("REFUSED: {why}"),
    }
}

/// One line of counts and costs.
pub(crate) fn summary(plan: &Plan) -> String {
    let counts = plan.counts();
    let estimate = &plan.estimate;
    let groups = counted(plan.groups.len(), "group");
    let fates = [
        (counts.regress, format!("regressed in {groups}")),
        (counts.combine, "combined".into()),
        (counts.copy, "copied".into()),
        (counts.keep, "kept".into()),
        (counts.refuse, "refused".into()),
    ];
    let fates = fates.iter().filter(|(n, _)| *n > 0);
    let fates: Vec<String> = fates.map(|(n, fate)| format!("{n} {fate}")).collect();
    format!(
        "{}: {}; reads {}, writes {}, about {} of memory per thread",
        counted(plan.tensors.len(), "tensor"),
        fates.join(", "),
        bytes(estimate.read_bytes),
        bytes(estimate.write_bytes),
        bytes(estimate.memory_bytes)
    )
}
