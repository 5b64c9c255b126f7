//! Advice that circulates and is wrong, and what keeps this program from giving it: a test beside the code that would
//! fail if it were given, and a look through everything that rules say.

use crate::examples::every_finding;
use pgretro::advisor::rules::RULES;
use pgretro::finding::{Finding, Risk};
use std::collections::BTreeMap;
use std::path::Path;

mod table;

use table::WRONG;

/// A piece of wrong advice.
struct Wrong {
    /// Its number in the list, from 1.
    nr: usize,
    /// What is said elsewhere.
    claim: &'static str,
    /// What is right.
    right: &'static str,
    /// What keeps it from being said here.
    kept: &'static [Kept],
}

/// What keeps wrong advice from being given.
enum Kept {
    /// A test in `src/`, by file and name.
    By(&'static str, &'static str),
    /// Words that stand in no sentence and no statement of any rule, but in those of the rules named.
    Word(&'static str, &'static [&'static str]),
    /// What no statement of any rule may be; an example of one that would be refused.
    Statement(fn(&str, &str) -> bool, &'static str),
    /// What no finding may be.
    Finding(fn(&Finding) -> bool),
    /// Columns that neither rules nor the report read.
    Unread(&'static [&'static str]),
}

/// Everything that rules say: on fixtures, and in their documentation. Rule, then text.
fn said() -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in every_finding() {
        let mut words = vec![finding.title.plain(), finding.why.plain(), finding.verify.plain()];
        words.extend(finding.not.iter().map(pgretro::text::Text::plain));
        for fix in &finding.fixes {
            words.extend([fix.sql.clone(), fix.lock.clone()]);
            words.extend(fix.when_not.iter().map(pgretro::text::Text::plain));
        }
        out.entry(finding.rule.clone()).or_default().extend(words);
    }
    for rule in RULES {
        let d = &rule.docs;
        let words = [rule.title, d.looks_at, d.why, d.decides, d.what_to_do, d.ignore_when].map(str::to_owned);
        out.entry(rule.id.to_owned()).or_default().extend(words);
    }
    out
}

/// Statements that would be run: comments left out.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.lines().map(str::trim).filter(|line| !line.starts_with("--"))
}

fn sources(dir: &Path, out: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the program").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).expect("readable");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            out.push((path.display().to_string(), code));
        }
    }
}

#[test]
fn all_forty_five_have_something_that_keeps_them_away() {
    for (at, wrong) in WRONG.iter().enumerate() {
        assert_eq!(wrong.nr, at + 1, "{}", wrong.claim);
        assert!(!wrong.kept.is_empty() && !wrong.right.is_empty(), "{}: {}", wrong.nr, wrong.claim);
    }
    assert_eq!(WRONG.len(), 45);
}

#[test]
fn the_tests_that_keep_them_away_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut missing = Vec::new();
    for wrong in WRONG {
        for kept in wrong.kept {
            let Kept::By(file, test) = kept else { continue };
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            let tests = text.split("#[cfg(test)]").nth(1).or_else(|| file.ends_with("_tests.rs").then_some(&*text));
            if !tests.is_some_and(|t| t.contains(&format!("fn {test}("))) {
                missing.push(format!("{}: {file} has no test {test}", wrong.nr));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_rule_says_them() {
    let said = said();
    let mut found = Vec::new();
    for wrong in WRONG {
        for kept in wrong.kept {
            let Kept::Word(word, but) = kept else { continue };
            for (rule, words) in said.iter().filter(|(rule, _)| !but.contains(&rule.as_str())) {
                let at = words.iter().find(|w| w.to_lowercase().contains(&word.to_lowercase()));
                found.extend(at.map(|w| format!("{}: {rule} says `{word}`: {w}", wrong.nr)));
            }
            // An exception that is not needed hides the next one.
            for rule in *but {
                let says =
                    said.get(*rule).into_iter().flatten().any(|w| w.to_lowercase().contains(&word.to_lowercase()));
                assert!(says, "{}: {rule} does not say `{word}` any more", wrong.nr);
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_statement_does_them() {
    let findings = every_finding();
    for wrong in WRONG {
        for kept in wrong.kept {
            match kept {
                Kept::Statement(refused, example) => {
                    assert!(refused("index-unused", example), "{}: lets `{example}` through", wrong.nr);
                    for finding in &findings {
                        for fix in &finding.fixes {
                            let bad = statements(&fix.sql).find(|s| refused(&finding.rule, s));
                            assert_eq!(bad, None, "{}: {}, {}", wrong.nr, finding.rule, fix.sql);
                        }
                    }
                }
                Kept::Finding(refused) => {
                    let bad = findings.iter().find(|f| refused(f));
                    assert!(bad.is_none(), "{}: {bad:#?}", wrong.nr);
                }
                _ => {}
            }
        }
    }
    // What was looked through is something.
    assert!(findings.iter().flat_map(|f| &f.fixes).filter(|f| f.risk > Risk::R0).count() > 50);
}

/// What ran in the session before decides nothing: a build must not be cut short, DDL must not queue without end.
#[test]
fn every_statement_sets_the_limit_of_waiting_that_it_needs() {
    const DDL: [&str; 7] = [
        "ALTER TABLE ",
        "ALTER SEQUENCE ",
        "ALTER INDEX ",
        "DROP INDEX ",
        "CREATE INDEX ",
        "CREATE UNIQUE INDEX ",
        "REINDEX ",
    ];
    // A CONCURRENTLY form that is cut off leaves an invalid index.
    const ENDLESS: &str = "statement_timeout = 0; SET lock_timeout = 0;";
    let (mut short, mut endless) = (0, 0);
    for finding in every_finding() {
        for text in finding.fixes.iter().flat_map(|f| [Some(&f.sql), f.undo.as_ref()]).flatten() {
            let mut limit = "";
            for line in text.lines() {
                limit = line.strip_prefix("SET ").unwrap_or(limit);
                if DDL.iter().any(|ddl| line.starts_with(ddl)) {
                    let concurrent = line.contains(" CONCURRENTLY ");
                    let wanted = if concurrent { ENDLESS } else { "lock_timeout = '5s';" };
                    assert_eq!(limit, wanted, "{}: {text}", finding.rule);
                    *if concurrent { &mut endless } else { &mut short } += 1;
                }
            }
        }
    }
    assert!(short > 20 && endless > 20, "{short} and {endless} statements were looked at");
}

#[test]
fn nobody_reads_what_cannot_be_judged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut code = Vec::new();
    for part in ["advisor", "report", "check"] {
        sources(&root.join(part), &mut code);
    }
    for wrong in WRONG {
        for kept in wrong.kept {
            let Kept::Unread(columns) = kept else { continue };
            for column in *columns {
                let quoted = format!("\"{column}\"");
                let reader = code.iter().find(|(_, text)| text.contains(&quoted)).map(|(path, _)| path);
                assert_eq!(reader, None, "{}: {column} is read", wrong.nr);
            }
        }
    }
}
