//! A sign of life for work that takes longer than a second: files and bytes read so far, on a terminal only.

use crate::ingest::Tally;
use crate::unit::{Quantity, Unit, group_int};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What takes less is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);

/// Shows how far reading is until it is dropped, and then takes its line away.
#[derive(Debug)]
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Begins to watch; nothing is shown where standard error is no terminal.
    pub(super) fn watch(tally: Option<&Arc<Tally>>) -> Self {
        let Some(tally) = tally.filter(|_| std::io::stderr().is_terminal()).map(Arc::clone) else { return Self(None) };
        let (end, ended) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let mut wait = PATIENCE;
            let mut bar: Option<ProgressBar> = None;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = TICK;
                let bar = bar.get_or_insert_with(|| {
                    let style = ProgressStyle::default_spinner();
                    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
                });
                bar.set_message(said(&tally));
                bar.tick();
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        });
        Self(Some((end, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            // A line that cannot be taken away is no reason to fail.
            let _ = thread.join();
        }
    }
}

fn said(tally: &Tally) -> String {
    let (files, bytes) = tally.read();
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    format!("{} files, {} read", group_int(whole(files)), Quantity::int(whole(bytes), Unit::Bytes).human())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_files_and_bytes() {
        let tally = Tally::default();
        (0..1200).for_each(|_| tally.add(1, 5000));
        assert_eq!(said(&tally), "1,200 files, 5.72 MB read");
    }
}
