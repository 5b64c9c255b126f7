//! What the people who hand a report over put around it: title, names, logo, introduction, closing words.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The largest logo, in bytes: it is written into the page.
const MOST_LOGO: usize = 1 << 20;
/// The longest introduction or closing text, in bytes.
const MOST_WORDS: usize = 1 << 20;

/// What stands around a report. All of it is the user's own; nothing is from a dump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cover {
    /// Instead of the database's name.
    pub title: Option<String>,
    /// For whom.
    pub customer: Option<String>,
    /// By whom.
    pub author: Option<String>,
    /// A picture.
    pub logo: Option<Logo>,
    /// Before the report, in Markdown.
    pub introduction: Option<String>,
    /// After the report, in Markdown.
    pub closing: Option<String>,
}

/// A picture that is written into the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// `image/png`, ...
    pub kind: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The file, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: Option<String>,
    customer: Option<String>,
    author: Option<String>,
    logo: Option<PathBuf>,
    introduction: Option<String>,
    introduction_file: Option<PathBuf>,
    closing: Option<String>,
    closing_file: Option<PathBuf>,
}

impl Cover {
    /// Reads a TOML file; the files it names are beside it.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        let file: Written = toml::from_str(&text).map_err(|e| Error::Input {
            message: format!("read the cover `{}`: {}", path.display(), e.to_string().trim_end()),
            hint: Some(
                "it knows title, customer, author, logo, introduction or introduction_file, closing or closing_file"
                    .to_owned(),
            ),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let beside = |path: Option<PathBuf>| path.map(|p| folder.join(p));
        let words_or = |words: Option<String>, path: Option<PathBuf>| match (words, beside(path)) {
            (None, Some(path)) => words_of(&path).map(Some),
            (words, _) => Ok(words),
        };
        Ok(Self {
            title: file.title,
            customer: file.customer,
            author: file.author,
            logo: beside(file.logo).map(|p| Logo::read(&p)).transpose()?,
            introduction: words_or(file.introduction, file.introduction_file)?,
            closing: words_or(file.closing, file.closing_file)?,
        })
    }
}

/// A text of the user's own.
pub fn words_of(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    if text.len() > MOST_WORDS {
        return Err(Error::usage(format!("use `{}`: more than 1 MB of text", path.display()), "shorten it"));
    }
    Ok(text)
}

impl Logo {
    /// Reads a picture; its first bytes tell what it is.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let wrong = |why: &str| {
            Error::usage(
                format!("use the logo `{}`: {why}", path.display()),
                "use a PNG, JPEG, GIF, WebP or SVG file up to 1 MB",
            )
        };
        if bytes.len() > MOST_LOGO {
            return Err(wrong("it has more than 1 MB"));
        }
        let kind = kind_of(&bytes).ok_or_else(|| wrong("it is no picture that a page can show"))?;
        Ok(Self { kind, bytes })
    }
}

fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let text = || String::from_utf8_lossy(bytes.get(..bytes.len().min(1024)).unwrap_or_default()).into_owned();
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        // A script inside does not run: the page shows it as a picture.
        [b'<' | 0xef | b' ' | b'\n', ..] if text().contains("<svg") => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_pictures_by_their_bytes() {
        for (bytes, want) in [
            (b"\x89PNG\r\n".as_slice(), Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"RIFF0000WEBPVP8 ", Some("image/webp")),
            (b"<?xml version='1.0'?><svg/>", Some("image/svg+xml")),
            (b"<html>", None),
            (b"", None),
        ] {
            assert_eq!(kind_of(bytes), want);
        }
    }

    #[test]
    fn reads_a_cover() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("words.md"), "# Hello\n").unwrap();
        std::fs::write(folder.path().join("logo.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
        let path = folder.path().join("cover.toml");
        std::fs::write(&path, "title = \"T\"\nlogo = \"logo.svg\"\nintroduction_file = \"words.md\"\n").unwrap();
        let cover = Cover::read(&path).unwrap();
        assert_eq!(cover.introduction.as_deref(), Some("# Hello\n"));
        assert_eq!(cover.logo.unwrap().kind, "image/svg+xml");
        std::fs::write(&path, "titel = \"T\"\n").unwrap();
        let error = Cover::read(&path).unwrap_err();
        assert!(error.to_string().contains("titel") && error.to_string().contains("line 1"), "{error}");
    }
}
