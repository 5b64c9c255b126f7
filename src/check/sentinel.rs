//! Settings in which one number is a word: 0 or -1 for "no limit", "never" or "as another setting says".

/// What such a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// No limit, or never: larger than every number.
    Unlimited,
    /// The value of another setting.
    As(&'static str),
}

/// Name, number, meaning (PostgreSQL manual, "Server Configuration"). Sorted by name.
const WORDS: &[(&str, i64, Word)] = &[
    ("archive_timeout", 0, Word::Unlimited),
    ("autovacuum_vacuum_cost_delay", -1, Word::As("vacuum_cost_delay")),
    ("autovacuum_vacuum_cost_limit", -1, Word::As("vacuum_cost_limit")),
    ("autovacuum_vacuum_insert_threshold", -1, Word::Unlimited),
    ("autovacuum_vacuum_max_threshold", -1, Word::Unlimited),
    ("autovacuum_work_mem", -1, Word::As("maintenance_work_mem")),
    ("checkpoint_warning", 0, Word::Unlimited),
    ("client_connection_check_interval", 0, Word::Unlimited),
    ("idle_in_transaction_session_timeout", 0, Word::Unlimited),
    ("idle_replication_slot_timeout", 0, Word::Unlimited),
    ("idle_session_timeout", 0, Word::Unlimited),
    ("lock_timeout", 0, Word::Unlimited),
    ("log_autovacuum_min_duration", -1, Word::Unlimited),
    ("log_min_duration_sample", -1, Word::Unlimited),
    ("log_min_duration_statement", -1, Word::Unlimited),
    ("log_rotation_age", 0, Word::Unlimited),
    ("log_rotation_size", 0, Word::Unlimited),
    ("log_startup_progress_interval", 0, Word::Unlimited),
    ("log_temp_files", -1, Word::Unlimited),
    ("max_slot_wal_keep_size", -1, Word::Unlimited),
    ("max_standby_archive_delay", -1, Word::Unlimited),
    ("max_standby_streaming_delay", -1, Word::Unlimited),
    ("statement_timeout", 0, Word::Unlimited),
    ("temp_file_limit", -1, Word::Unlimited),
    ("transaction_timeout", 0, Word::Unlimited),
    ("wal_receiver_timeout", 0, Word::Unlimited),
    ("wal_sender_timeout", 0, Word::Unlimited),
];

/// What a number of a setting stands for, where it is a word.
pub(super) fn word(name: &str, number: f64) -> Option<Word> {
    let at = WORDS.binary_search_by(|(known, ..)| (*known).cmp(name)).ok()?;
    WORDS.get(at).filter(|(_, n, _)| *n as f64 == number).map(|(.., word)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_read() {
        assert!(WORDS.is_sorted_by(|a, b| a.0 < b.0), "look-ups search by halves");
        assert_eq!(word("statement_timeout", 0.0), Some(Word::Unlimited));
        assert_eq!(word("statement_timeout", -1.0), None);
        assert_eq!(word("work_mem", -1.0), None);
    }
}
