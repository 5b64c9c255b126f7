//! What stands around plans: psql's headers, rules and borders, the statement above, further plans below.

use super::headline::is_headline;

/// One plan of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The plan without what stands around it.
    pub plan: String,
    /// The statement that stands above it, `EXPLAIN` and its options left out.
    pub query: Option<String>,
    /// The line it begins in, from 1.
    pub line: u64,
}

/// The words above a plan.
const TITLE: &str = "QUERY PLAN";

/// Whether a text begins like EXPLAIN output, psql's framing and the statement above it included.
pub fn could_be(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let mut in_statement = false;
    while let Some(line) = lines.next() {
        let words = line.trim();
        if in_statement {
            in_statement = !words.ends_with(';');
            if title(line).is_some() || is_start(words, lines.clone().next()) {
                return true;
            }
            continue;
        }
        if title(line).is_some()
            || words.starts_with("Query Text:")
            || words == "- Plan:"
            || words.starts_with("<explain ")
        {
            return true;
        }
        if words.starts_with(['[', '{']) {
            let start: String = text.chars().take(65_536).collect();
            let after = start.find(words).and_then(|at| start.get(at..)).unwrap_or_default();
            return is_json_plan(after);
        }
        if is_start(words, lines.clone().next()) {
            return true;
        }
        match statement(line) {
            Some(sql) => in_statement = !sql.ends_with(';'),
            None if is_remark(words) => {}
            None => return false,
        }
    }
    false
}

/// Whether JSON begins like a plan: an object, perhaps in an array, whose first members are those of EXPLAIN.
fn is_json_plan(text: &str) -> bool {
    let packed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '+').take(40).collect();
    let first = packed.trim_start_matches('[').strip_prefix('{').unwrap_or_default();
    ["\"Plan\":{", "\"QueryText\":", "\"QueryIdentifier\":", "\"Settings\":{"].iter().any(|key| first.starts_with(key))
        && text.contains("\"Node Type\"")
}

/// Lines that stand between plans in what people save: comments, what psql says of other commands.
fn is_remark(words: &str) -> bool {
    words.starts_with("--")
        || words.starts_with("Timing is ")
        || words.starts_with("Time: ")
        || matches!(words, "SET" | "BEGIN" | "ROLLBACK" | "COMMIT" | "ANALYZE" | "VACUUM" | "EXPLAIN")
}

/// Whether a plan without framing begins here: a node with its estimates, or one with something below it.
fn is_start(words: &str, next: Option<&str>) -> bool {
    if words.starts_with("->") || !is_headline(words) {
        return false;
    }
    let below = next.is_some_and(|next| {
        let inside = next.starts_with(' ');
        inside && (next.trim_start().starts_with("->") || next.contains(": "))
    });
    words.contains("(cost=") || words.contains("(actual ") || words.contains("(never executed)") || below
}

/// How a title line is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Title {
    /// `QUERY PLAN`, or the same in quotes.
    Bare,
    /// With a border on both sides.
    Boxed,
    /// `QUERY PLAN | first line`: expanded output.
    Expanded,
}

fn title(line: &str) -> Option<Title> {
    let words = line.trim();
    if words.trim_matches('"') == TITLE || words.trim_end_matches('|') == TITLE {
        return Some(Title::Bare);
    }
    let inner = words.trim_matches(['|', '│', '║']);
    if inner.len() < words.len() && inner.trim() == TITLE {
        return Some(Title::Boxed);
    }
    let rest = words.strip_prefix(TITLE)?.trim_start();
    rest.starts_with(['|', '│']).then_some(Title::Expanded)
}

/// A line of dashes or of a border.
fn is_rule(line: &str) -> bool {
    let words = line.trim();
    words.chars().count() > 2
        && words.chars().all(|c| {
            matches!(
                c,
                '-' | '+'
                    | '─'
                    | '┼'
                    | '├'
                    | '┤'
                    | '┌'
                    | '┐'
                    | '└'
                    | '┘'
                    | '═'
                    | '╔'
                    | '╗'
                    | '╚'
                    | '╝'
                    | '╠'
                    | '╣'
                    | '╟'
                    | '╢'
            )
        })
}

