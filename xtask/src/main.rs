//! The project's tasks, run as `cargo xtask TASK`.
//!
//! One module per task; `main` only reads the arguments. Tasks install what they need, say what
//! they are doing, and say plainly what they could not get.

mod apt;
mod args;
mod bench;
mod browser;
mod fuzz;
mod identity;
mod lint;
mod package;
mod page;
mod process;
mod selected;
mod serve;
mod size;
mod test;
mod toolchain;
mod wasm;

use std::process::ExitCode;

use args::Task;

/// A failure is a sentence for the person at the terminal.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Task::parse(&arguments).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Help => {
            println!("{}", args::HELP);
            Ok(())
        }
        Task::Build => page::build(),
        Task::Package => package::run(),
        Task::Serve { port, open } => serve::run(port, open),
        Task::Test { part, filter } => test::run(part, filter.as_deref()),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Bench { part, filter } => bench::run(part, filter.as_deref()),
        Task::Screenshots { folder } => browser::screenshots(&folder),
    }
}
