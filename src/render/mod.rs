//! Report in, text out: pure functions of a [`Report`]. A format is one file here and its line in [`FORMATS`].

pub mod audit;
mod cover;
mod csv;
mod held;
mod html;
mod json;
mod markdown;
mod page;
mod places;
mod spark;
mod template;
mod terminal;
mod values;
mod words;

pub use cover::{Cover, Logo, words_of};
pub use json::read;
pub use template::built_in;
pub use terminal::{ColorChoice, Surroundings};

use crate::error::{Error, Result};
use crate::report::Report;
use std::path::{Path, PathBuf};

/// A format a report can be written in.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// File endings it is chosen by, without the dot.
    pub endings: &'static [&'static str],
    /// What it is for, in a line.
    pub about: &'static str,
    write: fn(&Report, &Options) -> Result<String>,
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format {
        name: "html",
        endings: &["html", "htm"],
        about: "one page that opens in any browser, offline",
        write: html::write,
    },
    Format {
        name: "md",
        endings: &["md", "markdown"],
        about: "Markdown for an issue, a wiki, a review",
        write: markdown::write,
    },
    Format {
        name: "txt",
        endings: &["txt"],
        about: "the summary that is printed to a terminal",
        write: terminal::write,
    },
    Format { name: "json", endings: &["json"], about: "the report itself, for programs", write: json::write },
    Format { name: "csv", endings: &["csv"], about: "one table of the report, or its findings", write: csv::write },
];

/// How to print.
#[derive(Clone, Debug)]
pub struct Options {
    /// A folder whose files replace the built-in templates of the same name.
    pub templates: Option<PathBuf>,
    /// The table that CSV is written of, by its id; `None`: the findings.
    pub table: Option<String>,
    /// What stands around the report.
    pub cover: Cover,
    /// Columns of the terminal summary, kept between 40 and 100.
    pub width: usize,
    /// Whether the terminal summary may use colours.
    pub color: bool,
    /// Whether the terminal summary keeps to ASCII.
    pub ascii: bool,
    /// Whether the terminal summary is one line.
    pub quiet: bool,
    /// Files written beside the terminal summary, named in its last line.
    pub files: Vec<String>,
}

impl Default for Options {
    /// What a pipe gets: 80 columns, no colours, Unicode.
    fn default() -> Self {
        Self {
            templates: None,
            table: None,
            cover: Cover::default(),
            width: 80,
            color: false,
            ascii: false,
            quiet: false,
            files: Vec::new(),
        }
    }
}

/// The report in a format. The same report and options give the same bytes.
pub fn render(report: &Report, format: Format, options: &Options) -> Result<String> {
    (format.write)(report, options)
}

/// The format of a name, as in `--format json`.
pub fn by_name(name: &str) -> Result<Format> {
    FORMATS
        .iter()
        .find(|f| f.name.eq_ignore_ascii_case(name))
        .copied()
        .ok_or_else(|| Error::usage(format!("write format `{name}`: there is no such format"), choices()))
}

/// The format that a file's ending asks for.
pub fn by_path(path: &Path) -> Result<Format> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    FORMATS
        .iter()
        .find(|f| f.endings.iter().any(|e| e.eq_ignore_ascii_case(ending)))
        .copied()
        .ok_or_else(|| Error::usage(format!("write `{}`: the ending names no format", path.display()), choices()))
}

fn choices() -> String {
    let names: Vec<String> = FORMATS.iter().flat_map(|f| f.endings).map(|e| format!("`.{e}`")).collect();
    format!("use one of {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_by_ending() {
        assert_eq!(by_path(Path::new("out/Report.JSON")).unwrap().name, "json");
        for path in ["report", "report.pdf", ".json"] {
            assert!(by_path(Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn names_and_endings_are_unique() {
        let mut endings: Vec<_> = FORMATS.iter().flat_map(|f| f.endings).collect();
        let mut names: Vec<_> = FORMATS.iter().map(|f| f.name).collect();
        let (before, names_before) = (endings.len(), names.len());
        endings.sort_unstable();
        endings.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((endings.len(), names.len()), (before, names_before));
    }
}