/// `(12 rows)`, in brackets also in other languages.
fn is_count(line: &str) -> bool {
    let words = line.trim();
    words.strip_prefix('(').and_then(|w| w.strip_suffix(')')).is_some_and(|w| {
        let number = w.split(' ').next().unwrap_or_default();
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && w.split(' ').count() <= 3
    })
}

/// The statement of a line `shop=# explain ...`, with or without psql's prompt.
fn statement(line: &str) -> Option<String> {
    let words = line.trim();
    let typed = words
        .match_indices(['#', '>'])
        .find(|(at, _)| {
            words.get(..*at).is_some_and(|p| !p.contains(' ') && p.ends_with(['=', '-', '(', '*', '!', '^', '\'', '"']))
        })
        .and_then(|(at, _)| words.get(at + 1..))
        .map_or(words, str::trim_start);
    typed.get(..7).is_some_and(|w| w.eq_ignore_ascii_case("explain")).then(|| typed.to_owned())
}

/// A statement without `EXPLAIN` and its options.
fn explained(statement: &str) -> Option<String> {
    let mut rest = statement.get(7..)?.trim_start();
    if let Some((_, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
        rest = after.trim_start();
    }
    for word in ["analyze", "analyse", "verbose"] {
        if rest.get(..word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word)) {
            rest = rest.get(word.len()..).unwrap_or_default().trim_start();
        }
    }
    let query = rest.trim().trim_end_matches(';').trim_end();
    (!query.is_empty()).then(|| query.to_owned())
}

/// Finds the plans in a text.
pub fn split(text: &str) -> Vec<Piece> {
    let mut splitter = Splitter { lines: text.lines().collect(), at: 0, statement: None, pieces: Vec::new() };
    while splitter.at < splitter.lines.len() {
        splitter.next();
    }
    splitter.pieces
}

struct Splitter<'t> {
    lines: Vec<&'t str>,
    at: usize,
    /// The statement being collected.
    statement: Option<String>,
    pieces: Vec<Piece>,
}

