//! The one integration binary; a module per subject.

mod catalog;
mod golden;
mod render;
