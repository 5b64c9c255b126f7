//! Commands that pg_stat_statements saw: with `track_utility` DDL, VACUUM and the reset functions are entries.
//!
//! A text says that a command was run, not that it was committed, nor when. So it adds evidence to events, names
//! those whose traces are ambiguous, and never decides a class.

use super::super::{Class, Exact};
use super::{Event, Window, event};
use crate::ident::visible;

/// A command as far as events need it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Command {
    verb: Verb,
    /// Objects as written: parts of a qualified name, unquoted, folded where PostgreSQL folds.
    objects: Vec<Vec<String>>,
    text: String,
    calls: i128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    AlterSystem,
    Cluster,
    CreateIndex,
    CreateTable,
    DropIndex,
    DropTable,
    Reindex,
    RenameTable,
    Reset,
    ResetObject,
    ResetShared,
    ResetStatements,
    Truncate,
    Vacuum,
    VacuumFull,
}

impl Verb {
    /// The kinds of events it explains.
    const fn explains(self) -> &'static [&'static str] {
        match self {
            Self::AlterSystem => &["settings_changed"],
            Self::Cluster | Self::Truncate | Self::VacuumFull => &["rewritten"],
            Self::CreateIndex => &["index_created"],
            Self::CreateTable => &["table_created", "recreated", "partition_added"],
            Self::DropIndex => &["index_dropped"],
            Self::DropTable => &["table_dropped", "recreated", "partition_removed"],
            Self::Reindex => &["reindexed", "rewritten"],
            Self::RenameTable => &["renamed"],
            Self::Reset => &["stats_reset_database"],
            Self::ResetObject => &["stats_reset_object"],
            Self::ResetShared => &["stats_reset_shared"],
            Self::ResetStatements => &["stats_reset_statements", "stats_reset_statement", "stats_reset_minmax"],
            Self::Vacuum => &["vacuumed"],
        }
    }

    /// The event it is, where nothing else tells it apart.
    const fn event(self) -> Option<&'static str> {
        match self {
            Self::AlterSystem => Some("settings_changed"),
            Self::Cluster => Some("clustered"),
            Self::Truncate => Some("truncated"),
            Self::VacuumFull => Some("vacuum_full"),
            _ => None,
        }
    }
}

/// Adds what was run to the events, and the events that only the texts tell.
pub(super) fn name(window: &Window<'_>, events: &mut Vec<Event>) {
    let commands = commands(window);
    for command in &commands {
        let ran = format!("run {}: {}", times(command.calls), visible(&command.text));
        for event in events.iter_mut().filter(|e| command.verb.explains().contains(&e.kind.as_str())) {
            if command.objects.is_empty() || command.objects.iter().any(|o| is_object(event, o, command.verb)) {
                event.evidence.push(ran.clone());
            }
        }
        if let Some(kind) = command.verb.event() {
            for object in &command.objects {
                add(window, events, command.verb, kind, object, &ran);
            }
        }
    }
    for command in commands.iter().filter(|c| c.verb == Verb::CreateIndex) {
        brief_index(window, events, &commands, command);
    }
}

/// A command's own event: what was only seen as a rewrite gets its name.
fn add(window: &Window<'_>, events: &mut Vec<Event>, verb: Verb, kind: &str, object: &[String], ran: &str) {
    if let Some(known) = events.iter_mut().find(|e| e.kind == "rewritten" && is_object(e, object, verb)) {
        kind.clone_into(&mut known.kind);
        return;
    }
    if verb == Verb::AlterSystem && events.iter().any(|e| e.kind == "settings_changed" && is_object(e, object, verb)) {
        return;
    }
    let scope = if verb == Verb::AlterSystem { Some("cluster".to_owned()) } else { window.database() };
    events.push(event(kind, scope, Some(shown(object)), ran.to_owned()).likely());
}

/// An index created and dropped between two snapshots is in neither of them.
fn brief_index(window: &Window<'_>, events: &mut Vec<Event>, commands: &[Command], create: &Command) {
    let Some(object) = create.objects.first() else { return };
    let dropped = commands.iter().find(|c| c.verb == Verb::DropIndex && c.objects.iter().any(|o| same_name(o, object)));
    let seen = ["pg_stat_user_indexes", "index_definitions"].iter().any(|view| {
        [window.before, window.after]
            .iter()
            .filter_map(|s| s.table(view))
            .any(|t| t.iter().any(|r| r.text("indexrelname").is_some_and(|n| object.last().is_some_and(|o| o == n))))
    });
    let exported = window.view("pg_stat_user_indexes").is_some() || window.view("index_definitions").is_some();
    if let Some(drop) = dropped.filter(|_| exported && !seen) {
        let ran = |c: &Command| format!("run {}: {}", times(c.calls), visible(&c.text));
        let mut found =
            event("index_created_and_dropped", window.database(), Some(shown(object)), ran(create)).likely();
        found.evidence.push(ran(drop));
        events.push(found);
    }
}

