//! From a file's column names to the catalog's columns.

use super::notes::{Odd, Oddities, clip};
use super::options::Wanted;
use crate::catalog::{self, Type, View};
use crate::version::{NEWEST, OLDEST};

/// Columns that exports put beside a view to say when it was read.
const CLOCKS: &[&str] = &["captured_at", "clock_timestamp", "collected_at", "snapshot_time", "snap_time"];

/// A view in whose columns less than this share of a file's names (by `catalog::recognise`) is known is not it.
const CERTAIN: f64 = 0.35;

/// A column of a file.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its name in the file.
    pub name: String,
    pub role: Role,
}

/// What is done with a column of a file.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// Nothing: a program's row numbers, or not wanted.
    Skip,
    /// When the row was read.
    TakenAt,
    /// Columns of the catalog: one, or two where later versions split a view.
    Known { ty: Type, places: Vec<(&'static View, usize)> },
    /// A column nobody knows.
    Extra,
}

impl Field {
    /// How its cells are stored; `None` where they are not.
    pub const fn ty(&self) -> Option<Type> {
        match &self.role {
            Role::Skip => None,
            Role::TakenAt => Some(Type::Time),
            Role::Known { ty, .. } => Some(*ty),
            Role::Extra => Some(Type::Text),
        }
    }
}

/// What a file's columns are.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The view; `None` for a relation nobody knows.
    pub view: Option<&'static View>,
    /// The name it was exported under.
    pub exported_as: String,
    pub fields: Vec<Field>,
}

impl Layout {
    /// A layout without columns yet.
    pub fn new(view: Option<&'static View>, exported_as: &str) -> Self {
        Self { view, exported_as: exported_as.to_owned(), fields: Vec::new() }
    }

    /// Adds the file's next column.
    pub fn add(&mut self, name: &str, odd: &mut Oddities) {
        let name = name.trim();
        let role = self.role(name);
        if matches!(role, Role::Extra) && self.view.is_some() {
            let message =
                format!("{} is not a column of {} in any version known; kept as text", clip(name), self.exported_as);
            odd.push(Odd::new("unknown-column", message).column(name));
        }
        self.fields.push(Field { name: name.to_owned(), role });
    }

    /// The field that is the view's key, where that is one whole number.
    pub fn key(&self) -> Option<usize> {
        let view = self.view?;
        let [only] = view.key else { return None };
        let (at, column) = view.column(only)?;
        let found = self.fields.iter().position(|f| f.feeds(view, at));
        found.filter(|_| column.ty == Type::Int)
    }

    fn role(&self, name: &str) -> Role {
        if name.is_empty() || (self.fields.is_empty() && matches!(name, "Unnamed: 0" | "index")) {
            return Role::Skip;
        }
        let lower = name.to_ascii_lowercase();
        let mut places = self.view.map(|v| catalog::feeds(v, &lower)).unwrap_or_default();
        places.retain(|(view, at)| !self.fields.iter().any(|f| f.feeds(view, *at)));
        let ty = places.first().and_then(|(view, at)| view.columns.get(*at)).map(|c| c.ty);
        match ty {
            Some(ty) => Role::Known { ty, places },
            None if CLOCKS.contains(&lower.as_str()) => Role::TakenAt,
            None => Role::Extra,
        }
    }

    /// The views its columns fill: its own, and those that later versions split from it where a column is theirs alone
    /// (`stats_reset` of `pg_stat_bgwriter` is the checkpointer's only as long as checkpoints are counted there).
    pub fn views(&self) -> Vec<&'static View> {
        let mut views: Vec<&'static View> = self.view.into_iter().collect();
        for field in &self.fields {
            if let Role::Known { places, .. } = &field.role
                && let Some((view, _)) = places.first()
                && !views.iter().any(|v| v.name == view.name)
            {
                views.push(view);
            }
        }
        views
    }
}

impl Field {
    /// Whether a column of a view is what it fills.
    pub fn feeds_only(&self, view: &View, at: usize) -> bool {
        self.feeds(view, at) && matches!(&self.role, Role::Known { places, .. } if places.len() == 1)
    }

