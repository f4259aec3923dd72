//! Ends that do not come from the merge itself: nothing is left, or the next run removes it.

use std::os::unix::process::ExitStatusExt;
use std::process::Output;

use gramerge::tensor::dtype::Dtype;

use crate::folder::{Folder, WEIGHT, gram};
use crate::running::{Held, MERGE, large, partials};

/// Every kind of output: its name, what is there before, more words.
const OUTPUTS: [(&str, bool, &[&str]); 4] = [
    ("out.safetensors", false, &["--report", "r.json"]),
    ("out/", false, &["--shard-size", "64MB"]),
    ("deep/er/out/", false, &[]),
    ("there", true, &["--shard-size", "100MB", "--report", "there/r.json"]),
];

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn begun(folder: &Folder, (name, exists, extra): (&str, bool, &[&str])) -> Held {
    if exists {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    if name.starts_with("deep") {
        // Its parents appear with it: so the place to look at has to be there.
        let place = folder.path("deep/er");
        let words = [&MERGE[..], &["-o", name], extra].concat();
        return Held::start(&mut folder.command(&words), &place);
    }
    Held::merge(folder, name, extra)
}

#[test]
fn a_signal_ends_a_merge_with_nothing_left() {
    let folder = large();
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        for output in OUTPUTS {
            let exists = output.1;
            let before = folder.all_names();
            let merge = begun(&folder, output);
            merge.signal(signal);
            let ended = merge.go_on();
            assert_eq!(ended.status.code(), Some(code), "{signal} {}", errors(&ended));
            assert!(errors(&ended).contains("nothing is left"), "{}", errors(&ended));
            if exists {
                assert_eq!(std::fs::read_dir(folder.path(output.0)).unwrap().count(), 0);
                std::fs::remove_dir(folder.path(output.0)).unwrap();
            }
            assert_eq!(folder.all_names(), before, "{signal} {output:?}");
        }
    }
}

/// Whatever aborts, be it want of memory or a driver.
#[test]
fn an_abort_leaves_nothing() {
    let folder = large();
    for output in OUTPUTS {
        let before = folder.all_names();
        let merge = begun(&folder, output);
        merge.signal("ABRT");
        let ended = merge.go_on();
        assert_eq!(ended.status.signal(), Some(6), "{}", errors(&ended));
        if output.1 {
            std::fs::remove_dir(folder.path(output.0)).unwrap();
        }
        assert_eq!(folder.all_names(), before, "{output:?}");
    }
}

/// With less and less memory a merge is done, or refused, or aborted; there is nothing else.
#[test]
fn want_of_memory_leaves_nothing_or_all() {
    let folder = Folder::new();
    let weight =
        |name| folder.write(name, &[(WEIGHT, Dtype::F32, &[2000, 512], vec![0.5; 1_024_000])], &[]);
    ["a.safetensors", "b.safetensors"].into_iter().for_each(weight);
    for model in ["a", "b"] {
        folder.gram(&format!("{model}.gram.safetensors"), model, gram(512, 1.0));
    }
    let mut n_refused = 0;
    for megabytes in (20..200).step_by(12) {
        let limit = format!("ulimit -v {}; exec \"$0\" \"$@\"", megabytes * 1000);
        let mut command = std::process::Command::new("sh");
        command.current_dir(folder.dir.path()).args(["-c", &limit]);
        command.arg(env!("CARGO_BIN_EXE_gramerge"));
        let words = folder.merge_words(&["--device", "cpu", "--threads", "1", "--force"]);
        let merge = command.args(words).output().unwrap();
        n_refused += usize::from(!merge.status.success());
        let left = folder.leftovers();
        let whole = merge.status.success() && left == ["out.safetensors"];
        assert!(whole || left.is_empty(), "{megabytes} MB: {left:?} {}", errors(&merge));
        let _none = std::fs::remove_file(folder.path("out.safetensors")).is_err();
    }
    assert!(n_refused > 0, "it needs less than any limit");
}

/// Under `nohup`, a hangup is no end.
#[test]
fn an_ignored_signal_stays_ignored() {
    let folder = large();
    let mut command = std::process::Command::new("sh");
    command.current_dir(folder.dir.path()).args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    command.arg(env!("CARGO_BIN_EXE_gramerge")).args(MERGE).args(["-o", "out.safetensors"]);
    let merge = Held::start(&mut command, folder.dir.path());
    merge.signal("HUP");
    let ended = merge.go_on();
    assert!(ended.status.success(), "{}", errors(&ended));
}

