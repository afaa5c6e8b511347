//! Conditions: what they mean, what is said about wrong ones, and that the index answers as each alone does.

mod bounds;
mod cases;
mod differences;
mod generate;
mod index;
mod reading;
mod sets;
mod streams;
