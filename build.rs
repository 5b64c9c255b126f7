//! Writes the words of the program's own sentences, for redaction: what is not among them may be somebody's name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    let (mut words, mut phrases) = (BTreeSet::new(), BTreeSet::new());
    let files = sources(Path::new("src"))?;
    let texts = files.iter().map(fs::read_to_string).collect::<io::Result<Vec<String>>>()?;
    let tests: Vec<PathBuf> = files.iter().zip(&texts).flat_map(|(path, text)| test_modules(path, text)).collect();
    for (path, source) in files.iter().zip(&texts) {
        if tests.iter().any(|of| path.with_extension("").starts_with(of)) {
            continue;
        }
        // Unit tests stand last in a file; what they say is no sentence of the program.
        let program = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for text in literals(program) {
            words.extend(words_of(&text));
            phrases.extend(phrases_of(&text));
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("words.txt"), words.into_iter().collect::<Vec<_>>().join("\n"))?;
    fs::write(out.join("phrases.txt"), phrases.into_iter().collect::<Vec<_>>().join("\n"))
}

/// Modules of a file that only tests have, without their endings.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = match path.file_stem().and_then(|s| s.to_str()) {
        Some("mod" | "lib" | "main") | None => path.parent().unwrap_or(path).to_owned(),
        Some(_) => path.with_extension(""),
    };
    text.split("#[cfg(test)]\n")
        .skip(1)
        .filter_map(|rest| rest.lines().next()?.split_once("mod ")?.1.strip_suffix(';').map(|name| folder.join(name)))
        .collect()
}

/// Rust sources.
fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The contents of string literals, comments left out.
fn literals(source: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'', 'r']) {
        let before = rest[..at].chars().next_back();
        rest = &rest[at..];
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, r)| r);
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, r)| r);
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            // A character that looks like the start of a text.
            rest = rest.splitn(3, '\'').nth(2).unwrap_or_default();
        } else if let Some(body) = raw(rest).filter(|_| !before.is_some_and(|c| c.is_alphanumeric() || c == '_')) {
            out.push(body.0.to_owned());
            rest = body.1;
        } else if let Some(body) = rest.strip_prefix('"') {
            let (text, after) = quoted(body);
            out.push(text);
            rest = after;
        } else {
            rest = &rest[1..];
        }
    }
    out
}

/// A raw literal and what follows it.
fn raw(rest: &str) -> Option<(&str, &str)> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    body.split_once(&format!("\"{}", "#".repeat(hashes)))
}

/// A quoted literal up to its end, escapes and placeholders as blanks.
fn quoted(body: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, &body[at + 1..]),
            '\\' => {
                chars.next();
                text.push(' ');
            }
            c => text.push(c),
        }
    }
    (text, "")
}

/// What stands between backticks, where no placeholder is in it.
fn phrases_of(text: &str) -> Vec<String> {
    let plain = |piece: &&str| !piece.is_empty() && !piece.contains(['{', '}', '\n']);
    text.split('`').skip(1).step_by(2).filter(plain).map(str::to_owned).collect()
}

/// Words in lower case, names of placeholders left out.
fn words_of(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        plain.push_str(&rest[..at]);
        plain.push(' ');
        rest = rest[at..].split_once('}').map_or("", |(_, r)| r);
    }
    plain.push_str(rest);
    plain
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|w| w.chars().any(char::is_alphabetic))
        .map(str::to_lowercase)
        .collect()
}