fn times(n: i128) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

fn shown(object: &[String]) -> String {
    object.iter().map(|p| visible(p)).collect::<Vec<_>>().join(".")
}

/// Whether a written name can be an event's object: equal, or equal without the schema.
fn is_object(event: &Event, object: &[String], verb: Verb) -> bool {
    let Some(name) = &event.object else { return verb.event().is_none() };
    let written = shown(object);
    let first = event.evidence.first();
    let old = first.and_then(|e| e.strip_prefix("was ")).and_then(|e| e.split("; ").next());
    // REINDEX TABLE names the table.
    let table = first.and_then(|e| e.split_once(", that of ")?.1.strip_suffix(" did not"));
    [Some(name.as_str()), old, table]
        .into_iter()
        .flatten()
        .any(|name| name == written || name.split_once('.').is_some_and(|(_, bare)| bare == written))
}

fn same_name(a: &[String], b: &[String]) -> bool {
    a.last() == b.last()
}

/// Commands of the exported database whose calls rose.
fn commands(window: &Window<'_>) -> Vec<Command> {
    let Some(view) = window.view("pg_stat_statements") else { return Vec::new() };
    let own = window.after.meta.database_oid;
    let mut out: Vec<Command> = view
        .iter()
        .filter(|r| r.class() != Class::Gone)
        .filter_map(|row| {
            let after = row.after()?;
            let text = after.text("query")?;
            let (verb, objects) = parse(text)?;
            let elsewhere = own.zip(after.int("dbid")).is_some_and(|(own, dbid)| own != dbid);
            if elsewhere && !matches!(verb, Verb::AlterSystem | Verb::ResetShared | Verb::ResetStatements) {
                return None;
            }
            match row.delta_of("calls")? {
                Exact::Int(calls) if calls > 0 => {
                    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    Some(Command { verb, objects, text: text.chars().take(200).collect(), calls })
                }
                _ => None,
            }
        })
        .collect();
    out.sort_by(|a, b| a.text.cmp(&b.text).then(a.calls.cmp(&b.calls)));
    out
}

/// Recognises a command by its first words.
fn parse(text: &str) -> Option<(Verb, Vec<Vec<String>>)> {
    let words = words(text);
    let word = |i: usize| words.get(i).map(|w| if w.quoted { "" } else { w.text.as_str() });
    let is = |expected: &[&str]| expected.iter().enumerate().all(|(i, e)| word(i) == Some(*e));
    let found = |verb, from: usize| Some((verb, names(&words, from)));
    match word(0)? {
        "truncate" => found(Verb::Truncate, skip(&words, 1, &["table", "only"])),
        "vacuum" => {
            let full = words.iter().take_while(|w| w.text != ")").any(|w| !w.quoted && w.text == "full");
            let from = if word(1) == Some("(") {
                words.iter().position(|w| w.text == ")").map_or(words.len(), |i| i + 1)
            } else {
                skip(&words, 1, &["full", "freeze", "verbose", "analyze"])
            };
            found(if full { Verb::VacuumFull } else { Verb::Vacuum }, from)
        }
        "cluster" => found(Verb::Cluster, skip(&words, 1, &["verbose"])),
        "reindex" => {
            let from = if word(1) == Some("(") {
                words.iter().position(|w| w.text == ")").map_or(words.len(), |i| i + 1)
            } else {
                1
            };
            found(Verb::Reindex, skip(&words, from, &["table", "index", "concurrently"]))
        }
        "alter" if is(&["alter", "system", "set"]) => Some((Verb::AlterSystem, setting(&words, 3))),
        "alter" if is(&["alter", "system", "reset"]) => Some((Verb::AlterSystem, setting(&words, 3))),
        "alter"
            if matches!(word(1), Some("table" | "index")) && words.iter().any(|w| !w.quoted && w.text == "rename") =>
        {
            found(Verb::RenameTable, skip(&words, 2, &["if", "exists", "only"]))
        }
        "create" if matches!(word(1), Some("index" | "unique")) => {
            let from = skip(&words, 1, &["unique", "index", "concurrently", "if", "not", "exists"]);
            found(Verb::CreateIndex, from)
        }
        "create" if word(1) == Some("table") || is(&["create", "unlogged", "table"]) => {
            found(Verb::CreateTable, skip(&words, 1, &["unlogged", "table", "if", "not", "exists"]))
        }
        "drop" if word(1) == Some("index") => {
            found(Verb::DropIndex, skip(&words, 2, &["concurrently", "if", "exists"]))
        }
        "drop" if word(1) == Some("table") => found(Verb::DropTable, skip(&words, 2, &["if", "exists"])),
        "select" => words
            .iter()
            .skip(1)
            .find_map(|w| match w.text.as_str() {
                "pg_stat_reset" => Some(Verb::Reset),
                "pg_stat_reset_single_table_counters" | "pg_stat_reset_single_function_counters" => {
                    Some(Verb::ResetObject)
                }
                "pg_stat_reset_shared" | "pg_stat_reset_slru" => Some(Verb::ResetShared),
                "pg_stat_statements_reset" => Some(Verb::ResetStatements),
                _ => None,
            })
            .map(|verb| (verb, Vec::new())),
        _ => None,
    }
}

