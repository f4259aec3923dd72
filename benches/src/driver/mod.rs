//! The driver: asks for measurements, in this process or in a browser, and writes them down.

mod average;
mod card;
mod cpu;
mod machine;
mod native;
mod peers;
mod record;
mod results;
mod tab;
mod torch;
mod web;

use std::process::ExitCode;

use record::Book;

/// A failure is a sentence.
type Result<T> = std::result::Result<T, String>;

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let part = arguments.first().map_or("native", String::as_str);
    let filter = arguments.get(1).map_or("", String::as_str);
    match run(part, filter) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("gramerge-bench: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(part: &str, filter: &str) -> Result<()> {
    let mut book = Book::new(filter);
    match part {
        "native" => native::run(&mut book),
        "web" => web::run(&mut book),
        "peers" => peers::run(&mut book),
        "all" => native::run(&mut book)
            .and_then(|()| web::run(&mut book))
            .and_then(|()| peers::run(&mut book))
            .and_then(|()| if filter.is_empty() { results::write(&book) } else { Ok(()) }),
        other => Err(format!("`{other}` is not native, web, peers or all")),
    }
}
