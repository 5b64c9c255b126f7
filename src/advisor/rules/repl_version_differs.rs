//! Servers of one cluster that run different releases.

use crate::advisor::{Check, Checked, Context, Docs, Need, Peer, Rule, Skip};
use crate::diff::Chain;
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::version::PgVersion;

/// The rule.
pub const RULE: Rule = Rule {
    id: "repl-version-differs",
    title: "Servers of one cluster run different releases",
    needs: &[],
    wants: &[Need::View("meta", &["server_version_num"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "The versions of a primary and its standbys, where dumps of several are given together.",
        why: "After a failover the other release serves: fixes that the primary had may be missing, statements may be planned \
              in another way.",
        decides: "Low where the minor releases differ. Versions that were concluded from columns are not compared.",
        what_to_do: "Update the standbys first, then the primary.",
        ignore_when: "An update is under way.",
        references: "PostgreSQL manual, \"Log-Shipping Standby Servers\" (planning: minor releases may differ, update the standbys first).",
    },
    check,
};

fn stated(chain: &Chain) -> Option<PgVersion> {
    let meta = &chain.last().meta;
    meta.version.filter(|_| !meta.version_inferred)
}

fn check(ctx: &Context<'_>) -> Check {
    let peers = &ctx.facts.peers.all;
    if peers.is_empty() {
        return Err(Skip("one server only: give the dumps of its standbys together with it".to_owned()));
    }
    // Said once, by the primary where its dump is given.
    let primary = |p: &Peer<'_>| p.chain.last().meta.in_recovery == Some(false);
    if ctx.is_standby() == Some(true) && peers.iter().any(primary) {
        return Err(Skip("compared on the primary".to_owned()));
    }
    let ours = stated(ctx.chain).ok_or_else(|| Skip("the server's version is not stated in the dump".to_owned()))?;
    let others: Vec<(&Peer<'_>, PgVersion)> = peers.iter().filter_map(|p| Some((p, stated(p.chain)?))).collect();
    let looked_at = format!("PostgreSQL {ours}, {} other servers with a stated version", others.len());
    let different: Vec<_> = others.into_iter().filter(|(_, version)| *version != ours).collect();
    if different.is_empty() {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let mut title = Text::new()
        .t(format!("{} runs {ours}", if ctx.is_standby() == Some(false) { "The primary" } else { "This server" }));
    for (peer, version) in &different {
        title = title.t(", ").name(peer.name).t(format!(" {version}"));
    }
    let finding = ctx
        .finding(Severity::Low, Subject::new(SubjectKind::Server, "versions of the cluster"), title)
        .why("After a failover another release serves the same work.")
        .measure(ctx.computed(
            "Servers of another release",
            crate::advisor::whole(different.len() as f64, crate::unit::Unit::Count),
            format!("versions other than {ours}"),
            &ctx.meta_rows(&["server_version_num"]),
        ))
        .verify("The next dumps of all servers state the same version.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge_among, told};
    use crate::snapshot::literal::literal;

    fn server(version: u32, standby: bool) -> Vec<std::sync::Arc<crate::snapshot::Snapshot>> {
        let taken = literal("2026-11-22 12:00:00+00").meta(|m| {
            m.version = Some(PgVersion(version));
            m.in_recovery = Some(standby);
        });
        vec![taken.build()]
    }

    #[test]
    fn tells_releases_that_differ() {
        let of = |standby: u32| told(&judge_among(&RULE, &server(160_009, false), &[("b", server(standby, true))], ""));
        assert_eq!(of(160_004), ["low, high: versions of the cluster: The primary runs 16.9, b 16.4"]);
        assert_eq!(of(160_009), ["passed: PostgreSQL 16.9, 1 other servers with a stated version"]);
    }

    #[test]
    fn is_said_once_and_never_of_one_server() {
        assert!(told(&judge_among(&RULE, &server(160_009, false), &[], ""))[0].starts_with("skipped: one server only"));
        let standby = judge_among(&RULE, &server(160_009, true), &[("a", server(160_004, false))], "");
        assert_eq!(told(&standby), ["skipped: compared on the primary"]);
    }
}
