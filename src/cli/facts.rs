//! What the user knows and no export says: arguments that `report` and `check` share.

use crate::advisor::{Config, Storage};
use crate::error::{Error, Result};
use std::path::PathBuf;

/// Configuration and facts.
#[derive(Debug, clap::Args)]
pub(super) struct Facts {
    /// Thresholds, severities, exceptions and facts about the server, as TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whether a standby is read by anybody: where none is, an index unused here is unused everywhere
    #[arg(long, value_name = "YES|NO", value_parser = ["yes", "no"])]
    standby_reads: Option<String>,
    /// The same as --standby-reads no
    #[arg(long, conflicts_with = "standby_reads")]
    no_standby_reads: bool,
    /// Memory of the server, where the dump does not say it (64GB)
    #[arg(long, value_name = "SIZE")]
    ram: Option<String>,
    /// Processors of the server
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..=65_536))]
    cpus: Option<i64>,
    /// What the data directory is on
    #[arg(long, value_name = "KIND", value_parser = ["ssd", "hdd"])]
    storage: Option<String>,
    /// Disk space for the data directory (2TB)
    #[arg(long, value_name = "SIZE")]
    capacity: Option<String>,
    /// Tables and indexes below this size are at most worth a note (10MB)
    #[arg(long, value_name = "SIZE")]
    min_bytes: Option<String>,
}

impl Facts {
    /// The configuration with what the command line says over it, and the configuration's text.
    pub(super) fn config(&self) -> Result<(Config, String)> {
        let (mut config, text) = match &self.config {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
                (Config::parse(&text, &path.display().to_string())?, text)
            }
            None => (Config::default(), String::new()),
        };
        let options = &mut config.options;
        let reads = self.standby_reads.as_deref().map(|word| word == "yes");
        options.standby_reads = self.no_standby_reads.then_some(false).or(reads).or(options.standby_reads);
        options.cpus = self.cpus.or(options.cpus);
        options.storage = self.storage.as_deref().and_then(Storage::named).or(options.storage);
        for (value, option, name) in
            [(&self.ram, &mut options.ram_bytes, "--ram"), (&self.capacity, &mut options.capacity_bytes, "--capacity")]
        {
            if let Some(value) = value {
                *option = Some(there(bytes(value, name)?, value, name)?);
            }
        }
        if let Some(value) = &self.min_bytes {
            options.min_bytes = bytes(value, "--min-bytes")?;
        }
        Ok((config, text))
    }

    /// What of it stands on the command line, in one spelling.
    pub(super) fn spelled(&self) -> String {
        format!(
            "standby_reads={:?}/{} ram={:?} cpus={:?} storage={:?} capacity={:?} min_bytes={:?}",
            self.standby_reads, self.no_standby_reads, self.ram, self.cpus, self.storage, self.capacity, self.min_bytes
        )
    }
}

/// No machine has none of it.
fn there(bytes: i64, text: &str, option: &str) -> Result<i64> {
    if bytes > 0 {
        return Ok(bytes);
    }
    Err(Error::usage(format!("read {option} `{text}`: nothing"), "say what the machine has, or leave it away"))
}

/// A size as PostgreSQL writes it: `64GB`, `512 MB`, `1048576`.
pub(super) fn bytes(text: &str, option: &str) -> Result<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let power = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    power
        .zip(number.parse::<i64>().ok())
        .and_then(|(power, n)| n.checked_mul(1_i64 << power))
        .ok_or_else(|| Error::usage(format!("read {option} `{text}`: not a size"), "write it like 64GB or 512MB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, want) in [("64GB", Some(64 << 30)), ("512 mb", Some(512 << 20)), ("7", Some(7)), ("1.5GB", None)] {
            assert_eq!(bytes(text, "--ram").ok(), want, "{text}");
        }
        assert!(bytes("99999999999TB", "--ram").is_err(), "overflow");
    }
}
