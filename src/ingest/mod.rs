//! Dumps to snapshots: open, recognise, read, conform.
