//! Whole JSON values: left out, kept as text, or arrays in PostgreSQL's spelling.

use super::lexer::{LONGEST, Lexer, Next, Result};
use std::io::Read;

/// How deep arrays and objects may nest.
const DEEPEST: u32 = 64;

impl<R: Read> Lexer<R> {
    /// Reads any value and forgets it.
    pub fn skip(&mut self) -> Result<()> {
        let mut scratch = String::new();
        self.skip_at(0, &mut scratch)
    }

    fn skip_at(&mut self, depth: u32, scratch: &mut String) -> Result<()> {
        if depth > DEEPEST {
            return Err(self.broken("values nested more than 64 deep"));
        }
        scratch.clear();
        match self.next()? {
            Next::Object => {
                self.punctuation(b'{')?;
                let mut first = true;
                while self.member(&mut first, b'}')? {
                    self.key(scratch)?;
                    self.skip_at(depth + 1, scratch)?;
                }
                Ok(())
            }
            Next::Array => {
                self.punctuation(b'[')?;
                let mut first = true;
                while self.member(&mut first, b']')? {
                    self.skip_at(depth + 1, scratch)?;
                }
                Ok(())
            }
            Next::Text => self.text(scratch),
            Next::Word => self.word(scratch),
            Next::End => Err(self.broken("the file ends too early")),
        }
    }

    /// Reads an array and appends it in PostgreSQL's text form, `{a,"b c",NULL}`.
    pub fn array_text(&mut self, out: &mut String) -> Result<()> {
        self.array_at(0, out)
    }

    fn array_at(&mut self, depth: u32, out: &mut String) -> Result<()> {
        if depth > DEEPEST {
            return Err(self.broken("values nested more than 64 deep"));
        }
        self.punctuation(b'[')?;
        self.array_rest(depth, out)
    }

    /// The same behind the opening bracket.
    pub fn array_rest(&mut self, depth: u32, out: &mut String) -> Result<()> {
        out.push('{');
        let mut first = true;
        let mut element = String::new();
        let mut any = false;
        while self.member(&mut first, b']')? {
            if any {
                out.push(',');
            }
            any = true;
            if out.len() > LONGEST {
                return Err(self.broken("an array longer than 64 MiB"));
            }
            element.clear();
            match self.next()? {
                Next::Array => self.array_at(depth + 1, out)?,
                Next::Object => {
                    self.raw(depth + 1, &mut element)?;
                    push_element(&element, out);
                }
                Next::Text => {
                    self.text(&mut element)?;
                    push_element(&element, out);
                }
                _ => {
                    self.word(&mut element)?;
                    match element.as_str() {
                        "null" => out.push_str("NULL"),
                        "true" => out.push('t'),
                        "false" => out.push('f'),
                        number => out.push_str(number),
                    }
                }
            }
        }
        out.push('}');
        Ok(())
    }

    /// Reads any value and appends it as JSON without white space.
    pub fn raw(&mut self, depth: u32, out: &mut String) -> Result<()> {
        if depth > DEEPEST || out.len() > LONGEST {
            return Err(self.broken("a value too deep or too long"));
        }
        let mut scratch = String::new();
        match self.next()? {
            Next::Object => {
                self.punctuation(b'{')?;
                out.push('{');
                let mut first = true;
                let mut any = false;
                while self.member(&mut first, b'}')? {
                    if any {
                        out.push(',');
                    }
                    any = true;
                    self.key(&mut scratch)?;
                    push_json_text(&scratch, out);
                    out.push(':');
                    self.raw(depth + 1, out)?;
                }
                out.push('}');
            }
            Next::Array => {
                self.punctuation(b'[')?;
                out.push('[');
                let mut first = true;
                let mut any = false;
                while self.member(&mut first, b']')? {
                    if any {
                        out.push(',');
                    }
                    any = true;
                    self.raw(depth + 1, out)?;
                }
                out.push(']');
            }
            Next::Text => {
                self.text(&mut scratch)?;
                push_json_text(&scratch, out);
            }
            Next::Word => {
                self.word(&mut scratch)?;
                out.push_str(&scratch);
            }
            Next::End => return Err(self.broken("the file ends too early")),
        }
        Ok(())
    }
}

/// An element of an array in PostgreSQL's text form, quoted where PostgreSQL quotes it.
fn push_element(element: &str, out: &mut String) {
    let quote = element.is_empty()
        || element.eq_ignore_ascii_case("null")
        || element
            .chars()
            .any(|c| matches!(c, '{' | '}' | ',' | '"' | '\\') || c.is_ascii_whitespace() || c == '\u{b}');
    if !quote {
        out.push_str(element);
        return;
    }
    out.push('"');
    for c in element.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

fn push_json_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writes_arrays_as_postgres_does() {
        for (json, want) in [
            (r#"["a","b c",null,"NULL",""]"#, r#"{a,"b c",NULL,"NULL",""}"#),
            (r#"["q\"x","back\\slash","{}","a,b"]"#, r#"{"q\"x","back\\slash","{}","a,b"}"#),
            ("[0.33606666, 1e+06, true]", "{0.33606666,1e+06,t}"),
            ("[[1,2],[3,4]]", "{{1,2},{3,4}}"),
            ("[]", "{}"),
        ] {
            let mut out = String::new();
            Lexer::new(json.as_bytes()).array_text(&mut out).unwrap();
            assert_eq!(out, want, "{json}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        let text = "[".repeat(100_000);
        assert!(Lexer::new(text.as_bytes()).skip().is_err());
        assert!(Lexer::new(text.as_bytes()).array_text(&mut String::new()).is_err());
        assert!(Lexer::new(text.as_bytes()).raw(0, &mut String::new()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut lexer = Lexer::new(bytes.as_slice());
            for _ in 0..300 {
                if lexer.skip().is_err() && !lexer.next_line() { break; }
            }
        }
    }
}
