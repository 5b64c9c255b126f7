//! Simulated series with a known truth: intervals must contain it as often as they say, and chance must not be called
//! a trend more often than p says. Deterministic: fixed seeds, no clock.

mod coverage;
mod dates;
mod random;
mod vacuum;
