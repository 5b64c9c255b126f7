//! The price of a random page, left as built in, on storage that knows no seeks.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Storage};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-random-page-cost",
    title: "Price of random reads as for rotating disks",
    needs: &[Need::Setting(NAME)],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "`random_page_cost`, and what the data directory is on, as the configuration states it (`storage`).",
        why: "The built-in 4 is made for disks that seek. On flash a page anywhere costs about what the next one costs, so \
              index scans look dearer than they are.",
        decides: "A note where it is 4 and the storage is stated as `ssd`. Where nothing is stated there is no verdict: no \
                  export tells what the disks are. Values that somebody chose are theirs.",
        what_to_do: "Try a lower value in one session on the statements that matter, and compare plans and times.",
        ignore_when: "Nearly everything read is in cache, or plans were measured with this value.",
        references: "PostgreSQL manual, \"Query Planning\" (random_page_cost).",
    },
    check,
};

const NAME: &str = "random_page_cost";
const BUILT_IN: f64 = 4.0;

fn check(ctx: &Context<'_>) -> Check {
    let setting = ctx.exported_setting(NAME).ok_or_else(|| Skip(format!("{NAME} is not known")))?;
    let looked_at = format!("{NAME} is {}", crate::ident::visible(setting.text));
    if setting.value != Some(BUILT_IN) {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    match ctx.options().storage {
        None => Err(Skip(format!("{looked_at}; what the data directory is on is not stated (--storage ssd or hdd)"))),
        Some(Storage::Hdd) => Ok(Checked { findings: Vec::new(), looked_at }),
        Some(Storage::Ssd) => {
            let finding = ctx
                .finding(
                    Severity::Info,
                    Subject::new(SubjectKind::Setting, NAME),
                    Text::new().code(NAME).t(" is the built-in 4, the storage is stated as flash"),
                )
                .why("Index scans are priced as if each page cost a seek, so sequential scans are chosen too early.")
                .doubts([setting.doubt()])
                .measure(ctx.setting_measure(NAME))
                .fix(Fix::diagnose(
                    NAME,
                    "-- in one session, with a statement that reads much; nothing else is changed\n\
                     SET random_page_cost = 1.1;\nEXPLAIN (ANALYZE, BUFFERS, SETTINGS) ...;\nRESET random_page_cost;",
                ))
                .verify("Statements with the lower value read fewer pages in less time, none got slower.")
                .effort(Effort::M);
            Ok(Checked { findings: vec![finding], looked_at })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(value: &str, storage: &str) -> String {
        let b = literal("2026-11-22 12:00:00+00").view(
            "pg_settings",
            "name | setting | unit",
            &[&format!("random_page_cost | {value} | ")],
        );
        let config = if storage.is_empty() { String::new() } else { format!("[options]\nstorage = '{storage}'\n") };
        told(&judge(&RULE, &[b.build()], &config)).remove(0)
    }

    #[test]
    fn only_a_stated_storage_makes_it_a_finding() {
        assert_eq!(
            with("4", "ssd"),
            "info, high: random_page_cost: random_page_cost is the built-in 4, the storage is stated as flash"
        );
        assert_eq!(with("4", "hdd"), "passed: random_page_cost is 4");
        assert_eq!(
            with("4", ""),
            "skipped: random_page_cost is 4; what the data directory is on is not stated (--storage ssd or hdd)"
        );
        assert_eq!(with("1.1", ""), "passed: random_page_cost is 1.1");
        assert_eq!(with("2", "ssd"), "passed: random_page_cost is 2");
    }
}
