//! Server settings in base units, with the version's default where the dump does not carry them.

use super::Context;
use super::context::state;
use crate::catalog::settings::{self, Amount, parse};
use crate::diff::Chain;
use crate::finding::Doubt;

/// Where a setting's value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// `pg_settings` of the dump.
    Exported,
    /// `pg_settings` of an earlier snapshot, from which on it may have changed: costs C4.
    Old,
    /// The version's built-in default: costs C4.
    Default,
}

/// A setting's value in base units: bytes, milliseconds, numbers; switches are 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting<'a> {
    /// The text of `pg_settings.setting`.
    pub text: &'a str,
    /// The number in base units (bytes, ms), where it is one. Special values below zero stay as they are.
    pub value: Option<f64>,
    /// Where it is from.
    pub source: SettingSource,
}

impl Setting<'_> {
    /// Whether a switch is on; `None` where it is no switch.
    pub fn is_on(&self) -> Option<bool> {
        match self.text {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }

    /// What this source takes from confidence.
    pub const fn doubt(&self) -> Option<Doubt> {
        match self.source {
            SettingSource::Exported => None,
            SettingSource::Old | SettingSource::Default => Some(Doubt::C4),
        }
    }
}

/// A setting: exported, else the version's default; `None` where neither is known.
pub fn setting<'a>(chain: &'a Chain, name: &str) -> Option<Setting<'a>> {
    exported(chain, name).or_else(|| {
        let known = settings::setting(name)?;
        let text = known.default(chain.last().meta.major().unwrap_or(crate::version::NEWEST))?;
        Some(Setting { text, value: base_value(text, known.unit), source: SettingSource::Default })
    })
}

/// A setting as the dump states it.
fn exported<'a>(chain: &'a Chain, name: &str) -> Option<Setting<'a>> {
    let state = state(chain, "pg_settings")?;
    let row = state.table.iter().find(|r| r.text("name") == Some(name))?;
    let text = row.text("setting").unwrap_or_default();
    let source = if state.stale { SettingSource::Old } else { SettingSource::Exported };
    Some(Setting { text, value: base_value(text, row.text("unit").unwrap_or_default()), source })
}

impl<'a> Context<'a> {
    /// A setting: exported, else the version's default; `None` where neither is known.
    pub fn setting(&self, name: &str) -> Option<Setting<'a>> {
        setting(self.chain, name)
    }

    /// A setting as the dump states it.
    pub fn exported_setting(&self, name: &str) -> Option<Setting<'a>> {
        exported(self.chain, name)
    }
}

/// The number in bytes or milliseconds; switches are 1 and 0.
fn base_value(text: &str, unit: &str) -> Option<f64> {
    match parse(text, Some(unit)) {
        Amount::Switch(on) => Some(f64::from(u8::from(on))),
        amount => amount.number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_units() {
        for (text, unit, want) in [
            ("16384", "8kB", Some(134_217_728.0)),
            ("-1", "kB", Some(-1.0)),
            ("5", "min", Some(300_000.0)),
            ("0.2", "", Some(0.2)),
            ("on", "", Some(1.0)),
            ("replica", "", None),
            ("1e400", "", None),
        ] {
            assert_eq!(base_value(text, unit), want, "{text} {unit}");
        }
    }
}
