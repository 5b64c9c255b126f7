//! Rules' documentation and the configuration's guide, held against the program.

use pgretro::advisor::{Config, Level, Storage, handbook};
use pgretro::finding::Severity;
use std::fs;

fn document(name: &str) -> String {
    let path = format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn the_document_of_rules_is_fresh() {
    let fresh = handbook::whole();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md"), &fresh).expect("docs/rules.md");
    }
    assert!(document("rules.md") == fresh, "docs/rules.md is old: `UPDATE_DOCS=1 cargo test the_document_of_rules`");
}

#[test]
fn the_example_of_the_guide_is_a_configuration() {
    let guide = document("configuration.md");
    let example = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let config = Config::parse(example, "pgretro.toml").expect("the example is read");
    assert_eq!(config.level("schema-no-pk"), Some(Level::Off));
    assert_eq!(config.level("cfg-logging"), Some(Level::Fixed(Severity::Info)));
    assert_eq!(config.ignores.len(), 1);
    assert_eq!((config.options.standby_reads, config.options.ram_bytes), (Some(false), Some(64 << 30)));
    assert_eq!((config.options.cpus, config.options.storage), (Some(16), Some(Storage::Ssd)));
}
