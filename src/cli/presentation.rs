//! How a report is to look, for every command that writes one.

use crate::error::Result;
use crate::render::{Cover, Logo, Options, words_of};
use crate::report::{self, Redact, Report};
use std::path::PathBuf;

/// Options of `pgretro report` and `pgretro render`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Presentation")]
pub(super) struct Presentation {
    /// Take templates from DIR; built-in ones stand in for those it does not have. `pgretro templates` writes them
    #[arg(long, value_name = "DIR")]
    pub(super) templates: Option<PathBuf>,
    /// The table that .csv files hold, by its id in the JSON report (tables, indexes, statements, ...); without it the
    /// findings
    #[arg(long, value_name = "ID")]
    table: Option<String>,
    /// Share safely: replace what is private by pseudonyms: names (of objects), queries (texts), hosts (addresses,
    /// users, applications, files), or all; several with commas
    #[arg(long, value_name = "WHAT", value_parser = Redact::parse)]
    redact: Option<Redact>,
    /// Title, customer, author, logo, introduction and closing words, as TOML
    #[arg(long, value_name = "FILE")]
    cover: Option<PathBuf>,
    /// Title instead of the database's name
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// For whom the report is
    #[arg(long, value_name = "TEXT")]
    customer: Option<String>,
    /// Who hands it over
    #[arg(long, value_name = "TEXT")]
    author: Option<String>,
    /// A picture above the title (PNG, JPEG, GIF, WebP, SVG)
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// Words after the verdict, in Markdown
    #[arg(long, value_name = "FILE")]
    introduction: Option<PathBuf>,
    /// Words at the end, in Markdown
    #[arg(long, value_name = "FILE")]
    closing: Option<PathBuf>,
}

impl Presentation {
    /// The options of formats, read and checked.
    pub(super) fn options(&self) -> Result<Options> {
        let mut cover = self.cover.as_deref().map(Cover::read).transpose()?.unwrap_or_default();
        for (given, field) in
            [(&self.title, &mut cover.title), (&self.customer, &mut cover.customer), (&self.author, &mut cover.author)]
        {
            if given.is_some() {
                field.clone_from(given);
            }
        }
        for (given, field) in [(&self.introduction, &mut cover.introduction), (&self.closing, &mut cover.closing)] {
            if let Some(path) = given {
                *field = Some(words_of(path)?);
            }
        }
        if let Some(path) = &self.logo {
            cover.logo = Some(Logo::read(path)?);
        }
        Ok(Options { templates: self.templates.clone(), table: self.table.clone(), cover, ..Options::default() })
    }

    /// The report as it may be shown.
    pub(super) fn of(&self, report: Report) -> Report {
        match self.redact {
            Some(what) => report::redact(&report, what),
            None => report,
        }
    }
}
