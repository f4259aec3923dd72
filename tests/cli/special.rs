//! What is no regular file is named at once: as an input it could keep a run waiting for ever, or
//! fill the memory.

use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use crate::folder::Folder;
use crate::running::ended;

const INDEX: &[u8] = br#"{"weight_map": {"w": "pipe.safetensors"}}"#;

fn refused(output: &Output, words: &[&str]) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    for word in words {
        assert!(error.contains(word), "no `{word}` in: {error}");
    }
    assert_eq!(error.lines().count(), 1, "one sentence, not: {error}");
}

fn pipe(folder: &Folder, name: &str) {
    assert!(Command::new("mkfifo").arg(folder.path(name)).status().unwrap().success());
}

#[test]
fn a_pipe_is_refused_wherever_it_stands() {
    let folder = Folder::new();
    let pipes = ["pipe.safetensors", "pipe.gram.safetensors", "pipe.safetensors.index.json"];
    pipes.iter().for_each(|name| pipe(&folder, name));
    std::fs::write(folder.path("listed.safetensors.index.json"), INDEX).unwrap();
    let average = ["a.safetensors", "--method", "average"];
    for command in ["inspect", "plan", "merge", "verify"] {
        for name in
            ["pipe.safetensors", "pipe.safetensors.index.json", "listed.safetensors.index.json"]
        {
            let mut words = vec![command, name];
            match command {
                "inspect" => {}
                "verify" => words.extend([&["a.safetensors"], &average[..]].concat()),
                "merge" => words.extend([&average[..], &["-o", "out.safetensors"]].concat()),
                _ => words.extend(average),
            }
            let output = ended(&mut folder.command(&words));
            refused(&output, &["pipe", "no regular file"]);
        }
    }
    let gram = ["a.safetensors", "b.safetensors", "-o", "out.safetensors", "--gram"];
    let gram = [&["merge"], &gram[..], &["pipe.gram.safetensors", "b.gram.safetensors"]].concat();
    refused(&ended(&mut folder.command(&gram)), &["pipe.gram", "no regular file"]);
    assert!(folder.leftovers().is_empty());
}

#[test]
fn devices_sockets_and_folders_are_refused() {
    let folder = Folder::new();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path("s.safetensors")).unwrap();
    symlink("/dev/zero", folder.path("zero.safetensors")).unwrap();
    symlink("/dev/zero", folder.path("zero.safetensors.index.json")).unwrap();
    std::fs::create_dir(folder.path("folder")).unwrap();
    for name in ["s.safetensors", "zero.safetensors", "zero.safetensors.index.json"] {
        // Without an end there is no reading it: the memory is bounded for the case that it is tried.
        let mut command = Command::new("sh");
        command.current_dir(folder.dir.path());
        command.args(["-c", "ulimit -v 2000000; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_gramerge")).args(["inspect", name]);
        refused(&ended(&mut command), &[name, "no regular file"]);
    }
    let words =
        ["merge", "a.safetensors", "b.safetensors", "-o", "o", "--gram", "folder", "folder"];
    refused(&folder.run(&words), &["folder", "it is a folder"]);
}

#[test]
fn a_companion_that_is_a_pipe_is_refused() {
    let folder = Folder::new();
    pipe(&folder, "config.json");
    let words = ["merge", "a.safetensors", "b.safetensors", "--method", "average", "-o", "out/"];
    refused(&ended(&mut folder.command(&words)), &["config.json", "--files-from 0"]);
    assert!(!folder.path("out").exists());
    let words = [&words[..], &["--files-from", "0"]].concat();
    assert!(ended(&mut folder.command(&words)).status.success());
}

/// More than the process may have in memory.
#[test]
fn a_large_companion_is_copied_by_pieces() {
    let folder = Folder::new();
    let large = std::fs::File::create(folder.path("tokenizer.json")).unwrap();
    large.set_len(1 << 30).unwrap();
    let mut command = Command::new("sh");
    command.current_dir(folder.dir.path());
    // A debug build of the program maps some 100 MB; a card's driver is left out.
    command.args(["-c", "ulimit -v 900000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_gramerge")]);
    command.args(["merge", "a.safetensors", "b.safetensors", "--method", "average", "-o", "out/"]);
    let merge = ended(command.args(["--device", "cpu", "--threads", "1"]));
    assert!(merge.status.success(), "{}", String::from_utf8_lossy(&merge.stderr));
    let copied = std::fs::metadata(folder.path("out/tokenizer.json")).unwrap();
    assert_eq!(copied.len(), 1 << 30);
}
