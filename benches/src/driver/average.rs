//! A plain average from files to a file, by the product's own page, and copying the same bytes in
//! the same tab.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gramerge::format::Layout;
use gramerge::tensor::dtype::Dtype;
use gramerge_bench::data;
use gramerge_browser_tests::Session;
use serde_json::{Map, Value, json};

use super::Result;
use super::record::{Book, Record, Where};

const CASE: &str = "average-files";
/// Who follows whom differs by round, so a multiple of three.
const ROUNDS: usize = 6;
const LIMIT: Duration = Duration::from_secs(300);
/// Each file: 1 GB in pieces of a usual layer's size.
const N_TENSORS: u64 = 120;
const SHAPE: [usize; 2] = [1024, 2048];
/// Inputs read per output written.
const N_FILES: u64 = 2;

/// Notes which files were chosen, and how long a merge takes from click to report.
const WATCH: &str = "(() => {
    addEventListener('change', ({ target }) => {
        if (target.type === 'file') window.chosen = [...target.files];
    }, true);
    const report = document.getElementById('report');
    document.getElementById('merge').addEventListener('click', () => {
        window.took = undefined;
        const start = performance.now();
        const shown = new MutationObserver(() => {
            if (report.hidden) return;
            shown.disconnect();
            window.took = (performance.now() - start) / 1e3;
        });
        shown.observe(report, { attributes: true });
    }, true);
})()";

pub(crate) fn run(book: &mut Book, folder: &Path) -> Result<()> {
    if !book.wants(CASE) {
        return Ok(());
    }
    let files = [make(folder, 0)?, make(folder, 1)?];
    let mut page = Session::serving(folder);
    // The page lets no stranger's worker in, and copying is one.
    page.tab("Page.setBypassCSP", json!({ "enabled": true }));
    page.open("page/#method=average");
    page.evaluate(WATCH);
    page.set_files("Choose models", &[&files[0], &files[1]]);
    merge(&mut page); // warms the engine, the disk cache and the private storage
    let mut seconds: [Vec<f64>; 3] = Default::default();
    for round in 0..ROUNDS {
        for way in (0..3).map(|place| (round + place) % 3) {
            touch_memory(folder)?;
            seconds[way].push(match way {
                0 => merge(&mut page),
                1 => copy(&mut page, "slices")?,
                _ => copy(&mut page, "stream")?,
            });
        }
    }
    files.iter().for_each(|file| drop(fs::remove_file(file)));
    let [average, slices, stream] = seconds;
    let rates = [("page", average), ("copy by slices", slices), ("copy by stream", stream)]
        .map(|(kernels, seconds)| add(book, kernels, seconds));
    let goal = 0.8;
    let copied = rates[1].max(rates[2]);
    let value = rates[0] / copied;
    book.ratio(json!({
        "ratio": "average-files / the faster copy, bytes per second", "value": value, "goal": goal,
        "met": value >= goal,
    }));
    Ok(())
}

/// Bytes moved per second at the best run.
fn add(book: &mut Book, kernels: &str, seconds: Vec<f64>) -> f64 {
    let read = N_FILES * N_TENSORS * (4 * SHAPE[0] * SHAPE[1]) as u64;
    let mut more = Map::new();
    let rate = read as f64 / super::record::median(&seconds);
    more.insert("bytes_per_s".into(), json!(rate));
    more.insert("read_bytes".into(), json!(read));
    let (case, kernels) = (CASE.into(), kernels.into());
    book.add(Record { case, at: Where::Web, kernels, seconds, more });
    rate
}

/// Writes and removes twice as much as is written next. In a virtual machine, memory that nothing has
/// touched for a while is slow once, and doubles the time of whoever happens to get it.
fn touch_memory(folder: &Path) -> Result<()> {
    let path = folder.join("average-touched");
    let piece = vec![1; 4 * SHAPE[0] * SHAPE[1]];
    let written = File::create(&path)
        .and_then(|mut file| (0..2 * N_TENSORS).try_for_each(|_| file.write_all(&piece)))
        .and_then(|()| fs::remove_file(&path));
    written.map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn merge(page: &mut Session) -> f64 {
    page.click_button("Merge");
    page.wait_for_within("window.took", LIMIT);
    // What was merged is read again, which must not slow what comes next.
    let digest =
        "/^SHA-256: [0-9a-f]{64}$/.test(document.querySelector('#report-digest').textContent)";
    page.wait_for_within(digest, LIMIT);
    page.evaluate("window.took").as_f64().unwrap_or(f64::NAN)
}

fn copy(page: &mut Session, way: &str) -> Result<f64> {
    page.evaluate(&format!(
        "(() => {{
            window.copied = undefined;
            const worker = new Worker('../copy.js', {{ type: 'module' }});
            worker.onmessage = ({{ data }}) => {{ window.copied = data; worker.terminate(); }};
            worker.onerror = ({{ message }}) => {{ window.copied = {{ failure: message }}; }};
            worker.postMessage({{ files: window.chosen, way: '{way}' }});
        }})()"
    ));
    page.wait_for_within("window.copied", LIMIT);
    let copied: Value = page.evaluate("window.copied");
    copied["seconds"].as_f64().ok_or_else(|| format!("copying failed: {copied}"))
}

/// Writes one model.
fn make(folder: &Path, model: u64) -> Result<PathBuf> {
    let path = folder.join(format!("average-{model}.safetensors"));
    let shape = SHAPE.map(|n| n as u64).to_vec();
    let tensors = (0..N_TENSORS).map(|i| (format!("layer.{i}.weight"), Dtype::F32, shape.clone()));
    let layout = Layout::new(tensors, &BTreeMap::new()).map_err(|e| e.to_string())?;
    let bytes: Vec<u8> = data::weight(1, model, SHAPE[0], SHAPE[1])
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let written = File::create(&path).and_then(|file| {
        let mut file = BufWriter::new(file);
        file.write_all(layout.header_bytes())?;
        (0..N_TENSORS).try_for_each(|_| file.write_all(&bytes))?;
        file.flush()
    });
    written.map(|()| path.clone()).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
