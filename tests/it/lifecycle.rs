//! What becomes of findings from report to report: baselines, exceptions, exit codes.

use super::fixtures::run;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Runs `pgretro report` in the repository: exit code, stdout, stderr.
fn report(arguments: &[&str]) -> (i32, String, String) {
    run(&[&["report"], arguments].concat())
}

fn json(arguments: &[&str]) -> Value {
    let (_, stdout, stderr) = report(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{arguments:?}: {e}\n{stderr}"))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A report of these arguments, saved as JSON.
    fn save(&self, name: &str, arguments: &[&str]) -> String {
        let path = self.path(name).display().to_string();
        let (code, _, stderr) = report(&[arguments, &["-o", &path]].concat());
        assert_eq!(code, 0, "{stderr}");
        path
    }
}

/// Standing and remark of the finding of a rule about an object.
fn standing(report: &Value, rule: &str, object: &str) -> String {
    let all = report["findings"].as_array().expect("findings");
    let found = all.iter().find(|f| f["rule"] == rule && f["subject"]["name"] == object);
    let found = found.unwrap_or_else(|| panic!("no {rule} on {object}"));
    format!(
        "{} {}",
        found["baseline"]["standing"].as_str().unwrap(),
        found["baseline"]["remark"].as_str().unwrap_or("")
    )
}

fn counts(report: &Value) -> [u64; 6] {
    let b = &report["baseline"];
    let n = |key: &str| b[key].as_u64().unwrap_or_else(|| b[key].as_array().expect(key).len() as u64);
    ["new", "worse", "better", "unchanged", "fixed", "unknown"].map(n)
}

const DUMP: &str = "fixtures/shop/after";

#[test]
fn the_same_dump_again_changes_nothing() {
    let folder = Folder::new();
    let base = folder.save("base.json", &[DUMP]);
    let again = json(&[DUMP, "--baseline", &base]);
    let findings = again["findings"].as_array().unwrap().len() as u64;
    assert!(findings > 5, "a dump with findings");
    assert_eq!(counts(&again), [0, 0, 0, findings, 0, 0]);
    assert_eq!(report(&[DUMP, "--baseline", &base, "--fail-on-new=info"]).0, 0);
}

#[test]
fn what_a_threshold_hid_is_new_and_fails() {
    let folder = Folder::new();
    let off = folder
        .put("off.toml", "[rules.index-invalid]\nseverity = \"off\"\n[rules.seq-exhaustion]\nseverity = \"low\"\n");
    let base = folder.save("base.json", &[DUMP, "--config", &off]);
    let now = json(&[DUMP, "--baseline", &base]);
    assert_eq!(standing(&now, "index-invalid", "public.uq_orders_ref"), "new the baseline could not judge it");
    assert_eq!(standing(&now, "seq-exhaustion", "public.tickets_id_seq"), "worse was low");
    for (limit, code) in [("--fail-on-new", 1), ("--fail-on-new=high", 1), ("--fail-on-new=critical", 0)] {
        assert_eq!(report(&[DUMP, "--baseline", &base, limit]).0, code, "{limit}");
    }
    // Seen before with that severity: only --fail-on still minds.
    let same = folder.save("same.json", &[DUMP]);
    assert_eq!(report(&[DUMP, "--baseline", &same, "--fail-on-new"]).0, 0);
    assert_eq!(report(&[DUMP, "--baseline", &same, "--fail-on", "low"]).0, 1);
}

#[test]
fn what_is_gone_is_fixed_and_what_is_hidden_is_not() {
    let folder = Folder::new();
    let base = folder.save("base.json", &[DUMP]);
    let config = folder.put(
        "config.toml",
        r#"
[rules.cfg-timeouts]
severity = "off"
[[ignore]]
rule = "index-invalid"
reason = "rebuilt on Sunday"
until = 2099-01-01
[[ignore]]
rule = "seq-exhaustion"
reason = "the new column is being filled"
until = 2020-01-01
[[ignore]]
rule = "index-*"
object = "no.such_index"
reason = "left over"
"#,
    );
    // Without the sequences there is nothing left to find of them.
    let less = folder.path("dump");
    copy_without(&Path::new(env!("CARGO_MANIFEST_DIR")).join(DUMP), &less, "constraints");
    let now = json(&[less.to_str().unwrap(), "--baseline", &base, "--config", &config]);
    let unknown = |rule: &str| {
        let all = now["baseline"]["unknown"].as_array().unwrap();
        let one = all.iter().find(|p| p["rule"] == rule).unwrap_or_else(|| panic!("{rule} in {all:#?}"));
        one["remark"].as_str().unwrap().to_owned()
    };
    assert_eq!(unknown("index-invalid"), "accepted by the configuration: rebuilt on Sunday");
    assert_eq!(unknown("cfg-timeouts"), "switched off in the configuration");
    assert_eq!(unknown("index-missing-fk"), "`constraints` is not in the dump");
    assert_eq!(now["exceptions"]["accepted"], 1);
    let notes: Vec<&str> = now["exceptions"]["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].contains("expired on 1 Jan 2020: `seq-exhaustion` on `*`, 2 findings are reported again"),
        "{notes:?}"
    );
    assert!(notes[1].contains("concerns no finding: `index-*` on `no.such_index`"), "{notes:?}");
}

fn copy_without(from: &Path, to: &Path, view: &str) {
    std::fs::create_dir(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("a dump") {
        let file = file.expect("a file");
        if !file.file_name().to_string_lossy().starts_with(view) {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
        }
    }
}

#[test]
fn what_a_check_does_not_find_again_is_fixed() {
    let folder = Folder::new();
    let base = folder.save("base.json", &["fixtures/shop/after"]);
    let stricter = folder.put("c.toml", "[rules.seq-exhaustion]\nlow_used = 1.0\nmedium_used = 1.0\nhigh_used = 1.0\n");
    let now = json(&["fixtures/shop/after", "--baseline", &base, "--config", &stricter]);
    let fixed: Vec<&str> =
        now["baseline"]["fixed"].as_array().unwrap().iter().filter_map(|p| p["rule"].as_str()).collect();
    assert_eq!(fixed, ["seq-exhaustion", "seq-exhaustion"]);
}

#[test]
fn every_format_says_it() {
    let folder = Folder::new();
    let base = folder.save("base.json", &["fixtures/shop/before"]);
    let paths: Vec<String> = ["r.html", "r.md"].iter().map(|n| folder.path(n).display().to_string()).collect();
    let config = folder.put(
        "c.toml",
        "[[ignore]]\nrule = \"index-invalid\"\nreason = \"x\"\n[rules.seq-exhaustion]\nseverity = \"low\"\n",
    );
    let (_, summary, stderr) =
        report(&[DUMP, "--baseline", &base, "--config", &config, "-o", &paths[0], "-o", &paths[1]]);
    assert!(summary.contains("Baseline of 22 Nov 2026:"), "{summary}{stderr}");
    assert!(summary.contains("Accepted 1 finding by the configuration"), "{summary}");
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        for said in ["Against the baseline of", "accepted by the configuration", "better (was high)"] {
            assert!(text.contains(said), "{path}: {said}");
        }
    }
}

#[test]
fn a_baseline_that_is_none_is_refused() {
    let folder = Folder::new();
    let no_report = folder.put("config.json", "{\"schema\": 1}");
    let (code, _, stderr) = report(&[DUMP, "--baseline", &no_report]);
    assert_eq!(code, 2);
    assert!(stderr.contains("config.json") && stderr.contains("this JSON is no report"), "{stderr}");
    assert_eq!(report(&[DUMP, "--baseline", "no-such-file.json"]).0, 2);
    assert_eq!(report(&[DUMP, "--fail-on-new"]).0, 2, "needs a baseline");
    // Comparing with another database, or with the future, is said.
    let other = folder.save("other.json", &["fixtures/pg16-reindex-concurrently/before"]);
    let now = json(&["fixtures/shop/before", "--baseline", &other]);
    assert_eq!(now["baseline"]["notes"][0], "the baseline is of app, this report of shop");
    let later = folder.save("later.json", &["fixtures/shop/after"]);
    let now = json(&["fixtures/shop/before", "--baseline", &later]);
    assert_eq!(now["baseline"]["notes"][0], "the baseline is newer than this report");
}
