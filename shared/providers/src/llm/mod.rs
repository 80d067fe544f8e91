//! Language models, a folder for each protocol.

pub mod offline;
pub mod openai;
