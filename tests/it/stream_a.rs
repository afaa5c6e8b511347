//! Combining, flattening, sharing, errors and choosing, against models that are written down step by step.
mod choosing;
mod combining;
mod drive;
mod errors;
mod flattening;
mod hints;
mod marbles;
mod names;
mod sharing;