/// A word, a quoted identifier or a single punctuation mark.
struct Word {
    text: String,
    quoted: bool,
}

/// The first words of a statement, comments left out. Enough for the start of any command of interest.
fn words(text: &str) -> Vec<Word> {
    const ENOUGH: usize = 64;
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && out.len() < ENOUGH {
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |i| i + 2)
        } else if let Some(body) = rest.strip_prefix('"') {
            let (name, length) = quoted(body);
            out.push(Word { text: name, quoted: true });
            length + 1
        } else {
            let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            let length = if word == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { word };
            out.push(Word { text: rest.get(..length).unwrap_or_default().to_lowercase(), quoted: false });
            length
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    out
}

/// A quoted identifier's name and its length with the closing quote.
fn quoted(body: &str) -> (String, usize) {
    let mut name = String::new();
    let mut chars = body.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if c == '"' {
            if chars.peek().is_some_and(|(_, next)| *next == '"') {
                chars.next();
            } else {
                return (name, i + 1);
            }
        }
        name.push(c);
    }
    (name, body.len())
}

/// The position after optional keywords.
fn skip(words: &[Word], mut from: usize, keywords: &[&str]) -> usize {
    while words.get(from).is_some_and(|w| !w.quoted && keywords.contains(&w.text.as_str())) {
        from += 1;
    }
    from
}

/// A list of qualified names.
fn names(words: &[Word], mut from: usize) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let is_name = |w: &Word| w.quoted || w.text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mark = |at: usize, text: &str| words.get(at).is_some_and(|w| !w.quoted && w.text == text);
    while let Some(first) = words.get(from).filter(|w| is_name(w)) {
        let mut parts = vec![first.text.clone()];
        from += 1;
        while mark(from, ".") {
            let Some(next) = words.get(from + 1).filter(|w| is_name(w)) else { break };
            parts.push(next.text.clone());
            from += 2;
        }
        out.push(parts);
        if !mark(from, ",") {
            break;
        }
        from += 1;
    }
    out
}

/// The name of a setting, in one part.
fn setting(words: &[Word], from: usize) -> Vec<Vec<String>> {
    names(words, from).into_iter().take(1).map(|parts| vec![parts.join(".")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_commands() {
        for (text, want) in [
            ("truncate outbox", Some((Verb::Truncate, "outbox"))),
            ("TRUNCATE TABLE ONLY public.\"Out Box\", b CASCADE", Some((Verb::Truncate, "public.Out Box, b"))),
            ("/* job */ vacuum full cart_sessions", Some((Verb::VacuumFull, "cart_sessions"))),
            ("VACUUM (FULL, ANALYZE) a, s.b", Some((Verb::VacuumFull, "a, s.b"))),
            ("vacuum (analyze) orders", Some((Verb::Vacuum, "orders"))),
            ("vacuum", Some((Verb::Vacuum, ""))),
            ("create unique index concurrently if not exists i on t (a)", Some((Verb::CreateIndex, "i"))),
            ("drop index if exists \"a\"\"b\"", Some((Verb::DropIndex, "a\"b"))),
            ("alter system set random_page_cost = 1.1", Some((Verb::AlterSystem, "random_page_cost"))),
            ("alter system reset all", Some((Verb::AlterSystem, "all"))),
            ("alter table promo_codes rename to promo_codes_v2", Some((Verb::RenameTable, "promo_codes"))),
            ("select pg_stat_reset_shared($1)", Some((Verb::ResetShared, ""))),
            ("select pg_catalog.pg_stat_reset()", Some((Verb::Reset, ""))),
            ("create temp table x as select 1", None),
            ("select truncate from t", None),
            ("", None),
        ] {
            let got = parse(text)
                .map(|(verb, objects)| (verb, objects.iter().map(|o| shown(o)).collect::<Vec<_>>().join(", ")));
            assert_eq!(got, want.map(|(verb, objects)| (verb, objects.to_owned())), "{text}");
        }
    }
}
