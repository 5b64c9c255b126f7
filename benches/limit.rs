//! The limit that the reading of a history is measured against: one plain pass over its files that reads every whole
//! number, on two threads, and makes nothing of it.
//!
//! `cargo bench --bench limit -- FOLDER [THREADS]` prints files, bytes, numbers, their sum, and wall seconds (the best of
//! five passes). No number is bound to be reached: nothing fails here.

#![expect(clippy::print_stdout, reason = "a program that prints what it measured")]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a pass saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    bytes: u64,
    numbers: u64,
    sum: u64,
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out)?;
        } else if path.extension().is_some_and(|e| e == "csv") {
            out.push(path);
        }
    }
    Ok(())
}

fn scan(bytes: &[u8], seen: &mut Seen) {
    let (mut number, mut digits, mut whole) = (0_u64, 0_u32, true);
    for &byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
        } else if byte == b',' || byte == b'\n' {
            let is_number = whole && digits > 0;
            seen.numbers += u64::from(is_number);
            seen.sum = seen.sum.wrapping_add(if is_number { number } else { 0 });
            (number, digits, whole) = (0, 0, true);
        } else {
            whole = false;
        }
    }
    seen.bytes += bytes.len() as u64;
}

fn pass(files: &[PathBuf]) -> std::io::Result<Seen> {
    let (mut seen, mut buffer) = (Seen::default(), Vec::new());
    for path in files {
        buffer.clear();
        File::open(path)?.read_to_end(&mut buffer)?;
        scan(&buffer, &mut seen);
    }
    Ok(seen)
}

fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let Some(folder) = words.next() else {
        println!("cargo bench --bench limit -- FOLDER [THREADS]");
        return Ok(());
    };
    let threads: usize = words.next().and_then(|n| n.parse().ok()).unwrap_or(2).max(1);
    let mut all = Vec::new();
    files(Path::new(&folder), &mut all)?;
    let mut best = f64::INFINITY;
    let mut seen = Seen::default();
    for _ in 0..5 {
        let start = Instant::now();
        let parts = std::thread::scope(|scope| {
            let share = all.len().div_ceil(threads).max(1);
            let parts: Vec<_> = all.chunks(share).map(|part| scope.spawn(move || pass(part))).collect();
            parts.into_iter().map(|part| part.join().unwrap_or_else(|_| Ok(Seen::default()))).collect::<Vec<_>>()
        });
        seen = Seen::default();
        for part in parts {
            let part = part?;
            seen.bytes += part.bytes;
            seen.numbers += part.numbers;
            seen.sum = seen.sum.wrapping_add(part.sum);
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let Seen { bytes, numbers, sum } = seen;
    println!("{} files, {bytes} bytes, {numbers} numbers, sum {sum}: {best:.3} s on {threads} threads", all.len());
    Ok(())
}
