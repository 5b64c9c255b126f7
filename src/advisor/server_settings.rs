//! Settings as a rule about them shows them.

use super::Context;
use super::settings::SettingSource;
use crate::catalog::settings::{self, parse};
use crate::finding::Measure;
use crate::snapshot::Row;
use crate::unit::{Quantity, Unit};

impl<'a> Context<'a> {
    /// The row of a setting, of the newest snapshot that exported settings.
    pub fn setting_row(&self, name: &str) -> Option<Row<'a>> {
        self.state("pg_settings")?.table.iter().find(|r| r.text("name") == Some(name))
    }

    /// A setting as a line of evidence: its number in base units, else its text. What the dump does not have is the
    /// version's default, and says so.
    pub fn setting_measure(&self, name: &str) -> Measure {
        let setting = self.setting(name);
        let row = self.setting_row(name);
        let unit = row.and_then(|r| r.text("unit")).or_else(|| settings::setting(name).map(|s| s.unit));
        let unit = match unit.unwrap_or_default() {
            "ms" | "s" | "min" | "h" | "d" => Unit::Ms,
            "" => Unit::Plain,
            _ => Unit::Bytes,
        };
        let number = setting.filter(|s| s.is_on().is_none()).and_then(|s| s.value);
        let quantity = number.and_then(|v| Quantity::float(v, if v < 0.0 { Unit::Plain } else { unit }));
        let text =
            setting.map_or_else(|| "not known".to_owned(), |s| format!("setting {}", crate::ident::visible(s.text)));
        let rows: Vec<(Row<'a>, &[&str])> =
            row.map(|r| (r, ["setting", "unit", "source"].as_slice())).into_iter().collect();
        let assumed = setting.is_some_and(|s| s.source == SettingSource::Default);
        let label = if assumed { format!("{name} (built-in default, not in the dump)") } else { name.to_owned() };
        self.computed(&label, quantity, text, &rows)
    }

    /// The same of another server.
    pub fn setting_of_peer(&self, label: &str, peer: &str, row: Row<'a>) -> Measure {
        let mut measure = self.of_peer(label, peer, row, "setting");
        let Some(text) = server_value(row) else { return measure };
        measure.after = parse(text, row.text("unit")).quantity();
        measure.evidence.formula = Some(format!("setting {}", crate::ident::visible(text)));
        measure
    }
}

/// The value that the server gives every session; where the exporting session or its role has one of its own, what
/// the configuration files say is not visible: `None`.
pub fn server_value(row: Row<'_>) -> Option<&str> {
    match row.text("source") {
        Some("session" | "interactive") => row.text("reset_val"),
        // What a client asks for when it connects is its session's value and what RESET returns to.
        Some("client" | "user" | "database" | "database user") => None,
        _ => row.text("setting"),
    }
}
