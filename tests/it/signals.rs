//! What a signal leaves behind.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn entries(folder: &Path) -> Vec<String> {
    let mut out: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    out.sort();
    out
}

/// A program that has begun its first file and waits for somebody to read its second, a named pipe.
fn writing(folder: &Path) -> Child {
    let pipe = folder.join("waits.md");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let dump = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop");
    let mut child = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .arg("report")
        .arg(dump)
        .arg("-o")
        .arg(folder.join("report.html"))
        .arg("-o")
        .arg(&pipe)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..600 {
        if entries(folder).iter().any(|name| name.starts_with(".pgretro-")) {
            return child;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let ended = child.kill().and_then(|()| child.wait());
    panic!("it never began to write: {ended:?}");
}

#[test]
fn no_half_file_stays_behind() {
    for (signal, number) in [("-INT", 2), ("-TERM", 15)] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = writing(folder.path());
        assert!(Command::new("kill").arg(signal).arg(child.id().to_string()).status().unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "ended by the signal, as the shell expects");
        assert_eq!(entries(folder.path()), ["waits.md"], "{signal}");
    }
}