#[test]
fn what_a_killed_run_left_is_named_and_removed_by_the_next() {
    let folder = large();
    for output in OUTPUTS {
        let left = begun(&folder, output).kill();
        assert!(left.exists());
        let words = [&MERGE[..], &["-o", output.0], output.2].concat();
        let next = folder.run(&words);
        assert!(next.status.success(), "{}", errors(&next));
        let name = left.file_name().unwrap().to_str().unwrap();
        assert!(errors(&next).contains(name), "{name} is not in: {}", errors(&next));
        assert!(errors(&next).contains("killed"), "{}", errors(&next));
        let places = ["", "deep/er", output.0].map(|place| partials(&folder.path(place)));
        assert!(places.concat().is_empty(), "{places:?}");
    }
}

#[test]
fn what_a_living_run_writes_stays() {
    let folder = large();
    for output in OUTPUTS {
        let merge = begun(&folder, output);
        let words = [&MERGE[..], &["-o", output.0], output.2].concat();
        let second = folder.run(&words);
        assert_eq!(second.status.code(), Some(2), "{}", errors(&second));
        assert!(errors(&second).contains("another run"), "{}", errors(&second));
        assert!(merge.partial.exists());
        let first = merge.go_on();
        assert!(first.status.success(), "{}", errors(&first));
    }
}

/// A merge that has been stopped, and whose words nobody reads, ends all the same.
#[test]
fn a_signal_ends_a_merge_that_cannot_speak() {
    let folder = large();
    let (_reader, mut writer) = std::io::pipe().unwrap();
    // The pipe is filled to the last byte by somebody who does not wait.
    let mut fill = std::process::Command::new("timeout");
    fill.args(["1", "cat", "/dev/zero"]).stdout(writer.try_clone().unwrap());
    assert!(!fill.status().unwrap().success());
    std::io::Write::flush(&mut writer).unwrap();
    let words = [&MERGE[..], &["-o", "out.safetensors"]].concat();
    let merge = Held::start_with(folder.command(&words).stderr(writer), folder.dir.path());
    merge.signal("TERM");
    let ended = merge.go_on_to_an_end();
    assert_eq!(ended.code(), Some(143));
    assert!(folder.leftovers().is_empty());
}

/// Threads whose stacks nobody can give cannot be started.
#[test]
fn without_more_threads_one_does_the_work() {
    let folder = Folder::new();
    let mut command = folder.command(&folder.merge_words(&["--device", "cpu", "--threads", "4"]));
    let merge = command.env("RUST_MIN_STACK", (1_u64 << 60).to_string()).output().unwrap();
    assert!(merge.status.success(), "{}", errors(&merge));
    assert!(folder.path("out.safetensors").exists());
}

#[test]
fn a_file_larger_than_allowed_is_a_failed_write() {
    let folder = large();
    for output in ["out.safetensors", "out/"] {
        let before = folder.all_names();
        let mut command = std::process::Command::new("sh");
        command.current_dir(folder.dir.path()).args(["-c", "ulimit -f 64; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_gramerge")).args(MERGE).args(["-o", output]);
        let refused = command.output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{}", errors(&refused));
        assert!(errors(&refused).contains("it cannot be written"), "{}", errors(&refused));
        assert_eq!(folder.all_names(), before);
    }
}

/// More files than the process may open: the folder is begun, and cannot be finished.
#[test]
fn shards_that_cannot_be_made_leave_nothing() {
    let folder = Folder::new();
    let tensor = |i: usize| format!("t{i:03}");
    let names: Vec<String> = (0..200).map(tensor).collect();
    for model in ["x.safetensors", "y.safetensors"] {
        let tensors: Vec<_> =
            names.iter().map(|name| (&**name, Dtype::F32, &[1_u64][..], vec![1.0])).collect();
        folder.write(model, &tensors, &[]);
    }
    let before = folder.all_names();
    let mut command = std::process::Command::new("sh");
    command.current_dir(folder.dir.path()).args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""]);
    command.arg(env!("CARGO_BIN_EXE_gramerge")).args(MERGE);
    let refused = command.args(["-o", "deep/out", "--shard-size", "4"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", errors(&refused));
    assert!(errors(&refused).contains("it cannot be written"), "{}", errors(&refused));
    assert_eq!(folder.all_names(), before);
}
