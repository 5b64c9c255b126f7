//! The statements in a body of PL/pgSQL, found as its own parser finds them: by the words that begin and end them.

use super::scan::Scanned;
use super::{Form, MAX_PIECES, Piece, Routine};
use crate::advisor::sql::tokens::Token;

/// Words that begin a query where a name or a number may stand too.
const QUERIES: [&str; 8] = ["select", "with", "values", "table", "insert", "update", "delete", "merge"];

/// Takes a body apart.
pub(super) fn read(scanned: &Scanned<'_>) -> Routine {
    let mut walk = Walk { s: scanned, end: scanned.tokens.len(), at: 0, out: Routine::default() };
    while walk.at < walk.end && walk.out.pieces.len() < MAX_PIECES {
        let before = walk.at;
        walk.step();
        walk.at = walk.at.max(before + 1);
    }
    walk.out
}

struct Walk<'s, 't> {
    s: &'s Scanned<'t>,
    end: usize,
    at: usize,
    out: Routine,
}

impl Walk<'_, '_> {
    fn word(&self, at: usize) -> String {
        self.s.word(at)
    }

    /// The first of these words from `from` on, outside of parentheses.
    fn until(&self, from: usize, words: &[&str]) -> usize {
        self.s.until(from, self.end, words)
    }

    fn semicolon(&self, from: usize) -> usize {
        self.until(from, &[";"])
    }

    fn add(&mut self, from: usize, to: usize, form: Form) {
        self.out.pieces.extend(self.s.piece(from, to, form));
    }

    /// Expressions between commas.
    fn expressions(&mut self, from: usize, to: usize) {
        let mut from = from;
        while from < to {
            let comma = self.s.until(from, to, &[","]);
            self.add(from, comma, Form::Expression);
            from = comma + 1;
        }
    }

    /// Goes on behind a place.
    const fn behind(&mut self, at: usize) {
        self.at = at + 1;
    }

    /// One statement, or the beginning of a block.
    fn step(&mut self) {
        let at = self.at;
        match self.word(at).as_str() {
            // <<label>>
            "<" => {
                let close = self.until(at, &[">"]);
                self.at = close + 1 + usize::from(self.word(close + 1) == ">");
            }
            // #variable_conflict use_column
            "#" => {
                let line = self.s.tokens.get(at).map_or(0, |t| t.line);
                self.at =
                    (at..self.end).find(|i| self.s.tokens.get(*i).is_some_and(|t| t.line != line)).unwrap_or(self.end);
            }
            "declare" => self.declarations(),
            "begin" | "loop" | "else" | "then" | "exception" | ";" => self.behind(at),
            "if" | "elsif" | "elseif" | "when" => self.expression_until("then"),
            "while" => self.expression_until("loop"),
            "case" if self.word(at + 1) == "when" => self.behind(at),
            "case" => {
                let when = self.until(at + 1, &["when"]);
                self.add(at + 1, when, Form::Expression);
                self.at = when;
            }
            "for" => self.for_loop(),
            "foreach" => {
                let to = self.until(at, &["loop"]);
                let array = self.until(at, &["array"]);
                self.add(array + 1, to, Form::Expression);
                self.behind(to);
            }
            "exit" | "continue" => {
                let to = self.semicolon(at);
                let when = self.s.until(at, to, &["when"]);
                self.add(when + 1, to, Form::Expression);
                self.behind(to);
            }
            "return" => self.returns(),
            "raise" | "assert" => {
                let to = self.semicolon(at);
                self.expressions(at + 1, to);
                self.behind(to);
            }
            "execute" => self.dynamic(at, ";"),
            "perform" => {
                let to = self.semicolon(at);
                if let Some(line) = self.s.tokens.get(at).map(|t| t.line) {
                    let sql = format!("SELECT {}", self.s.between(at + 1, to));
                    self.out.pieces.push(Piece { line, sql, form: Form::Statement });
                }
                self.behind(to);
            }
            "open" => self.open(),
            "end" | "null" | "fetch" | "move" | "close" | "get" | "commit" | "rollback" => {
                let to = self.semicolon(at);
                self.behind(to);
            }
            _ => self.statement(),
        }
    }

    fn expression_until(&mut self, word: &str) {
        let to = self.until(self.at + 1, &[word]);
        self.add(self.at + 1, to, Form::Expression);
        self.behind(to);
    }

    /// An assignment, or a statement of SQL.
    fn statement(&mut self) {
        let at = self.at;
        let to = self.semicolon(at);
        let sign = self.s.target(at, to);
        let value = match self.word(sign).as_str() {
            ":" if self.word(sign + 1) == "=" => Some(sign + 2),
            "=" => Some(sign + 1),
            _ => None,
        };
        match value {
            Some(value) if self.s.has_query(value, to) => self.add(at, to, Form::Assignment),
            None if matches!(self.s.tokens.get(at).map(|t| t.token), Some(Token::Word(_))) => {
                self.add(at, to, Form::Statement);
            }
            _ => {}
        }
        self.behind(to);
    }

