//! Colours, symbols and width: what the surroundings allow and what the user asks for.

use super::super::Options;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// Where the terminal can and the user does not object.
    #[default]
    Auto,
    /// Even into a pipe.
    Always,
    /// Not at all.
    Never,
}

/// What is known of standard output and the environment.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Whether standard output is a terminal.
    pub is_terminal: bool,
    /// Its columns, where known.
    pub columns: Option<usize>,
    /// `TERM`.
    pub term: Option<String>,
    /// `NO_COLOR`: set and not empty means none (<https://no-color.org>).
    pub no_color: Option<String>,
    /// `CLICOLOR_FORCE`: set and not `0` means even into a pipe (<https://bixense.com/clicolors>).
    pub clicolor_force: Option<String>,
    /// The first that is set of `LC_ALL`, `LC_CTYPE`, `LANG`.
    pub locale: Option<String>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_stdout() -> Self {
        use std::io::IsTerminal;
        let var = |name: &str| std::env::var(name).ok();
        Self {
            is_terminal: std::io::stdout().is_terminal(),
            columns: var("COLUMNS")
                .and_then(|c| c.trim().parse().ok())
                .or_else(|| terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0))),
            term: var("TERM"),
            no_color: var("NO_COLOR"),
            clicolor_force: var("CLICOLOR_FORCE"),
            locale: ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(var).find(|v| !v.is_empty()),
        }
    }

    /// How to print here.
    pub fn options(&self, color: ColorChoice, ascii: bool) -> Options {
        let set = |v: &Option<String>| v.as_deref().is_some_and(|v| !v.is_empty());
        let color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set(&self.no_color) => false,
            ColorChoice::Auto if set(&self.clicolor_force) && self.clicolor_force.as_deref() != Some("0") => true,
            ColorChoice::Auto => self.is_terminal && self.term.as_deref() != Some("dumb"),
        };
        // A pipe gets Unicode: files are read elsewhere. A terminal gets it where its locale says so.
        let utf8 = self.locale.as_deref().is_some_and(|l| {
            let l = l.to_ascii_lowercase();
            l.contains("utf-8") || l.contains("utf8")
        });
        let ascii = ascii || (self.is_terminal && !utf8);
        let width = if self.is_terminal { self.columns.unwrap_or(80) } else { 80 };
        Options { width, color, ascii, ..Options::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_conventions() {
        let some = |s: &str| Some(s.to_owned());
        let terminal = Surroundings {
            is_terminal: true,
            locale: some("en_US.UTF-8"),
            columns: Some(120),
            ..Surroundings::default()
        };
        let pipe = Surroundings { is_terminal: false, ..terminal.clone() };
        for (case, at, choice, want) in [
            ("terminal", terminal.clone(), ColorChoice::Auto, true),
            ("pipe", pipe.clone(), ColorChoice::Auto, false),
            ("dumb", Surroundings { term: some("dumb"), ..terminal.clone() }, ColorChoice::Auto, false),
            ("NO_COLOR", Surroundings { no_color: some("1"), ..terminal.clone() }, ColorChoice::Auto, false),
            ("NO_COLOR empty", Surroundings { no_color: some(""), ..terminal.clone() }, ColorChoice::Auto, true),
            ("--color=always", Surroundings { no_color: some("1"), ..pipe.clone() }, ColorChoice::Always, true),
            ("--color=never", terminal.clone(), ColorChoice::Never, false),
            ("CLICOLOR_FORCE", Surroundings { clicolor_force: some("1"), ..pipe.clone() }, ColorChoice::Auto, true),
            ("CLICOLOR_FORCE=0", Surroundings { clicolor_force: some("0"), ..pipe.clone() }, ColorChoice::Auto, false),
        ] {
            assert_eq!(at.options(choice, false).color, want, "{case}");
        }
        assert_eq!(
            (terminal.options(ColorChoice::Auto, false).width, pipe.options(ColorChoice::Auto, false).width),
            (120, 80)
        );
        assert!(Surroundings { locale: some("C"), ..terminal.clone() }.options(ColorChoice::Auto, false).ascii);
        assert!(terminal.options(ColorChoice::Auto, true).ascii);
        assert!(!terminal.options(ColorChoice::Auto, false).ascii);
    }
}
