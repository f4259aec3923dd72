//! The command line of `cargo xtask`.

use crate::Result;

/// What `cargo xtask` prints without a task.
pub(crate) const HELP: &str = "\
cargo xtask serve [--port N] [--no-open]   build the page and serve it on this machine
cargo xtask build                          build the page into target/web
cargo xtask package                        build it and pack it into target/gramerge-web.zip
cargo xtask test [PART] [FILTER]           run every test; PART is lint, native, web or e2e,
                                           FILTER a part of the names of the tests to run
cargo xtask test firefox                   the graphics card's suite in Firefox, in no other run
cargo xtask fuzz [--minutes N] [--seed N] [--planted] [TARGET]
                                           damage files and command lines in search of faults;
                                           TARGET is headers, indices, grams, merges or commands;
                                           with --planted, find faults that were put there
cargo xtask bench [PART] [FILTER]          measure; PART is native, web or peers, FILTER a part
                                           of the names of the cases to run
cargo xtask screenshots FOLDER             pictures of the page: two widths, light and dark";

/// One line of the help, as data.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    /// Print the help.
    Help,
    /// Build the page.
    Build,
    /// Build the page and pack it.
    Package,
    /// Build the page and serve it.
    Serve {
        /// 0 means any free port.
        port: u16,
        /// Whether to open a browser.
        open: bool,
    },
    /// Run tests: all of them without a part.
    Test {
        /// The only part to run.
        part: Option<Part>,
        /// Run only tests whose name contains this.
        filter: Option<String>,
    },
    /// Look for faults with damaged inputs.
    Fuzz(Fuzz),
    /// Measure: everything without a part.
    Bench {
        /// The only part to run.
        part: Bench,
        /// Run only cases whose name contains this.
        filter: Option<String>,
    },
    /// Take pictures of the page.
    Screenshots {
        /// Where the pictures go.
        folder: String,
    },
}

/// The parts of `cargo xtask test`, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Part {
    /// Formatting and clippy, native and wasm.
    Lint,
    /// `cargo test` of everything that needs no browser.
    Native,
    /// The suite inside a browser's workers, once per kernel build.
    Web,
    /// The page itself, driven as a person would.
    E2e,
    /// The graphics card's suite in Firefox: only when asked for, since it takes long.
    Firefox,
}

impl Part {
    /// What runs when no part is named.
    pub(crate) const ALL: [Part; 4] = [Part::Lint, Part::Native, Part::Web, Part::E2e];

    fn named(name: &str) -> Option<Part> {
        match name {
            "lint" => Some(Part::Lint),
            "native" => Some(Part::Native),
            "web" => Some(Part::Web),
            "e2e" => Some(Part::E2e),
            "firefox" => Some(Part::Firefox),
            _ => None,
        }
    }
}

/// Settings of `cargo xtask fuzz`.
#[derive(Debug, PartialEq)]
pub(crate) struct Fuzz {
    /// How long, in all.
    pub(crate) minutes: u64,
    /// Where the random numbers begin; the clock without one.
    pub(crate) seed: Option<u64>,
    /// Whether to find planted faults rather than real ones.
    pub(crate) planted: bool,
    /// The only target.
    pub(crate) target: Option<String>,
}

impl Default for Fuzz {
    fn default() -> Self {
        Self { minutes: 30, seed: None, planted: false, target: None }
    }
}

/// The parts of `cargo xtask bench`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bench {
    /// This machine's own kernels.
    Native,
    /// The kernels in a browser's workers, and the page.
    Web,
    /// The browser beside other software.
    Peers,
    /// All of them.
    All,
}

impl Bench {
    const ALL: [Bench; 4] = [Bench::Native, Bench::Web, Bench::Peers, Bench::All];

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Bench::Native => "native",
            Bench::Web => "web",
            Bench::Peers => "peers",
            Bench::All => "all",
        }
    }

    fn named(name: &str) -> Option<Bench> {
        Bench::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl Task {
    /// Reads the arguments that follow `cargo xtask`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Task> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] | ["help" | "--help" | "-h"] => Ok(Task::Help),
            ["build"] => Ok(Task::Build),
            ["package"] => Ok(Task::Package),
            ["serve", options @ ..] => parse_serve(options),
            ["test", options @ ..] => parse_test(options),
            ["fuzz", options @ ..] => parse_fuzz(options),
            ["bench", options @ ..] => parse_bench(options),
            ["screenshots", folder] => Ok(Task::Screenshots { folder: (*folder).into() }),
            _ => Err(format!("cannot read `{}`; the tasks are:\n{HELP}", words.join(" "))),
        }
    }
}