    /// From `DECLARE` to `BEGIN`.
    fn declarations(&mut self) {
        let mut at = self.at + 1;
        while at < self.end && self.word(at) != "begin" {
            let to = self.semicolon(at);
            if let Some(Token::Word(name)) = self.s.tokens.get(at).map(|t| t.token) {
                self.out.variables.insert(name.to_lowercase());
            }
            let is_cursor = (at + 1..(at + 4).min(to)).any(|i| self.word(i) == "cursor");
            if is_cursor {
                let query = self.s.until(at, to, &["for", "is"]);
                self.add(query + 1, to, Form::Statement);
            } else {
                let value = self.s.until(at, to, &["=", "default"]);
                self.add(value + 1, to, Form::Expression);
            }
            at = to + 1;
        }
        self.at = at;
    }

    /// `FOR name IN what LOOP`.
    fn for_loop(&mut self) {
        let at = self.at;
        let to = self.until(at, &["loop"]);
        let mut what = self.s.until(at, to, &["in"]) + 1;
        if self.word(what) == "reverse" {
            what += 1;
        }
        let first = self.word(what);
        if first == "execute" {
            return self.dynamic(what, "loop");
        }
        let is_query = QUERIES.contains(&first.as_str()) || (first == "(" && self.s.has_query(what, what + 2));
        if is_query && !self.s.between(what, to).contains("..") {
            self.add(what, to, Form::Statement);
        } else {
            // A range, or a cursor that was declared.
            self.add(what, to, Form::Expression);
        }
        self.behind(to);
    }

    fn returns(&mut self) {
        let at = self.at;
        let to = self.semicolon(at);
        match (self.word(at + 1).as_str(), self.word(at + 2).as_str()) {
            ("query", "execute") => return self.dynamic(at + 2, ";"),
            ("query", _) => self.add(at + 2, to, Form::Statement),
            ("next", _) => self.add(at + 2, to, Form::Expression),
            _ => self.add(at + 1, to, Form::Expression),
        }
        self.behind(to);
    }

    fn open(&mut self) {
        let to = self.semicolon(self.at);
        let query = self.s.until(self.at, to, &["for"]) + 1;
        if self.word(query) == "execute" {
            return self.dynamic(query, ";");
        }
        self.add(query, to, Form::Statement);
        self.behind(to);
    }

    /// `EXECUTE` at a place: a constant is a statement, everything else is known only when it runs.
    fn dynamic(&mut self, at: usize, stop: &str) {
        let to = self.until(at, &[stop]);
        let what = self.s.until(at + 1, to, &["into", "using"]);
        let token = self.s.tokens.get(at + 1).filter(|_| what == at + 2);
        let line = self.s.tokens.get(at).map_or(0, |t| t.line);
        match token.and_then(|t| constant(t.token)) {
            Some(sql) => self.out.pieces.push(Piece { line, sql, form: Form::Statement }),
            None => self.out.dynamic.push(line),
        }
        self.behind(to);
    }
}

