//! Archives of folders are read as the folders are, and can do no harm.

use super::model::whole;
use pgretro::ingest::{Options, read};
use pgretro::snapshot::Snapshot;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

const CSV: &[u8] = b"relid,relname,seq_scan\n1,a,5\n";

fn options() -> Options {
    Options { hash: true, ..Options::default() }
}

/// A history of three moments in folders, one of them with a packed file and a stray one.
fn history() -> (TempDir, Vec<(String, Vec<u8>)>) {
    let scratch = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pg16-recreate");
    let mut files = Vec::new();
    for side in ["before", "after"] {
        for entry in fs::read_dir(fixture.join(side)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.push((format!("{side}/{name}"), fs::read(&path).unwrap()));
        }
    }
    files.push(("2026-01-01T10:00:00Z/pg_stat_user_tables.csv.gz".into(), gz(CSV)));
    files.push(("2026-01-01T10:00:00Z/pg_stat_wal.csv.zst".into(), zst(b"wal_records,wal_fpi\n7,x\n")));
    files.push(("2026-01-01T10:00:00Z/README".into(), b"by hand".to_vec()));
    files.sort();
    // As an archiver finds files in a folder: in no order.
    files.rotate_left(3);
    for (name, bytes) in &files {
        let path = scratch.path().join("history").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    (scratch, files)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn zip_of(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A header with the name as it is given, which the writer's own setter would refuse.
fn header(name: &str, size: u64, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        if name.len() > 90 {
            // A name too long for the header stands in one of its own.
            let mut header = header("x", bytes.len() as u64, tar::EntryType::Regular);
            builder.append_data(&mut header, name, *bytes).unwrap();
        } else {
            builder.append(&header(name, bytes.len() as u64, tar::EntryType::Regular), *bytes).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

/// What is read of an archive of these bytes: the snapshots, or the error.
fn of(name: &str, bytes: &[u8]) -> Result<Vec<Snapshot>, String> {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join(name);
    fs::write(&path, bytes).unwrap();
    let read = read(std::slice::from_ref(&path), &options()).map_err(|e| e.to_string());
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "nothing is written");
    read
}

fn notes(snapshots: &[Snapshot]) -> String {
    let kept = snapshots.iter().flat_map(|s| &s.meta.notes.kept);
    kept.map(|n| format!("{}: {}", n.file.as_deref().unwrap_or("-"), n.message)).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_archive_is_its_folder() {
    let (scratch, files) = history();
    let folder = scratch.path().join("history");
    let shown = |path: &Path, mark: &str| format!("{}{mark}", path.display());
    let want: Vec<String> = read(std::slice::from_ref(&folder), &options())
        .unwrap()
        .iter()
        .map(|s| whole(s, &shown(&folder, "")))
        .collect();
    assert_eq!(want.len(), 3);
    assert!(want.iter().any(|text| text.contains("/2026-01-01T10:00:00Z/README")), "the stray file is named");
    let files = borrowed(&files);
    for (name, bytes) in [
        ("stored.zip", zip_of(&files, CompressionMethod::Stored)),
        ("deflated.zip", zip_of(&files, CompressionMethod::Deflated)),
        ("history.tar", tar_of(&files)),
        ("history.tar.gz", gz(&tar_of(&files))),
        ("history.tgz", gz(&tar_of(&files))),
        ("history.tar.zst", zst(&tar_of(&files))),
        ("named-otherwise.bin", zst(&tar_of(&files))),
    ] {
        let path = scratch.path().join(name);
        fs::write(&path, bytes).unwrap();
        let got = read(std::slice::from_ref(&path), &options()).unwrap();
        let got: Vec<String> = got.iter().map(|s| whole(s, &shown(&path, "!"))).collect();
        assert!(want == got, "{name}:\n{}\n{}", want.concat(), got.concat());
        // One moment of it.
        let one = PathBuf::from(format!("{}!/after", path.display()));
        let got = read(&[one], &options()).unwrap();
        assert_eq!(got.len(), 1, "{name}");
        assert!(want.contains(&whole(&got[0], &shown(&path, "!")).replace("label: \"after!", "label: \"after")));
    }
}

#[test]
fn archives_in_a_folder_are_a_history() {
    let scratch = tempfile::tempdir().unwrap();
    for day in ["2026-01-01", "2026-01-02"] {
        let name = format!("{day}/pg_stat_user_tables.csv");
        let bytes = zip_of(&[(&name, CSV)], CompressionMethod::Deflated);
        fs::write(scratch.path().join(format!("{day}.zip")), bytes).unwrap();
    }
    fs::write(scratch.path().join("broken.zip"), b"PK\x03\x04 and so on").unwrap();
    let snapshots = read(&[scratch.path().to_path_buf()], &options()).unwrap();
    let labels: Vec<&str> = snapshots.iter().map(|s| s.meta.label.as_str()).collect();
    assert_eq!(labels, ["2026-01-01", "2026-01-02"]);
    assert!(notes(&snapshots).contains("broken.zip"), "{}", notes(&snapshots));
}

#[test]
fn hostile_names_are_harmless() {
    let long = format!("{}/pg_stat_user_tables.csv", "d".repeat(2000));
    let files: Vec<(&str, &[u8])> = vec![
        ("ok/pg_stat_user_tables.csv", CSV),
        ("../../../../tmp/evil/pg_stat_wal.csv", CSV),
        ("/absolute/pg_stat_user_tables.csv", CSV),
        ("nul\0/pg_stat_user_tables.csv", CSV),
        ("ok/pg_stat_user_tables.csv/pg_stat_wal.csv", CSV),
        (&long, CSV),
    ];
    let archives = [
        ("a.zip", zip_of(&files, CompressionMethod::Deflated)),
        ("a.tar", tar_of(&files)),
        ("a.tgz", gz(&tar_of(&files))),
    ];
    for (name, bytes) in archives {
        let snapshots = of(name, &bytes).unwrap();
        let said = notes(&snapshots);
        assert!(said.contains("leads out of the archive"), "{name}: {said}");
        assert!(said.contains("too long"), "{name}: {said}");
        assert!(said.contains("as a file and as a folder"), "{name}: {said}");
        let mut labels: Vec<&str> = snapshots.iter().map(|s| s.meta.label.as_str()).collect();
        labels.sort_unstable();
        // In a tar's header a name ends at the first NUL.
        labels.retain(|label| *label != "nul" && *label != "a.tar" && *label != "a.tgz");
        assert_eq!(labels, ["absolute", "ok"], "{name}");
    }
}

#[test]
fn links_and_devices_are_not_followed() {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind) in [
        ("a/pg_stat_wal.csv", tar::EntryType::Symlink),
        ("a/pg_stat_io.csv", tar::EntryType::Link),
        ("a/pg_stat_slru.csv", tar::EntryType::Char),
        ("a/pg_locks.csv", tar::EntryType::Fifo),
    ] {
        let mut header = header(name, 0, kind);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
    }
    builder.append(&header("a/pg_stat_user_tables.csv", CSV.len() as u64, tar::EntryType::Regular), CSV).unwrap();
    let snapshots = of("a.tar", &builder.into_inner().unwrap()).unwrap();
    assert_eq!(snapshots[0].tables.keys().copied().collect::<Vec<_>>(), ["pg_stat_user_tables"]);
    assert_eq!(notes(&snapshots).matches("a link, a device").count(), 4, "{}", notes(&snapshots));

    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.add_symlink("a/pg_stat_wal.csv", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    writer.start_file("a/pg_stat_user_tables.csv", SimpleFileOptions::default()).unwrap();
    writer.write_all(CSV).unwrap();
    let snapshots = of("a.zip", &writer.finish().unwrap().into_inner()).unwrap();
    assert_eq!(snapshots[0].tables.keys().copied().collect::<Vec<_>>(), ["pg_stat_user_tables"]);
    assert_eq!(notes(&snapshots).matches("a link, a device").count(), 1);
}

#[test]
fn bombs_end_early() {
    let line = format!("1,{},0\n", "a".repeat(1000));
    let zeros = format!("relid,relname,seq_scan\n{}", line.repeat(17_500)).into_bytes();
    let name = "a/pg_stat_user_tables.csv";
    let packed_again = format!("{name}.zst");
    for (archive, bytes) in [
        ("a.zip", zip_of(&[(name, &zeros)], CompressionMethod::Deflated)),
        ("nested.zip", zip_of(&[(&packed_again, &zst(&zeros))], CompressionMethod::Stored)),
        ("a.tar.zst", zst(&tar_of(&[("a/pg_stat_wal.csv", b"wal_records,wal_fpi\n7,8\n"), (name, &zeros)]))),
    ] {
        assert!(bytes.len() < 1 << 20, "{archive} is small: {}", bytes.len());
        let snapshots = of(archive, &bytes).unwrap();
        assert!(notes(&snapshots).contains("more than 250 times its size"), "{archive}: {}", notes(&snapshots));
    }
    // Many names for the same bytes.
    let row = format!("relid,relname,seq_scan\n{}", "1,a,0\n".repeat(40_000));
    let mut bytes = zip_of(&[("a/pg_stat_user_tables.csv", row.as_bytes())], CompressionMethod::Stored);
    let end = bytes.len() - 22;
    let directory = u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap()) as usize;
    let (entry, mut tail) = (bytes[directory..end].to_vec(), bytes[end..].to_vec());
    bytes.truncate(end);
    for letter in b'b'..b'z' {
        let mut entry = entry.clone();
        entry[46] = letter;
        bytes.extend(entry);
    }
    tail[8..10].copy_from_slice(&25_u16.to_le_bytes());
    tail[10..12].copy_from_slice(&25_u16.to_le_bytes());
    tail[12..16].copy_from_slice(&((bytes.len() - directory) as u32).to_le_bytes());
    bytes.extend(tail);
    let error = of("overlap.zip", &bytes).unwrap_err();
    assert!(error.contains("overlap"), "{error}");
    // A directory that says it has a thousand million entries.
    let mut bytes = zip_of(&[(name, CSV)], CompressionMethod::Stored);
    let end = bytes.len() - 22;
    let mut long = b"PK\x06\x06".to_vec();
    long.extend([0; 20]);
    long.extend([0, 0, 0, 0, 0, 0, 0, 0]);
    long.extend(1_000_000_000_u64.to_le_bytes());
    bytes.splice(end..end, long);
    let error = of("count.zip", &bytes).unwrap_err();
    assert!(error.contains("more than 600000 files"), "{error}");
}

#[test]
fn damage_is_said() {
    let rows: Vec<String> = (0..40_000_u64).map(|i| format!("{i},t{i},{}\n", i * i * 7919 % 1_000_003)).collect();
    let text = format!("relid,relname,seq_scan\n{}", rows.concat());
    let files: Vec<(&str, &[u8])> =
        vec![("a/pg_stat_wal.csv", b"wal_records,wal_fpi\n7,8\n"), ("a/pg_stat_user_tables.csv", text.as_bytes())];
    for (name, whole) in
        [("a.tar", tar_of(&files)), ("a.tgz", gz(&tar_of(&files))), ("a.tar.zst", zst(&tar_of(&files)))]
    {
        let cut = of(name, &whole[..whole.len() * 2 / 3]).unwrap();
        let rows = cut[0].tables["pg_stat_user_tables"].rows;
        assert!(cut[0].tables.contains_key("pg_stat_wal") && rows < 40_000, "{name}: {rows}");
        assert!(rows > 100, "{name}: {rows}");
        assert!(notes(&cut).contains("breaks off"), "{name}: {}", notes(&cut));
    }
    let mut zipped = zip_of(&files, CompressionMethod::Stored);
    let error = of("a.zip", &zipped[..zipped.len() / 2]).unwrap_err();
    assert!(error.contains("not a whole zip archive"), "{error}");
    let at = zipped.windows(8).position(|w| w == b"\n39999,t").unwrap();
    zipped[at + 3] = b'8';
    let damaged = of("a.zip", &zipped).unwrap();
    assert!(notes(&damaged).contains("it is damaged"), "{}", notes(&damaged));
    for (name, bytes) in
        [("a.zip", &b"relid\n"[..]), ("a.tar", b""), ("a.tgz", b"\x1f\x8b and so on"), ("a.tar", &[7; 2000])]
    {
        assert!(of(name, bytes).is_err(), "{name}");
    }
}
