//! Whole command lines: the real program on real files, in a folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use safetensors::SafeTensors;

use crate::case::{Case, File};
use crate::damage;
use crate::drafts;
use crate::hunt::{Target, Verdict};
use crate::planted::Fault;
use crate::random::Random;

pub(crate) const TARGET: Target = Target { name: "commands", make, check, n_runs: 250 };

/// Small files take milliseconds; what takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Words that mean something, or were never meant to be given. No path leads out of the folder.
const WORDS: [&str; 44] = [
    "",
    "-",
    "--",
    "-o",
    "--gram",
    "--alpha",
    "--coefficients",
    "--exclude",
    "--keep",
    "--dtype",
    "--precision",
    "--shard-size",
    "--files-from",
    "--report",
    "--json",
    "--force",
    "--threads",
    "--method",
    "average",
    "regmean",
    "0",
    "1",
    "0.5",
    "-1",
    "1.5",
    "NaN",
    "inf",
    "1e308",
    "1,2",
    "1,,2",
    "1e308,1e308",
    "f16",
    "exact",
    "weight",
    "(",
    "bias=2",
    "=1",
    "1KB",
    "100",
    "99999999999999999999",
    "é\u{202e}",
    "nothing.safetensors",
    "m0-0.safetensors",
    "sub/",
];
/// Settings with a value that fits.
const SETTINGS: [&[&str]; 17] = [
    &["--alpha", "0.5"],
    &["--alpha", "1"],
    &["--coefficients", "1,2"],
    &["--exclude", "bias"],
    &["--keep", "ids=1"],
    &["--dtype", "f16"],
    &["--dtype", "bf16"],
    &["--precision", "exact"],
    &["--precision", "fast"],
    &["--method", "average"],
    &["--device", "cpu"],
    &["--shard-size", "200"],
    &["--files-from", "2"],
    &["--report", "r.json"],
    &["--json"],
    &["--force"],
    &["--threads", "2"],
];

fn make(random: &mut Random) -> Case {
    let mut models = drafts::models(random);
    if random.once_in(2) {
        drafts::damage(&mut models, random);
    }
    let mut files = drafts::files(&models);
    files.push(File { name: "config.json".into(), bytes: b"{}".to_vec() });
    if random.once_in(8) {
        let index = random.below(files.len());
        damage::tensor_file(&mut files[index].bytes, random);
    }
    let mut words = words(&files, random);
    for _ in 0..random.below(3) {
        damage_words(&mut words, random);
    }
    Case::new("commands", words, files)
}

/// A command line that may well be right.
fn words(files: &[File], random: &mut Random) -> Vec<String> {
    let named = |part: &str| {
        files.iter().map(|file| file.name.clone()).filter(|name| name.contains(part)).collect()
    };
    let (models, grams): (Vec<String>, Vec<String>) = (named("-0"), named(".gram"));
    let task = *random.pick(&["merge", "merge", "merge", "plan", "verify", "inspect"]);
    let mut words = vec![task.to_owned()];
    if task == "inspect" {
        words.extend(if random.once_in(2) { vec![".".into()] } else { models });
        return words;
    }
    if task == "verify" {
        words.push("m0-0.safetensors".into());
    }
    words.extend(models);
    if task == "merge" {
        words.push("-o".into());
        words.push((*random.pick(&["out.safetensors", "out/", "out", "m1-0.safetensors"])).into());
    }
    if random.below(6) > 0 {
        words.push("--gram".into());
        words.extend(grams);
    }
    for _ in 0..random.below(4) {
        words.extend(random.pick(&SETTINGS).iter().map(|word| (*word).to_owned()));
    }
    words
}

fn damage_words(words: &mut Vec<String>, random: &mut Random) {
    let (a, b) = (random.below(words.len()), random.below(words.len()));
    match random.below(5) {
        0 => words.swap(a, b),
        1 if words.len() > 1 => drop(words.remove(a)),
        2 => words.insert(a, words[b].clone()),
        3 => words.insert(a + 1, (*random.pick(&WORDS)).into()),
        _ => words[a] = (*random.pick(&WORDS)).into(),
    }
}