/// The text of a quoted constant without escapes.
fn constant(token: Token<'_>) -> Option<String> {
    let Token::Other(quoted) = token else { return None };
    if let Some(inside) = quoted.strip_prefix('\'') {
        return Some(inside.strip_suffix('\'')?.replace("''", "'"));
    }
    let tag = quoted.strip_prefix('$')?.find('$')? + 2;
    quoted.get(tag..quoted.len().checked_sub(tag)?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::sql::routine::routine;
    use proptest::prelude::*;

    fn read(body: &str) -> Routine {
        routine("plpgsql", body).unwrap().unwrap()
    }

    fn pieces(body: &str) -> Vec<(usize, String)> {
        let tidy = |sql: &str| sql.split_whitespace().collect::<Vec<_>>().join(" ");
        read(body).pieces.iter().map(|p| (p.line, tidy(&p.sql))).collect()
    }

    /// What PostgreSQL 15 recorded of this body was read from its pg_stat_statements.
    #[test]
    fn finds_what_the_server_records() {
        let body = r"
declare
  v int := 3;
  n int := (select count(*) from u where id = 5);
  r record;
  c cursor (x int) for select * from t where id = x;
begin
  select count(*), max(id) into strict v, n from t where k = p_k and s like 'a%';
  v := v + 1;
  v := (select max(k) from t where s = 's7');
  v = (select min(k) from t where s = 's8');
  if exists (select 1 from u where id = p_k) then perform f_sql(1, 'a'); end if;
  if v > 100000 then raise notice 'x %', v; elsif (select count(*) from u) > 3 then null; end if;
  for r in select * from t where id between 1 and 3 order by id loop
    update t set k = k where id = r.id;
    insert into u values (r.id, 'note') returning id into n;
  end loop;
  for i in 1..2 loop perform 1 from u where id = i; end loop;
  for r in execute 'select * from u where id = 3' loop null; end loop;
  execute format('select count(*) from %I', 'u') into n;
  execute 'select 17' into n;
  open c(4); fetch c into r; close c;
  delete from u where id = any (array[1,2,3]);
  case when p_k = 1 then null; else null; end case;
  with w as (select 1 as a) select a into n from w;
  return (select count(*) from u where note = 'z');
end ";
        let want = [
            (4, "(select count(*) from u where id = 5)"),
            (6, "select * from t where id = x"),
            (8, "select count(*), max(id) from t where k = p_k and s like 'a%'"),
            (10, "v := (select max(k) from t where s = 's7')"),
            (11, "v = (select min(k) from t where s = 's8')"),
            (12, "exists (select 1 from u where id = p_k)"),
            (12, "SELECT f_sql(1, 'a')"),
            (13, "(select count(*) from u) > 3"),
            (14, "select * from t where id between 1 and 3 order by id"),
            (15, "update t set k = k where id = r.id"),
            (16, "insert into u values (r.id, 'note') returning id"),
            (18, "SELECT 1 from u where id = i"),
            (19, "select * from u where id = 3"),
            (21, "select 17"),
            (23, "delete from u where id = any (array[1,2,3])"),
            (25, "with w as (select 1 as a) select a from w"),
            (26, "(select count(*) from u where note = 'z')"),
        ];
        assert_eq!(pieces(body), want.map(|(line, sql)| (line, sql.to_owned())));
        let all = read(body);
        assert_eq!(all.dynamic, [20]);
        assert_eq!(all.variables.iter().map(String::as_str).collect::<Vec<_>>(), ["c", "n", "r", "v"]);
    }

    #[test]
    fn reads_the_rest_of_the_language() {
        for (body, want) in [
            ("begin return query select a from t; end", "select a from t"),
            ("begin return query execute q using 1; end", ""),
            ("begin return next (select 5); end", "(select 5)"),
            (
                "<<outer>> begin <<l>> while exists (select 1 from t) loop exit l when (select b from t); end loop l; end",
                "exists (select 1 from t)|(select b from t)",
            ),
            ("#variable_conflict use_column\nbegin truncate t; end", "truncate t"),
            (
                "begin a[1] := (select 1); r.f := 2; t.u[3].v = (select 4); end",
                "a[1] := (select 1)|t.u[3].v = (select 4)",
            ),
            (
                "begin foreach x in array (select array_agg(a) from t) loop null; end loop; end",
                "(select array_agg(a) from t)",
            ),
            (
                "begin case (select a from t) when 1 then delete from t; else insert into t select 2; end case; end",
                "(select a from t)|delete from t|insert into t select 2",
            ),
            (
                "begin open c for select a from t; open d no scroll for execute 'select b'; open e; end",
                "select a from t|select b",
            ),
            (
                "begin begin lock table t; exception when unique_violation then call p(1); end; end",
                "lock table t|call p(1)",
            ),
            (
                "begin raise notice '%', (select 1) using detail = 'x'; assert (select true), 'no'; end",
                "(select 1) using detail = 'x'|(select true)",
            ),
            (
                "begin for a in reverse 5..(select 1) by 1 loop end loop; for r in c loop end loop; end",
                "5..(select 1) by 1",
            ),
            (
                "declare c no scroll cursor is select 1; x t%rowtype; y int default (select 2); begin end",
                "select 1|(select 2)",
            ),
            (
                "begin insert into t select a, b from u returning c into x, y; merge into t using u on true when matched then delete; end",
                "insert into t select a, b from u returning c|merge into t using u on true when matched then delete",
            ),
            ("begin for r in (select 1) loop execute $q$select ''$q$; end loop; end", "(select 1)|select ''"),
            ("begin select a into r.x, s[1] from t; end", "select a from t"),
        ] {
            let got = pieces(body).into_iter().map(|(_, sql)| sql).collect::<Vec<_>>().join("|");
            assert_eq!(got, want, "{body}");
        }
    }

    #[test]
    fn assignments_have_two_spellings() {
        let all = read("begin v := (select a from t where b = 1); end");
        assert_eq!(
            all.pieces[0].texts(),
            ["v := (select a from t where b = 1)", "SELECT  (select a from t where b = 1)"]
        );
    }

    proptest! {
        #[test]
        fn no_body_breaks_it(words in proptest::collection::vec("declare|begin|end|if|then|else|elsif|loop|for|in|while|case|when|return|query|next|execute|perform|open|cursor|into|strict|select|from|insert|:=|=|;|,|\\(|\\)|\\[|\\]|<<|>>|#|'x'|\\$q\\$|a|b|\\.|1\\.\\.2|raise|exit|foreach|array|using|is", 0..40)) {
            let _ = routine("plpgsql", &words.join(" "));
            let _ = routine("sql", &words.join(" "));
            let _ = crate::advisor::sql::routine::atomic(&words.join(" "));
        }
    }
}
