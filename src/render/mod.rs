//! Report in, text out.
