//! `gramerge plan`: what would happen to every tensor.

use std::process::ExitCode;

use gramerge::plan::Plan;
use gramerge::plan::{Action, PlannedTensor};
use gramerge::{Result, printable};

use crate::args;
use crate::inputs;
use crate::output::{bytes, json};

pub(crate) fn run(args: &args::Plan) -> Result<ExitCode> {
    let options = args.settings.options(&args.inputs)?;
    let plan = Plan::make(&inputs::models(&args.inputs, &options)?, &options)?;
    if args.json {
        json(&plan)?;
    } else {
        print(&plan);
    }
    Ok(if plan.counts().refuse > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn print(plan: &Plan) {
    for tensor in &plan.tensors {
        println!("{}", line(plan, tensor));
    }
    for gram in &plan.unmatched_grams {
        println!("unmatched Gram matrix of model {}: {}", gram.model + 1, printable(&gram.name));
    }
    inputs::warn(&plan.warnings);
    println!("{}", summary(plan));
}

fn line(plan: &Plan, tensor: &PlannedTensor) -> String {
    let what = match &tensor.action {
        Action::Regress { group, .. } => format!("regress  group {group}"),
        Action::Combine { why, .. } => format!("{:8} {why}", plan.action_name(&tensor.action)),
        Action::Copy { why } => format!("copy     {why}"),
        Action::Keep { model } => format!("keep     model {}", model + 1),
        Action::Refuse { why } => format!("REFUSE   {why}"),
    };
    let (name, dtype) = (printable(&tensor.name), tensor.dtype_out.name());
    format!("{name}  {dtype} {:?}  {what}", tensor.shape)
}

/// One line of counts and costs.
pub(crate) fn summary(plan: &Plan) -> String {
    let counts = plan.counts();
    let estimate = &plan.estimate;
    format!(
        "{} regressed in {} groups, {} combined, {} copied, {} kept, {} refused; reads {}, \
         writes {}, about {} of memory per thread",
        counts.regress,
        plan.groups.len(),
        counts.combine,
        counts.copy,
        counts.keep,
        counts.refuse,
        bytes(estimate.read_bytes),
        bytes(estimate.write_bytes),
        bytes(estimate.memory_bytes)
    )
}
