//! Outputs of several files: shards, passed-through files, digests.

use std::process::Command;

use gramerge::format::ShardIndex;

use crate::folder::{Folder, text};

const MERGE: [&str; 6] = [
    "merge",
    "a.safetensors",
    "b.safetensors",
    "--gram",
    "a.gram.safetensors",
    "b.gram.safetensors",
];

fn merge(folder: &Folder, extra: &[&str]) -> std::process::Output {
    folder.run(&[&MERGE[..], extra].concat())
}

#[test]
fn shards_hold_the_same_tensors_as_one_file() {
    let folder = Folder::new();
    assert!(merge(&folder, &["-o", "out.safetensors"]).status.success());
    let sharded = merge(&folder, &["-o", "out", "--shard-size", "48", "--json"]);
    assert!(sharded.status.success(), "{}", String::from_utf8_lossy(&sharded.stderr));
    let json = text(&folder.path("out/model.safetensors.index.json"));
    let index = ShardIndex::parse(&json).unwrap();
    assert_eq!(index.shards().len(), 2, "{}", String::from_utf8_lossy(&json));
    // Merging a model with itself gives it back: so whole and shards are compared tensor by tensor.
    let same =
        ["merge", "out.safetensors", "out", "--method", "average", "-o", "again.safetensors"];
    let again = folder.run(&same);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let data = |name: &str| {
        let bytes = text(&folder.path(name));
        let start = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        bytes[start..].to_vec()
    };
    assert_eq!(data("out.safetensors"), data("again.safetensors"));
    let inputs = ["a.safetensors", "b.safetensors", "--gram"];
    let verify = [&["verify", "out"], &inputs[..], &MERGE[4..]].concat();
    assert!(folder.run(&verify).status.success());
}

#[test]
fn the_report_carries_the_digest_of_every_file() {
    let folder = Folder::new();
    let sharded = merge(&folder, &["-o", "out", "--shard-size", "48", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&sharded.stdout).unwrap();
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    for file in files {
        let path = folder.path("out").join(file["name"].as_str().unwrap());
        // The system's own program is the oracle.
        let output = Command::new("sha256sum").arg(&path).output().unwrap();
        let wanted = String::from_utf8(output.stdout).unwrap();
        assert_eq!(Some(file["sha256"].as_str().unwrap()), wanted.split(' ').next());
        assert_eq!(file["len_bytes"], text(&path).len());
    }
}

#[test]
fn configuration_is_passed_through_from_the_chosen_parent() {
    let folder = Folder::new();
    for (model, config) in [("a", "{\"from\": \"a\"}"), ("b", "{\"from\":  \"b\"}")] {
        let own = folder.path(model);
        std::fs::create_dir(&own).unwrap();
        std::fs::rename(
            folder.path(&format!("{model}.safetensors")),
            own.join("model.safetensors"),
        )
        .unwrap();
        std::fs::write(own.join("config.json"), config).unwrap();
        std::fs::write(own.join("private-notes.txt"), "not part of a model").unwrap();
    }
    let merge = |out: &str, extra: &[&str]| {
        let words = ["merge", "a", "b", "--method", "average", "-o", out];
        folder.run(&[&words[..], extra].concat())
    };
    assert!(merge("first/", &[]).status.success());
    assert_eq!(text(&folder.path("first/config.json")), text(&folder.path("a/config.json")));
    assert!(folder.path("first/model.safetensors").exists());
    assert!(!folder.path("first/private-notes.txt").exists());
    assert!(merge("second/", &["--files-from", "2"]).status.success());
    assert_eq!(text(&folder.path("second/config.json")), text(&folder.path("b/config.json")));
    assert!(merge("none/", &["--files-from", "0"]).status.success());
    assert!(!folder.path("none/config.json").exists());
    let third = merge("third/", &["--files-from", "3"]);
    assert_eq!(third.status.code(), Some(2));
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("out")).unwrap();
    std::fs::write(folder.path("out/notes"), "mine").unwrap();
    let refused = merge(&folder, &["-o", "out", "--force"]);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{error}");
    assert!(error.contains("new or empty"), "{error}");
    let names: Vec<_> = std::fs::read_dir(folder.path("out")).unwrap().collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn a_refused_folder_leaves_nothing() {
    let folder = Folder::new();
    // Row 0 of this model's weight holds a NaN, which is found in the middle of the work.
    let mut bytes = text(&folder.path("b.safetensors"));
    let end = bytes.len();
    bytes[end - 20..end - 16].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(folder.path("b.safetensors"), bytes).unwrap();
    let before = std::fs::read_dir(folder.dir.path()).unwrap().count();
    let refused = merge(&folder, &["-o", "out", "--shard-size", "48"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(std::fs::read_dir(folder.dir.path()).unwrap().count(), before);
}

#[test]
fn what_the_disk_cannot_hold_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let more = fs4::available_space(folder.dir.path()).unwrap() + (1 << 30);
    folder.sparse("x.safetensors", more);
    folder.sparse("y.safetensors", more);
    let merge = ["merge", "x.safetensors", "y.safetensors", "--method", "average", "-o"];
    for output in ["out.safetensors", "out/"] {
        let refused = folder.run(&[&merge[..], &[output]].concat());
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("the disk has ") && stderr.contains("are needed"), "{stderr}");
        let names = std::fs::read_dir(folder.dir.path()).unwrap().map(|e| e.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with("out")));
    }
}
