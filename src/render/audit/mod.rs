//! The result of a check in its formats. A format is one file here and its line in [`FORMATS`].

mod json;
mod junit;
mod sarif;
mod table;

use super::Options;
use crate::check::Audit;
use crate::error::{Error, Result};
use std::path::Path;

/// A format the result of a check can be written in.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// File endings it is chosen by, without the dot.
    pub endings: &'static [&'static str],
    /// What it is for, in a line.
    pub about: &'static str,
    write: fn(&Audit, &Options) -> Result<String>,
}

/// Every format.
pub const FORMATS: &[Format] = &[
    Format { name: "table", endings: &["txt"], about: "lines for people", write: table::write },
    Format { name: "json", endings: &["json"], about: "the result itself, for programs", write: json::write },
    Format {
        name: "sarif",
        endings: &["sarif"],
        about: "SARIF 2.1.0, for code scanning and dashboards",
        write: sarif::write,
    },
    Format { name: "junit", endings: &["xml"], about: "JUnit XML, for build servers", write: junit::write },
];

/// The result in a format. The same result gives the same bytes.
pub fn render(audit: &Audit, format: Format, options: &Options) -> Result<String> {
    (format.write)(audit, options)
}

/// The format of a name, as in `--format sarif`.
pub fn by_name(name: &str) -> Result<Format> {
    FORMATS.iter().find(|f| f.name.eq_ignore_ascii_case(name)).copied().ok_or_else(|| {
        let names: Vec<String> = FORMATS.iter().map(|f| format!("`{}`", f.name)).collect();
        let hint = format!("use one of {}", names.join(", "));
        Error::usage(format!("write format `{name}`: there is no such format"), hint)
    })
}

/// The format that a file's ending asks for.
pub fn by_path(path: &Path) -> Result<Format> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    FORMATS.iter().find(|f| f.endings.iter().any(|e| e.eq_ignore_ascii_case(ending))).copied().ok_or_else(|| {
        let endings: Vec<String> = FORMATS.iter().flat_map(|f| f.endings).map(|e| format!("`.{e}`")).collect();
        let hint = format!("use one of {}", endings.join(", "));
        Error::usage(format!("write `{}`: the ending names no format", path.display()), hint)
    })
}

/// The line of the place of a value in a text file: 17 of `line 17`.
fn line_of(place: &str) -> Option<u64> {
    place.strip_prefix("line ")?.parse().ok().filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_by_name_and_ending() {
        assert_eq!(by_name("SARIF").unwrap().name, "sarif");
        assert_eq!(by_path(Path::new("out/check.XML")).unwrap().name, "junit");
        assert!(by_name("csv").is_err() && by_path(Path::new("check")).is_err());
    }
}
