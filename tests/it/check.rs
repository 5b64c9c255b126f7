//! `pgretro check`: a policy held against dumps, in every format, with the exit codes that scripts rely on.

use super::fixtures::{assert_snapshot, run};
use serde_json::Value;

/// Runs `pgretro check` in the repository: exit code, stdout, stderr.
fn check(arguments: &[&str]) -> (i32, String, String) {
    run(&[&["check"], arguments].concat())
}

/// A folder with a policy `p.toml` of this text, and its path.
fn policy(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("p.toml");
    std::fs::write(&path, text).expect("written");
    (folder, path.display().to_string())
}

/// Small enough to be read whole: one line of each kind and outcome.
const SMALL: &str = "fixtures/policy/small.toml";
const DUMP: [&str; 2] = ["fixtures/shop/before", "fixtures/shop/after"];

fn result(arguments: &[&str]) -> Value {
    let (_, stdout, stderr) = check(&[&DUMP, arguments, &["--format", "json"]].concat());
    serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{arguments:?}: {e}\n{stderr}"))
}

#[test]
fn each_format_says_the_same() {
    for (format, name) in
        [("table", "check.txt"), ("sarif", "check.sarif"), ("junit", "check.xml"), ("json", "check.json")]
    {
        let (code, stdout, stderr) = check(&[&DUMP[..], &["--policy", SMALL, "--format", format]].concat());
        assert_eq!(code, 1, "{stderr}");
        // The program's version is no part of what is tested.
        assert_snapshot(name, &stdout.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    }
}

#[test]
fn exit_codes_follow_the_lines() {
    let met = "[[setting]]\nname = 'fsync'\nexpect = 'on'\n";
    let unknown = "[[setting]]\nname = 'no_such_setting'\nexpect = 'on'\n";
    let missed = "[[setting]]\nname = 'ssl'\nexpect = 'on'\n";
    for (text, options, want) in [
        (met.to_owned(), &[][..], 0),
        (format!("{met}{unknown}"), &[][..], 0),
        (format!("{met}{unknown}"), &["--strict"][..], 1),
        (format!("[policy]\nstrict = true\n{met}{unknown}"), &[][..], 1),
        (format!("{met}{missed}"), &[][..], 1),
        ("[[setting]]".to_owned(), &[][..], 2),
        (met.to_owned(), &["--format", "csv"][..], 2),
        (met.to_owned(), &["-o", "result.csv"][..], 2),
    ] {
        let (_folder, path) = policy(&text);
        let (code, stdout, stderr) = check(&[&DUMP, &["--policy", &path][..], options].concat());
        assert_eq!(code, want, "{text} {options:?}: {stdout}{stderr}");
    }
    assert_eq!(check(&["fixtures/shop/after", "--policy", "no-such-file.toml"]).0, 2);
    assert_eq!(check(&["no-such-dump", "--policy", SMALL]).0, 2);
}

#[test]
fn a_bad_policy_is_told_with_its_place() {
    let (_folder, path) = policy("[[setting]]\nname = 'fsync'\nexpcet = 'on'\n");
    let (code, stdout, stderr) = check(&["fixtures/shop/after", "--policy", &path]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("p.toml`, line 3, column 1: unknown key `expcet`"), "{stderr}");
    assert!(stderr.contains("hint: did you mean `expect`?"), "{stderr}");
}

#[test]
fn the_first_rule_that_fits_decides_and_accepted_findings_are_told() {
    let text = "[[rule]]\nrule = 'seq-*'\nat_most = 'critical'\n[[rule]]\nrule = '*'\nat_most = 'none'\n";
    let (folder, path) = policy(text);
    let config = folder.path().join("c.toml");
    std::fs::write(
        &config,
        "[[ignore]]\nrule = 'index-invalid'\nreason = 'rebuilt on Sunday'\n[rules.cfg-timeouts]\nseverity = 'off'\n",
    )
    .expect("written");
    let result = result(&["--policy", &path, "--config", config.to_str().unwrap()]);
    let line = |id: &str| {
        let all: Vec<&Value> = result["lines"].as_array().unwrap().iter().filter(|l| l["id"] == id).collect();
        assert_eq!(all.len(), 1, "{id} is decided once");
        format!("{} {}", all[0]["outcome"].as_str().unwrap(), all[0]["found"].as_str().unwrap())
    };
    assert!(line("rule/seq-exhaustion").starts_with("pass critical: public.tickets_id_seq"));
    assert!(
        line("rule/index-invalid").starts_with("pass ") && line("rule/index-invalid").ends_with("rebuilt on Sunday")
    );
    assert!(line("rule/index-missing-fk").starts_with("fail low: "));
    assert_eq!(line("rule/cfg-timeouts"), "not_assessable switched off in the configuration");
    let rules = result["lines"].as_array().unwrap().len();
    assert_eq!(rules, pgretro::advisor::rules::RULES.len(), "a line a rule");
}

#[test]
fn expectations_of_a_role_hold_for_it_only() {
    let text = "[[setting]]\nname = 'fsync'\nexpect = 'on'\nrole = 'standby'\n[[setting]]\nname = 'ssl'\nexpect = 'off'\nrole = 'primary'\n";
    let (_folder, path) = policy(text);
    let outcomes = |dump: &str| {
        let (_, stdout, _) = check(&[dump, "--policy", &path, "--format", "json"]);
        let result: Value = serde_json::from_str(&stdout).expect("JSON");
        let line = |l: &Value| format!("{} {}", l["outcome"].as_str().unwrap(), l["found"].as_str().unwrap());
        result["lines"].as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(outcomes("fixtures/shop/after"), ["not_assessable no standby is among the dumps", "pass off"]);
    let standby = outcomes("fixtures/pg18-standby/after");
    assert_eq!(standby[1], "not_assessable no primary is among the dumps");
}

/// A dump whose every text tries to get out of where it stands.
fn hostile(folder: &tempfile::TempDir) -> String {
    let dump = folder.path().join("dump");
    std::fs::create_dir(&dump).expect("a folder");
    let evil = "]]>\u{1b}[31m<script>{0}&\u{202e}'\"";
    let quoted = evil.replace('"', "\"\"");
    std::fs::write(
        dump.join("pg_settings.csv"),
        format!("name,setting,unit,source,vartype\nssl,\"{quoted}\",,default,string\nwork_mem,99999999999999999999999,\"{quoted}\",default,integer\nport,-9223372036854775808,kB,default,integer\n"),
    )
    .expect("written");
    std::fs::write(dump.join("pg_extension.csv"), format!("oid,extname,extversion\n1,\"{quoted}\",\"{quoted}\"\n"))
        .expect("written");
    std::fs::write(
        dump.join("meta.csv"),
        format!("server_version_num,captured_at,current_database\n150018,2026-11-22 12:00:00+00,\"{quoted}\"\n"),
    )
    .expect("written");
    dump.display().to_string()
}

#[test]
fn hostile_values_stay_values() {
    let text = "[policy]\nname = \"<b>&]]>\\u001b[1m{1}\"\n[[setting]]\nname = 'ssl'\nexpect = \"= <i>'\\\"{0}\"\nreason = \"]]>&\"\nid = \"<x> y\"\n\
                [[setting]]\nname = 'work_mem'\nexpect = '>= 1GB'\n[[setting]]\nname = 'port'\nexpect = '<= 9223372036854775807'\n\
                [[extension]]\nallowed = ['plpgsql']\n";
    let (folder, path) = policy(text);
    let dump = hostile(&folder);
    for format in ["table", "sarif", "junit", "json"] {
        let (code, stdout, stderr) = check(&[&dump, "--policy", &path, "--format", format, "--color", "never"]);
        assert_eq!(code, 1, "{format}: {stderr}");
        assert!(!stdout.contains('\u{1b}'), "{format}: {stdout}");
        // JSON is for programs: what people would see turned around stays as it is there.
        assert!(format == "json" || !stdout.contains('\u{202e}'), "{format}: {stdout}");
        if format == "junit" {
            assert!(!stdout.contains("<script>") && !stdout.contains("]]>") && !stdout.contains("<b>"), "{stdout}");
            well_formed(&stdout);
        }
        if format == "sarif" {
            let log: Value = serde_json::from_str(&stdout).expect("JSON");
            let results = log["runs"][0]["results"].as_array().expect("results");
            assert_eq!(results.len(), 4);
            assert!(results[0]["message"]["text"].as_str().unwrap().contains("{{0}}"));
        }
    }
}

/// Every element that is opened is closed, in order; text holds no markup.
fn well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = xml.split_once("?>").expect("a declaration").1;
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains(['>', '"']), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().expect("a name"));
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_policies_of_the_fixtures_and_of_the_guide_are_policies() {
    use pgretro::check::Policy;
    let root = env!("CARGO_MANIFEST_DIR");
    let production = std::fs::read_to_string(format!("{root}/fixtures/policy/production.toml")).expect("readable");
    assert!(Policy::parse(&production, "production.toml").is_ok());
    let guide = std::fs::read_to_string(format!("{root}/docs/policy.md")).expect("readable");
    let examples: Vec<&str> = guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 3, "the guide shows examples");
    for example in examples {
        Policy::parse(example, "policy.toml").unwrap_or_else(|e| panic!("{example}: {e}: {:?}", e.hint()));
    }
}
