//! Processor time of this process and all that it started.
//!
//! On a machine that is shared, elapsed time says little and this says more: it does not count the
//! others' work. Only Linux tells it.

use std::collections::BTreeMap;

/// Kernel ticks per second, as `/proc` counts on every Linux in use.
const TICKS: f64 = 100.0;

/// Seconds so far, over all threads; `None` where the system does not tell.
pub(crate) fn seconds() -> Option<f64> {
    let mut processes = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let id: Option<u32> = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let stat = std::fs::read_to_string(entry.path().join("stat"));
        if let (Some(id), Some(known)) = (id, stat.ok().and_then(|line| parse(&line))) {
            processes.insert(id, known);
        }
    }
    let ours = |id: &u32| descends(&processes, *id, std::process::id());
    let ticks: f64 = processes.iter().filter(|(id, _)| ours(id)).map(|(_, (_, t))| t).sum();
    Some(ticks / TICKS)
}

/// Parent and ticks.
fn parse(line: &str) -> Option<(u32, f64)> {
    // The name in parentheses may hold blanks.
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((fields.get(1)?.parse().ok()?, ticks(11)? + ticks(12)?))
}

fn descends(processes: &BTreeMap<u32, (u32, f64)>, mut id: u32, ancestor: u32) -> bool {
    while id != ancestor {
        match processes.get(&id) {
            Some((parent, _)) if *parent != 0 => id = *parent,
            _ => return false,
        }
    }
    true
}
