//! Policies read, and errors with their places.

use crate::check::Policy;

fn ids(text: &str) -> Vec<String> {
    let policy = Policy::parse(text, "p.toml").unwrap_or_else(|e| panic!("{text}: {e}"));
    policy.items.iter().map(|i| format!("{}: {}", i.id, i.what)).collect()
}

#[test]
fn reads_everything_in_the_order_of_the_file() {
    let text = r#"
[policy]
name = "production"
about = "what the auditors ask"
strict = true

[[version]]
at_least = ["15.12", "17"]
supported_for = "90 d"

[[setting]]
name = "shared_buffers"
expect = ">= 2GB"
role = "primary"
severity = "high"
reason = "sized for the machine"

[[view]]
name = ["pg_stat_statements", "pg_stat_all_tables"]

[[setting]]
id = "AUD-7"
name = "shared_preload_libraries"
contains = "pgaudit"
lacks = ["dblink", "x"]

[[rule]]
rule = ["sec-*", "cfg-durability-off"]
at_most = "none"

[[extension]]
allowed = ["plpgsql", "pg_stat_statements >= 1.9"]
required = "pgaudit"
forbidden = "dblink"
"#;
    assert_eq!(
        ids(text),
        [
            "version/release: PostgreSQL 15.12, 17 or a later release of that major version",
            "version/support: major version supported for 90 d 00 h more",
            "setting/shared_buffers: shared_buffers >= 2GB",
            "view/pg_stat_statements: pg_stat_statements exported",
            "view/pg_stat_user_tables: pg_stat_user_tables exported",
            "AUD-7: shared_preload_libraries contains pgaudit and does not contain dblink, x",
            "rule/sec-*: sec-*: no finding",
            "rule/cfg-durability-off: cfg-durability-off: no finding",
            "extension/allowed: no extensions but plpgsql, pg_stat_statements >= 1.9",
            "extension/dblink: extension dblink not installed",
            "extension/pgaudit: extension pgaudit installed",
        ]
    );
}

#[test]
fn says_what_is_wrong_where_and_what_to_do() {
    for (text, message, hint) in [
        ("", "line 1, column 1: the policy expects nothing", "[[setting]]"),
        ("[[setings]]\n", "line 1, column 3: unknown key `setings`", "did you mean `setting`?"),
        ("setting = 3", "line 1, column 11: `setting` is of type integer", "`[[setting]]`"),
        ("setting = [1]", "line 1, column 12: `setting` is of type integer", "tables"),
        ("[policy]\nstrict = 1", "line 2, column 10: `strict` is of type integer", "true or false"),
        ("[[setting]]\nname = 'fsync'", "line 1, column 1: nothing is expected of `fsync`", "add `expect"),
        ("[[setting]]\nexpect = 'on'", "line 1, column 1: a setting without a name", "add `name"),
        ("[[setting]]\nname = 'f sync'\nexpect = 'on'", "line 2, column 8: `f sync` is no name", "SHOW"),
        ("[[setting]]\nname = 'fsync'\nexpct = 'on'", "line 3, column 1: unknown key `expct`", "`expect`"),
        ("[[setting]]\nname = 'x'\nexpect = '> big'", "line 3, column 10: `big` is no number", "2GB"),
        (
            "[[setting]]\nname = 'x'\nexpect = ['>= 1', '<= 2']",
            "line 3, column 10: `>= 1` in a list",
            "one of its values",
        ),
        ("[[setting]]\nname = 'x'\nexpect = []", "line 3, column 10: `expect` is a list without values", ""),
        ("[[setting]]\nname = 'x'\nexpect = {a = 1}", "line 3, column 10: `expect` is of type table", ""),
        (
            "[[setting]]\nname = 'shared_buffers'\nexpect = '>= 5min'",
            "line 3, column 10: `shared_buffers` is measured in 8kB",
            "a size",
        ),
        (
            "[[setting]]\nname = 'statement_timeout'\nexpect = '>= 2GB'",
            "line 3, column 10: `statement_timeout` is measured in ms",
            "a time",
        ),
        (
            "[[setting]]\nname = 'x'\nexpect = 1\nrole = 'leader'",
            "line 4, column 8: `leader` is no role",
            "`primary` or `standby`",
        ),
        ("[[setting]]\nname = 'x'\nexpect = 1\nseverity = 'bad'", "line 4, column 12: `bad` is no severity", "`info`"),
        ("[[version]]\nat_least = 'seventeen'", "line 2, column 12: `seventeen` is no release", "16.9"),
        ("[[version]]\nat_least = ['17', '17.4.2']", "line 2, column 19: `17.4.2` is no release", "16.9"),
        ("[[version]]\nsupported_for = 'ever'", "line 2, column 17: `ever` is no length of time", "90 d"),
        ("[[version]]", "line 1, column 1: nothing is expected of the version", "at_least"),
        (
            "[[view]]\nname = 'pg_stat_statement'",
            "line 2, column 8: there is no view `pg_stat_statement`",
            "`pg_stat_statements`",
        ),
        ("[[rule]]\nrule = 'sec-*'", "line 1, column 1: a rule without the worst severity", "at_most"),
        ("[[rule]]\nrule = 'secc-*'\nat_most = 'low'", "line 2, column 8: there is no rule `secc-*`", ""),
        ("[[rule]]\nat_most = 'low'", "line 1, column 1: an expectation of no rule", ""),
        ("[[extension]]\nforbidden = 'x >= 1'", "line 2, column 13: a forbidden extension with a version", ""),
        ("[[extension]]\nrequired = 'x > 1'", "line 2, column 12: `x > 1` names no extension", ""),
        ("[[extension]]\nrequired = []", "line 2, column 12: `required` is empty", ""),
        (
            "[[view]]\nname = 'pg_settings'\n[[view]]\nname = 'pg_settings'",
            "line 3, column 1: `view/pg_settings` is expected twice",
            "`id`",
        ),
        ("a = ", "line 1, column ", "docs/policy.md"),
    ] {
        let error = Policy::parse(text, "p.toml").unwrap_err();
        assert!(error.to_string().starts_with(&format!("read `p.toml`, {message}")), "{text}: {error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{text}: {:?}", error.hint());
    }
}

#[test]
fn roles_may_expect_different_values_of_one_setting() {
    let both = "[[setting]]\nname = 'x'\nexpect = 1\nrole = 'primary'\n[[setting]]\nname = 'x'\nexpect = 2\nrole = 'standby'\n";
    assert_eq!(ids(both), ["setting/x: x = 1", "setting/x: x = 2"]);
    let twice = both.replace("role = 'standby'", "");
    assert!(Policy::parse(&twice, "p.toml").is_err());
}
