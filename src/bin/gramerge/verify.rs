//! `gramerge verify`: is this output what the inputs should have made?

use std::process::ExitCode;

use gramerge::backend::cpu::{Cpu, Native};
use gramerge::run::Merge;
use gramerge::verify::{Verified, verify};
use gramerge::{Result, printable};
use pollster::block_on;

use crate::args;
use crate::asked::asked;
use crate::inputs;
use crate::output::json;
use crate::progress::Progress;
use crate::table::counted;

pub(crate) fn run(args: &args::Verify) -> Result<ExitCode> {
    let asked = asked(&args.inputs, &args.settings)?;
    let merge = Merge::new(inputs::models(&asked)?, asked.options)?;
    let out = inputs::model(&args.output, None)?;
    let read_bytes = merge.plan().estimate.read_bytes + merge.layout().total_bytes();
    let progress = Progress::of_reading(read_bytes, "");
    let verified = block_on(verify(&merge, &out, &Cpu::<Native<f64>>::default()))?;
    drop(progress);
    if args.json {
        json(&verified)?;
    } else {
        print(&verified);
    }
    let good = verified.iter().all(Verified::is_within);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn print(verified: &[Verified]) {
    for tensor in verified {
        let mark = if tensor.is_within() { "ok " } else { "BAD" };
        let residual = tensor.residual.map_or(String::new(), |r| format!("  residual {r:.1e}"));
        let (name, action) = (printable(&tensor.name), &tensor.action);
        let note = tensor.note.as_ref().map_or(String::new(), |note| format!("  {note}"));
        println!("{mark} {name}  {action}  error {:.1e}{residual}{note}", tensor.error);
    }
    let bad = verified.iter().filter(|tensor| !tensor.is_within()).count();
    println!("{} checked, {bad} out of bound", counted(verified.len(), "tensor"));
}
