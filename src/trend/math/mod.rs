//! Pure statistics: numbers in, numbers out. Each file one method, with its source and tests against known values.

pub mod autocorrelation;
pub mod change_point;
pub mod least_squares;
pub mod mann_kendall;
pub mod normal;
pub mod quantile;
pub mod season;
pub mod student;
pub mod theil_sen;
pub mod thin;

/// A point: seconds since some moment, and the value there.
pub type Point = (f64, f64);
