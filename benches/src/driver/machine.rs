//! What it ran on.

use serde_json::{Value, json};

/// The processor and how much of it there is.
pub(crate) fn describe() -> Value {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    json!({ "machine": {
        "cpu": cpu(), "cores": cores, "os": std::env::consts::OS, "arch": std::env::consts::ARCH,
        "load_1min": load(),
    }})
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_string())
    };
    let model = field("model name").unwrap_or_else(|| "unknown".into());
    match (field("cpu family"), field("model\t")) {
        (Some(family), Some(number)) => format!("{model}, family {family} model {number}"),
        _ => model,
    }
}

/// Programs that wanted to run in the last minute: more than a few tenths blur the figures.
pub(crate) fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