fn parse_serve(mut options: &[&str]) -> Result<Task> {
    let (mut port, mut open) = (8080, true);
    while let [option, rest @ ..] = options {
        options = match (*option, rest) {
            ("--no-open", rest) => {
                open = false;
                rest
            }
            ("--port", [number, rest @ ..]) => {
                port = number.parse().map_err(|_| format!("`{number}` is not a port"))?;
                rest
            }
            _ => return Err(format!("`serve` does not know `{option}`; the tasks are:\n{HELP}")),
        };
    }
    Ok(Task::Serve { port, open })
}

fn parse_test(options: &[&str]) -> Result<Task> {
    let owned = |filter: &str| Some(filter.to_string());
    match options {
        [] => Ok(Task::Test { part: None, filter: None }),
        [word] => Ok(match Part::named(word) {
            Some(part) => Task::Test { part: Some(part), filter: None },
            None => Task::Test { part: None, filter: owned(word) },
        }),
        [name, filter] => match Part::named(name) {
            Some(part) => Ok(Task::Test { part: Some(part), filter: owned(filter) }),
            None => Err(format!("`{name}` is not a part of the tests; the tasks are:\n{HELP}")),
        },
        _ => Err(format!("`test` takes a part and a filter; the tasks are:\n{HELP}")),
    }
}

fn parse_fuzz(mut options: &[&str]) -> Result<Task> {
    let mut fuzz = Fuzz::default();
    let whole = |number: &str| {
        number.parse().map_err(|_| format!("`{number}` is not a whole number that fits"))
    };
    while let [option, rest @ ..] = options {
        options = match (*option, rest) {
            ("--minutes", [number, rest @ ..]) => {
                fuzz.minutes = whole(number)?;
                rest
            }
            ("--seed", [number, rest @ ..]) => {
                fuzz.seed = Some(whole(number)?);
                rest
            }
            ("--planted", rest) => {
                fuzz.planted = true;
                rest
            }
            (target, rest) if !target.starts_with('-') && fuzz.target.is_none() => {
                fuzz.target = Some(target.into());
                rest
            }
            _ => return Err(format!("`fuzz` cannot read `{option}`; the tasks are:\n{HELP}")),
        };
    }
    Ok(Task::Fuzz(fuzz))
}

fn parse_bench(options: &[&str]) -> Result<Task> {
    let named = options.first().and_then(|word| Bench::named(word));
    let (part, rest) = (named.unwrap_or(Bench::All), &options[usize::from(named.is_some())..]);
    match rest {
        [] => Ok(Task::Bench { part, filter: None }),
        [filter] => Ok(Task::Bench { part, filter: Some((*filter).into()) }),
        _ => Err(format!("`bench` takes a part and a filter; the tasks are:\n{HELP}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        Task::parse(&words)
    }

    #[test]
    fn reads_the_help_examples() {
        assert_eq!(parse("serve"), Ok(Task::Serve { port: 8080, open: true }));
        assert_eq!(parse("serve --port 0 --no-open"), Ok(Task::Serve { port: 0, open: false }));
        let web = Task::Test { part: Some(Part::Web), filter: Some("simd".into()) };
        assert_eq!(parse("test web simd"), Ok(web));
        let fuzz = Fuzz { minutes: 2, seed: Some(7), target: Some("grams".into()), planted: false };
        assert_eq!(parse("fuzz --minutes 2 grams --seed 7"), Ok(Task::Fuzz(fuzz)));
        let planted = Fuzz { planted: true, ..Fuzz::default() };
        assert_eq!(parse("fuzz --planted"), Ok(Task::Fuzz(planted)));
        let named = Task::Test { part: None, filter: Some("cholesky".into()) };
        assert_eq!(parse("test cholesky"), Ok(named));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for line in [
            "frobnicate",
            "serve --port",
            "serve --port 70000",
            "test gpu x",
            "build now",
            "fuzz --minutes x",
            "fuzz a b",
            "fuzz --seed",
        ] {
            assert!(parse(line).is_err(), "`{line}` was accepted");
        }
    }
}