fn check(case: &Case, fault: Option<Fault>) -> Verdict {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let place = folder.path().join("work");
    fs::create_dir(&place).map_err(|error| error.to_string())?;
    for file in &case.files {
        fs::write(place.join(&file.name), &file.bytes).map_err(|error| error.to_string())?;
    }
    let before = contents(&place);
    let ended = run(&place, folder.path(), &case.arguments)?;
    let has = |word: &str| case.arguments.iter().any(|argument| argument == word);
    if fault == Some(Fault::Leftover) && ended.code == 1 && has("--force") {
        fs::write(place.join("out.safetensors.partial"), b"").map_err(|error| error.to_string())?;
    }
    let after = contents(&place);
    said(&ended)?;
    left(case, &before, &after, ended.code)
}

/// How the program ended and what it said.
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(place: &Path, outside: &Path, words: &[String]) -> Result<Ended, String> {
    let text = |error: std::io::Error| error.to_string();
    let (stdout, stderr) = (outside.join("stdout"), outside.join("stderr"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_gramerge"))
        .args(words)
        .current_dir(place)
        .stdin(Stdio::null())
        .stdout(fs::File::create(&stdout).map_err(text)?)
        .stderr(fs::File::create(&stderr).map_err(text)?)
        .spawn()
        .map_err(text)?;
    let id = child.id();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait()));
    let status = match told.recv_timeout(PATIENCE) {
        Ok(status) => status.map_err(text)?,
        Err(_) => {
            Command::new("kill").args(["-9", &id.to_string()]).status().map_err(text)?;
            return Err("it hangs".into());
        }
    };
    let read =
        |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (stdout, stderr) = (read(&stdout).map_err(text)?, read(&stderr).map_err(text)?);
    let code = code(status).ok_or_else(|| format!("it ended by {status}: {stderr}"))?;
    Ok(Ended { code, stdout, stderr })
}

fn code(status: ExitStatus) -> Option<i32> {
    status.code().filter(|code| (0..=2).contains(code))
}

/// One sentence where something is refused, and no panic.
fn said(ended: &Ended) -> Verdict {
    let Ended { code, stdout, stderr } = ended;
    if stderr.contains("panicked") {
        return Err(format!("it panicked: {stderr}"));
    }
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if stderr.contains(odd) || stdout.contains(odd) {
        return Err(format!("control characters are printed: {stdout:?} {stderr:?}"));
    }
    match *code != 0 && stdout.is_empty() && stderr.is_empty() {
        true => Err(format!("it ended with {code} and without a word")),
        false => Ok(()),
    }
}

/// Inputs are as they were; only success leaves something, and that is whole.
fn left(
    case: &Case,
    before: &BTreeMap<String, Option<Vec<u8>>>,
    after: &BTreeMap<String, Option<Vec<u8>>>,
    code: i32,
) -> Verdict {
    let named = |name: &str| case.arguments.iter().any(|word| word.trim_end_matches('/') == name);
    let may_replace = case.arguments.iter().any(|word| word == "--force");
    for (name, bytes) in before {
        let is_same = after.get(name) == Some(bytes);
        if !(is_same || code == 0 && may_replace && named(name)) {
            return Err(format!("`{name}` was changed by a program that ended with {code}"));
        }
    }
    for (name, bytes) in after.iter().filter(|(name, bytes)| before.get(*name) != Some(*bytes)) {
        if code != 0 || name.contains(".partial") {
            return Err(format!("`{name}` is left by a program that ended with {code}"));
        }
        let is_model = name.ends_with(".safetensors") && !is_report(case, name);
        if let Some(bytes) = bytes.as_ref().filter(|_| is_model) {
            SafeTensors::deserialize(bytes)
                .map_err(|error| format!("`{name}` was written malformed: {error}"))?;
        }
    }
    Ok(())
}

/// Whether a file is the report, which may be called anything.
fn is_report(case: &Case, name: &str) -> bool {
    case.arguments.windows(2).any(|pair| pair[0] == "--report" && pair[1] == name)
}

/// All files below a folder, and all folders.
fn contents(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let inner = contents(&entry.path());
            found
                .extend(inner.into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
            found.insert(name, None);
        } else {
            found.insert(name, fs::read(entry.path()).ok());
        }
    }
    found
}