    fn feeds(&self, view: &View, at: usize) -> bool {
        matches!(&self.role, Role::Known { places, .. } if places.iter().any(|(v, a)| v.name == view.name && *a == at))
    }
}

/// Whether a file of this view is worth reading: it, or a view that later versions split from it, is wanted.
pub(super) fn wanted(view: Option<&'static View>, wanted: &Wanted) -> bool {
    wanted.view(view)
        || view.is_some_and(|from| {
            catalog::VIEWS.iter().any(|other| {
                wanted.view(Some(other))
                    && other.columns.iter().any(|c| c.moved.iter().any(|m| m.view == Some(from.name)))
            })
        })
}

/// The view of a file: what its name says where the columns agree, else what the columns say.
pub(super) fn view_of(names: &[&str], named: Option<(&'static View, &'static str)>) -> Option<(&'static View, String)> {
    if let Some((view, name)) = named {
        let known = names.iter().filter(|n| !catalog::feeds(view, n).is_empty()).count();
        let data = names.iter().filter(|n| !n.is_empty() && !is_clock(n)).count();
        if known * 2 >= data {
            return Some((view, name.to_owned()));
        }
    }
    let (view, score) = catalog::recognise(names).into_iter().next()?;
    let known = names.iter().filter(|n| !catalog::feeds(view, n).is_empty()).count();
    (score >= CERTAIN && known >= 2).then(|| (view, view.name.to_owned()))
}

/// Whether a name is that of a capture time column.
pub(super) fn is_clock(name: &str) -> bool {
    CLOCKS.contains(&name.trim().to_ascii_lowercase().as_str())
}

/// Whether the names could be a header line: most are columns that some view has.
pub(super) fn is_header(names: &[&str], named: Option<&'static View>) -> bool {
    let filled: Vec<&str> = names.iter().map(|n| n.trim()).filter(|n| !n.is_empty()).collect();
    if filled.is_empty() {
        return false;
    }
    let known = |name: &str| {
        is_clock(name)
            || named.is_some_and(|v| !catalog::feeds(v, name).is_empty())
            || catalog::VIEWS.iter().any(|v| v.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name)))
    };
    let hits = filled.iter().filter(|n| known(n)).count();
    if hits * 2 >= filled.len() {
        return true;
    }
    // A relation nobody knows: every cell is a name, none comes twice.
    filled.len() == names.len()
        && filled.iter().all(|n| {
            n.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
        && filled.iter().enumerate().all(|(i, n)| !filled[..i].contains(n))
}

/// The column names of a file without a header line, where exactly one export of the view has that many columns, and
/// the versions that have it. A first column that is a time may stand before them.
pub(super) fn without_header(view: &'static View, first: &[String]) -> Option<(Vec<String>, String)> {
    let with_clock = first.first().is_some_and(|c| super::clock::plain_time(c.trim().as_bytes()).is_some());
    let mut found: Option<(Vec<String>, Vec<u8>)> = None;
    for major in (OLDEST..=NEWEST).filter(|m| view.majors.contains(*m)) {
        let exported = catalog::exported(view, major);
        let mut names: Vec<String> = exported.iter().map(|e| e.name.to_owned()).collect();
        let begins_with_time = exported.first().is_some_and(|e| e.column.ty == Type::Time);
        if with_clock && !begins_with_time {
            names.insert(0, CLOCKS[0].to_owned());
        }
        if names.len() != first.len() {
            continue;
        }
        match &mut found {
            None => found = Some((names, vec![major])),
            Some((same, majors)) if *same == names => majors.push(major),
            Some(_) => return None,
        }
    }
    let (names, majors) = found?;
    let versions = match (majors.first(), majors.last()) {
        (Some(a), Some(b)) if a != b => format!("{a} to {b}"),
        (Some(a), _) => a.to_string(),
        _ => return None,
    };
    Some((names, versions))
}
