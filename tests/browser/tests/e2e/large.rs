//! Checkpoints beyond 4 GiB merge in a bounded amount of memory.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use gramerge::format::{Layout, TensorFile};
use gramerge::io::native::FileSource;
use gramerge::tensor::dtype::Dtype;
use gramerge_browser_tests::Session;
use pollster::block_on;

use crate::inputs::{Folder, paths};
use crate::opened;

/// Real layers of this size …
const N: usize = 1024;
const N_LAYERS: usize = 2;
/// … among tensors of zeros, which take no room in a sparse file: 4.5 GiB together.
const BIG: [u64; 2] = [16384, 8192];
const N_BIG: usize = 9;
/// Gram matrices and weights of one layer, and the merged one: what is read and written whole.
const LAYER_BYTES: u64 = 5 * 4 * (N * N) as u64;
/// What a browser needs for two more workers whatever they do: isolates, compiled code, pipes.
const WORKERS_BYTES: u64 = 2 * (40 << 20);
const BOUND_BYTES: u64 = 3 * LAYER_BYTES + (64 << 20) + WORKERS_BYTES;
const LIMIT: Duration = Duration::from_secs(600);

/// The small checkpoint's tensors, and large ones before them.
fn enlarge(small: &Path, large: &Path) -> Layout {
    let small = block_on(TensorFile::open(FileSource::open(small).unwrap())).unwrap();
    let big = (0..N_BIG).map(|i| (format!("big.{i:02}"), Dtype::F32, BIG.to_vec()));
    let own = small.header.tensors.iter();
    let own = own.map(|info| (info.name.clone(), info.dtype, info.shape.clone()));
    let layout = Layout::new(big.chain(own), &Default::default()).unwrap();
    let mut file = fs::File::create(large).unwrap();
    file.write_all(layout.header_bytes()).unwrap();
    for info in &small.header.tensors {
        file.seek(SeekFrom::Start(layout.offset_bytes(&info.name).unwrap())).unwrap();
        file.write_all(&block_on(small.read(info)).unwrap()).unwrap();
    }
    file.set_len(layout.total_bytes()).unwrap();
    layout
}

#[test]
fn a_sparse_pair_beyond_4_gib_merges_in_bounded_memory() {
    let folder = Folder::slow(N, N_LAYERS);
    let small = merged_alone(&folder);
    let mut layout = None;
    for model in ["a.safetensors", "b.safetensors"] {
        layout = Some(enlarge(&folder.path(model), &folder.path("large")));
        fs::rename(folder.path("large"), folder.path(model)).unwrap();
    }
    let layout = layout.unwrap();
    assert!(layout.total_bytes() > 4 << 30);
    let mut page = opened();
    page.set_files("Choose models", &paths(&folder.inputs()));
    page.by_role("table", "Plan");
    let before = memory(page.profile(), "VmRSS");
    page.click_button("Merge");
    page.wait_for_within("!document.querySelector('#report').hidden", LIMIT);
    let grown = memory(page.profile(), "VmHWM").saturating_sub(before);
    println!("grew by {} MB at most, bound {} MB", grown / 1_000_000, BOUND_BYTES / 1_000_000);
    assert!(grown <= BOUND_BYTES, "grew by {grown} bytes, more than {BOUND_BYTES}");
    // The layers come last.
    for i in 0..N_LAYERS {
        let name = format!("layer.{i}.weight");
        let found = digest_of(&mut page, (N_LAYERS - i) * 4 * N * N);
        assert_eq!(found, sha256(&small[&name]), "{name}");
    }
}

/// The layers merged without the large tensors, by name.
fn merged_alone(folder: &Folder) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut page = opened();
    page.set_files("Choose models", &paths(&folder.inputs()));
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.click_button("Save merged model");
    let file = block_on(TensorFile::open(FileSource::open(&page.saved_file()).unwrap())).unwrap();
    let read = |info| block_on(file.read(info)).unwrap();
    file.header.tensors.iter().map(|info| (info.name.clone(), read(info))).collect()
}

/// SHA-256 of a layer so far before the end of the merged file, by the browser, in hexadecimal.
fn digest_of(page: &mut Session, before_end: usize) -> String {
    let script = "(async () => {
        const files = [];
        const walk = async (folder) => {
            for await (const entry of folder.values()) {
                if (entry.kind === 'directory') await walk(entry); else files.push(entry);
            }
        };
        await walk(await navigator.storage.getDirectory());
        const file = await files[0].getFile();
        const start = file.size - START;
        const bytes = await file.slice(start, start + LENGTH).arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
        return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    })()";
    let script = script.replace("START", &before_end.to_string());
    let script = script.replace("LENGTH", &(4 * N * N).to_string());
    page.evaluate(&script).as_str().unwrap_or_default().to_owned()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A figure of `/proc/PID/status`, summed over the processes that run pages of this profile.
fn memory(profile: &Path, figure: &str) -> u64 {
    let profile = profile.display().to_string();
    let mut total_kib = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let command = read("cmdline");
        if command.contains("--type=renderer") && command.contains(&profile) {
            let status = read("status");
            let line = status.lines().find(|line| line.starts_with(figure)).unwrap_or_default();
            let words = line.split_whitespace().nth(1);
            total_kib += words.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    assert!(total_kib > 0, "no page's process was found");
    total_kib << 10
}
