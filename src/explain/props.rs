//! Lines below a headline in FORMAT TEXT that hold several properties, as those that FORMAT JSON has.

use super::fields::{self, Value};
use super::model::Node;

/// Sets what a line `label: value` says.
pub(super) fn read(node: &mut Node, label: &str, value: &str) {
    match label {
        "Buffers" => buffers(value, &mut |key, n| fields::set(node, key, n)),
        "I/O Timings" => groups(value, |group, name, number| {
            let kind = match group {
                "temp" => "Temp ",
                "local" => "Local ",
                // Up to 14 there is one group without a name.
                _ => "Shared ",
            };
            let way = if name == "read" { "Read" } else { "Write" };
            fields::set(node, &format!("{kind}I/O {way} Time"), Value::of(number));
        }),
        "WAL" => {
            // `buffers full` has a blank in its name.
            for pair in value.replace("buffers full=", "buffers_full=").split_whitespace() {
                let key = match pair.split_once('=').map(|(key, _)| key) {
                    Some("records") => "WAL Records",
                    Some("fpi") => "WAL FPI",
                    Some("bytes") => "WAL Bytes",
                    Some("buffers_full") => "WAL Buffers Full",
                    _ => continue,
                };
                fields::set(node, key, Value::of(pair.split_once('=').map_or("", |(_, n)| n)));
            }
        }
        "Heap Blocks" => {
            for (key, number) in value.split_whitespace().filter_map(|pair| pair.split_once('=')) {
                let key = if key == "lossy" { "Lossy Heap Blocks" } else { "Exact Heap Blocks" };
                fields::set(node, key, Value::of(number));
            }
        }
        "Sort Method" | "Buckets" | "Batches" | "Planned Partitions" | "Hits" | "Storage" => {
            let in_hash = label == "Buckets";
            for (label, value) in parts(label, value) {
                part(node, label, value, in_hash);
            }
        }
        _ => fields::set(node, label, Value::of(value)),
    }
}

/// `a  Label: b  Label: c` behind a label.
fn parts<'l>(label: &'l str, value: &'l str) -> Vec<(&'l str, &'l str)> {
    let mut all = Vec::new();
    for (at, piece) in value.split("  ").filter(|piece| !piece.trim().is_empty()).enumerate() {
        match piece.split_once(": ") {
            Some((label, value)) if at > 0 => all.push((label.trim(), value.trim())),
            _ => all.push((label, piece.trim())),
        }
    }
    all
}

fn part(node: &mut Node, label: &str, value: &str, in_hash: bool) {
    let kilobytes = || Value::of(value.trim_end_matches("kB"));
    match label {
        "Memory" | "Disk" => {
            fields::set(node, "Sort Space Type", Value::Text(label.to_owned()));
            fields::set(node, "Sort Space Used", kilobytes());
        }
        "Memory Usage" => fields::set(node, "Peak Memory Usage", kilobytes()),
        "Disk Usage" | "Maximum Storage" => fields::set(node, label, kilobytes()),
        "Buckets" => {}
        "Batches" if in_hash => {
            let (now, planned) = value.split_once(" (originally ").unwrap_or((value, value));
            fields::set(node, "Hash Batches", Value::of(now));
            fields::set(node, "Original Hash Batches", Value::of(planned.trim_end_matches(')')));
        }
        "Batches" => fields::set(node, "HashAgg Batches", Value::of(value)),
        "Hits" | "Misses" | "Evictions" | "Overflows" => fields::set(node, &format!("Cache {label}"), Value::of(value)),
        _ => fields::set(node, label, Value::of(value)),
    }
}

/// Reads `shared hit=3 read=1, temp written=2`, each number under its name in FORMAT JSON.
pub(super) fn buffers(value: &str, set: &mut dyn FnMut(&str, Value)) {
    groups(value, |group, name, number| {
        let kind = match group {
            "shared" => "Shared",
            "local" => "Local",
            _ => "Temp",
        };
        let what = match name {
            "hit" => "Hit",
            "read" => "Read",
            "dirtied" => "Dirtied",
            _ => "Written",
        };
        set(&format!("{kind} {what} Blocks"), Value::of(number));
    });
}

/// Shows each number of `group name=number name=number, group name=number`.
fn groups(value: &str, mut show: impl FnMut(&str, &str, &str)) {
    for group in value.split(", ") {
        let mut of = "";
        for word in group.split_whitespace() {
            match word.split_once('=') {
                Some((name, number)) => show(of, name, number),
                None => of = if word == "shared/local" { "shared" } else { word },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_numbers_are_taken_apart() {
        let mut node = Node::default();
        for (label, value) in [
            ("Buffers", "shared hit=7 read=3, local written=1, temp read=4 written=5"),
            ("I/O Timings", "shared/local read=1.5 write=2.5, temp read=3.5"),
            ("Buckets", "1024 (originally 512)  Batches: 16 (originally 4)  Memory Usage: 40kB"),
            ("Sort Method", "external merge  Disk: 640kB"),
            ("Heap Blocks", "exact=10 lossy=20"),
            ("Rows Removed by Filter", "12"),
            ("WAL", "records=3 fpi=1 bytes=800 buffers full=2"),
        ] {
            read(&mut node, label, value);
        }
        assert_eq!((node.buffers.shared_hit, node.buffers.shared_read, node.buffers.local_written), (7, 3, 1));
        assert_eq!((node.buffers.temp_read, node.buffers.temp_written), (4, 5));
        assert_eq!((node.io.read_ms, node.io.write_ms, node.io.temp_read_ms), (1.5, 2.5, 3.5));
        assert_eq!((node.batches, node.planned_batches, node.memory_kb), (Some(16.0), Some(4.0), Some(40.0)));
        let sort = node.sort.clone().unwrap();
        assert_eq!((sort.method.as_str(), sort.kilobytes, sort.disk), ("external merge", 640.0, true));
        assert_eq!((node.exact_blocks, node.lossy_blocks, node.removed_by_filter), (10.0, 20.0, 12.0));
        assert_eq!((node.said("WAL Bytes"), node.said("WAL Buffers Full")), (Some("800"), Some("2")));
    }

    #[test]
    fn old_timings_have_no_group() {
        let mut node = Node::default();
        read(&mut node, "I/O Timings", "read=1.5 write=2.5");
        assert_eq!((node.io.read_ms, node.io.write_ms), (1.5, 2.5));
    }

    #[test]
    fn a_hash_aggregate_says_how_it_spilled() {
        let mut node = Node::default();
        read(&mut node, "Planned Partitions", "4  Batches: 85  Memory Usage: 169kB  Disk Usage: 1568kB");
        assert_eq!((node.planned_partitions, node.batches, node.disk_kb), (Some(4.0), Some(85.0), Some(1568.0)));
    }
}
