//! The twin's properties that are pure, and cards as others write them.

mod cards;
mod memory;
mod properties;
