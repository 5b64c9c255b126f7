//! A large shared memory without huge pages.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "mem-huge-pages",
    title: "Large shared buffers, huge pages not certain",
    needs: &[Need::Setting("huge_pages"), Need::Setting("shared_buffers")],
    wants: &[Need::Setting("huge_pages_status")],
    thresholds: &[Threshold {
        name: "min_shared_buffers",
        default: 8_589_934_592.0,
        unit: Unit::Bytes,
        about: "From here on the page tables of many sessions are gigabytes themselves.",
    }],
    docs: Docs {
        looks_at: "huge_pages, from 17 on huge_pages_status, and shared_buffers.",
        why: "Each session has page tables of its own for the shared memory: with small pages, 2 MB for each GB. Huge pages spare most \
              of that, and of the time to look addresses up.",
        decides: "A note where shared_buffers is 8 GB or more and huge pages are off; with try nobody knows before 17 whether the \
                  operating system had any to give, and that is said. From 17 on huge_pages_status decides.",
        what_to_do: "Reserve huge pages (shared_memory_size_in_huge_pages tells how many, from 15 on) and start the server with \
                     huge_pages = on once, so that it refuses where they are missing.",
        ignore_when: "The platform offers none, or few sessions are open.",
        references: "PostgreSQL manual, \"Linux Huge Pages\"; \"Resource Consumption\" (huge_pages).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let text = |name: &str| ctx.exported_setting(name).map(|s| s.text);
    let (Some(asked), Some(setting)) = (text("huge_pages"), ctx.exported_setting("shared_buffers")) else {
        return Err(Skip("huge_pages or shared_buffers is not exported".to_owned()));
    };
    let bytes = setting.value.ok_or_else(|| Skip("shared_buffers is no number".to_owned()))?;
    let status = text("huge_pages_status").filter(|s| matches!(*s, "on" | "off"));
    let looked_at = format!(
        "huge_pages {}, shared_buffers {}",
        crate::ident::visible(status.unwrap_or(asked)),
        show(bytes, Unit::Bytes)
    );
    let used = status.map_or(asked == "on", |s| s == "on");
    if used || bytes < ctx.threshold("min_shared_buffers") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let known = status.is_some() || asked == "off";
    let size = Quantity::float(bytes, Unit::Bytes);
    let title =
        Text::new().t(if known { "Huge pages are not used" } else { "Whether huge pages are used is not known" });
    let finding = ctx
        .finding(
            Severity::Info,
            Subject::new(SubjectKind::Setting, "huge_pages"),
            title.t(", at ").opt(size).t(" of shared buffers"),
        )
        .why(
            Text::new()
                .t("With small pages each session that touches all of it has page tables of ")
                .opt(Quantity::float(bytes / 512.0, Unit::Bytes))
                .t(if known {
                    "."
                } else {
                    ". huge_pages is try: the server takes small ones where the system has no others."
                }),
        )
        .doubts([setting.doubt()])
        .measure(ctx.setting_measure("huge_pages"))
        .measure(ctx.setting_measure("shared_buffers"))
        .measure(ctx.computed(
            "Page tables of a session",
            Quantity::float(bytes / 512.0, Unit::Bytes),
            format!("{} ÷ 4 kB × 8 bytes", show(bytes, Unit::Bytes)),
            &ctx.setting_rows("shared_buffers"),
        ))
        .fix(Fix::diagnose(
            "huge_pages",
            "-- on the machine: grep -i hugepages /proc/meminfo\nSELECT name, setting, unit FROM pg_settings\n\
             WHERE name IN ('huge_pages', 'huge_pages_status', 'huge_page_size', 'shared_memory_size_in_huge_pages');",
        ))
        .verify("From 17 on huge_pages_status is on; before, the server starts with huge_pages = on.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::snapshot::literal::literal;

    fn with(asked: &str, status: &str, blocks: u64) -> Vec<String> {
        let mut rows = vec![format!("huge_pages | {asked} | "), format!("shared_buffers | {blocks} | 8kB")];
        if !status.is_empty() {
            rows.push(format!("huge_pages_status | {status} | "));
        }
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        told(&judge(
            &RULE,
            &[literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting | unit", &rows).build()],
            "",
        ))
    }

    const GB16: u64 = 2_097_152;

    #[test]
    fn the_status_decides_where_there_is_one() {
        let unused = ["info, high: huge_pages: Huge pages are not used, at 16 GB of shared buffers"];
        assert_eq!(with("off", "", GB16), unused);
        assert_eq!(with("try", "off", GB16), unused);
        assert_eq!(
            with("try", "", GB16),
            ["info, high: huge_pages: Whether huge pages are used is not known, at 16 GB of shared buffers"]
        );
        for quiet in [with("try", "on", GB16), with("on", "", GB16), with("off", "", 16_384)] {
            assert!(quiet[0].starts_with("passed"), "{quiet:?}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert!(told_of_nothing(&RULE).starts_with("skipped, input missing: needs the setting `huge_pages`"));
    }
}