impl<'t> Splitter<'t> {
    fn line(&self, at: usize) -> Option<&'t str> {
        self.lines.get(at).map(|line| line.trim_end_matches('\r'))
    }

    fn next(&mut self) {
        let Some(line) = self.line(self.at) else { return };
        let words = line.trim();
        if let Some(title) = title(line) {
            self.framed(title);
        } else if words.starts_with(['[', '{'])
            && is_json_plan(
                &self.lines.get(self.at..(self.at + 200).min(self.lines.len())).unwrap_or_default().join("\n"),
            )
        {
            self.json();
        } else if words.starts_with("Query Text:") || is_start(words, self.line(self.at + 1)) {
            self.bare();
        } else {
            if let Some(sql) = statement(line) {
                self.statement = Some(sql);
            } else if let Some(sql) =
                self.statement.as_mut().filter(|sql| !sql.trim_end().ends_with(';') && !words.is_empty())
            {
                // psql's prompt of a further line.
                let typed =
                    words.split_once("-# ").or_else(|| words.split_once("-> ")).filter(|(p, _)| !p.contains(' '));
                sql.push('\n');
                sql.push_str(typed.map_or(words, |(_, rest)| rest));
            }
            self.at += 1;
        }
    }

    fn add(&mut self, lines: &[String], from: usize) {
        let plan = lines.join("\n");
        let query = self.statement.take().and_then(|sql| explained(&sql));
        if !plan.trim().is_empty() {
            self.pieces.push(Piece { plan, query, line: from as u64 + 1 });
        }
    }

    /// JSON without framing, to the bracket that ends it.
    fn json(&mut self) {
        let from = self.at;
        let mut lines = Vec::new();
        let (mut depth, mut quoted, mut escaped) = (0_i64, false, false);
        while let Some(line) = self.line(self.at) {
            lines.push(line.to_owned());
            self.at += 1;
            for b in line.bytes() {
                match b {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => quoted = !quoted,
                    b'{' | b'[' if !quoted => depth += 1,
                    b'}' | b']' if !quoted => depth -= 1,
                    _ => {}
                }
            }
            if depth <= 0 {
                break;
            }
        }
        self.add(&lines, from);
    }

    /// Text without framing: to an empty line, or to where the next one begins.
    fn bare(&mut self) {
        let from = self.at;
        let mut lines: Vec<String> = Vec::new();
        let column = |line: &str| line.bytes().take_while(|b| *b == b' ').count();
        let mut in_query = self.line(from).is_some_and(|l| l.trim_start().starts_with("Query Text:"));
        let root = self.line(from).map_or(0, column);
        while let Some(line) = self.line(self.at) {
            let words = line.trim();
            let begins = words.contains("  (cost=") && column(line) <= root && is_headline(words);
            let is_other = title(line).is_some()
                || is_count(line)
                || statement(line).is_some()
                || words.starts_with("Query Text:");
            if self.at > from && !in_query && (words.is_empty() || begins || is_other) {
                break;
            }
            in_query &= !begins;
            lines.push(line.to_owned());
            self.at += 1;
        }
        self.add(&lines, from);
    }

    /// Below a title.
    fn framed(&mut self, title: Title) {
        if title == Title::Expanded {
            return self.expanded();
        }
        self.at += 1;
        let rule = self.line(self.at).filter(|line| is_rule(line));
        let Some(rule) = rule else { return self.unaligned() };
        let (width, from) = (rule.trim_end().chars().count(), self.at + 1);
        self.at += 1;
        let mut lines: Vec<String> = Vec::new();
        while let Some(line) = self.line(self.at) {
            if is_count(line) || is_rule(line) || line.trim().is_empty() || self::title(line).is_some() {
                break;
            }
            lines.push(inside(
                line,
                title,
                width,
                lines.first().is_some_and(|l| l.starts_with(['[', '{'])) || line.trim_start().starts_with(['[', '{']),
            ));
            self.at += 1;
        }
        if self.line(self.at).is_some_and(|line| is_count(line) || is_rule(line)) {
            self.at += 1;
        }
        self.add(&lines, from);
    }

    /// `psql --csv`, pgAdmin and unaligned output: cells to the end, or to an empty line.
    fn unaligned(&mut self) {
        let from = self.at;
        let mut lines: Vec<String> = Vec::new();
        while let Some(line) = self.line(self.at) {
            if is_count(line) || line.trim().is_empty() || title(line).is_some() || statement(line).is_some() {
                break;
            }
            self.at += 1;
            let Some(mut cell) = line.strip_prefix('"').map(str::to_owned) else {
                lines.push(line.trim_end_matches('|').to_owned());
                continue;
            };
            // Quoted: to the quote that ends it, which may be lines away.
            while cell.matches('"').count().is_multiple_of(2) {
                let Some(more) = self.line(self.at) else { break };
                cell.push('\n');
                cell.push_str(more);
                self.at += 1;
            }
            lines.push(cell.strip_suffix('"').unwrap_or(&cell).replace("\"\"", "\""));
        }
        self.add(&lines, from);
    }

    /// `\x`: each line a record of its own.
    fn expanded(&mut self) {
        let from = self.at;
        let mut lines: Vec<String> = Vec::new();
        let is_record = |line: &str| line.contains("[ RECORD ") || line.starts_with("* Record ");
        while let Some(line) = self.line(self.at) {
            let value = line.split_once(['|', '│']).map(|(name, value)| (name.trim(), value));
            match value {
                Some((name, value)) if name == TITLE || name.is_empty() => {
                    let value = value.strip_prefix(' ').unwrap_or(value).trim_end();
                    lines.push(value.strip_suffix('+').unwrap_or(value).trim_end().to_owned());
                }
                _ if is_record(line) && !line.contains("RECORD 1 ") => {}
                _ => break,
            }
            self.at += 1;
        }
        self.at = self.at.max(from + 1);
        self.add(&lines, from);
    }
}

/// A cell of aligned output: without borders, padding and the mark of a value that goes on in the next line.
fn inside(line: &str, title: Title, width: usize, is_json: bool) -> String {
    let mut text = line;
    if title == Title::Boxed {
        let bare = text.trim();
        text = bare.strip_prefix(['|', '│', '║']).unwrap_or(bare);
        text = text.strip_suffix(['|', '│', '║']).unwrap_or(text);
    }
    text = text.strip_prefix(' ').unwrap_or(text);
    let is_marked = is_json || title == Title::Boxed || line.trim_end().chars().count() == width;
    let trimmed = text.trim_end();
    let goes_on = trimmed.strip_suffix(['+', '↵']).filter(|_| is_marked);
    goes_on.unwrap_or(trimmed).trim_end().to_owned()
}
