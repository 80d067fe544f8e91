//! The pipeline's work beside the queue: bronze objects, silver files, gold rows, and the jobs that keep them true.
//!
//! Every step here does what is left to do and may be cut off anywhere: the marks in D1 say what is left.

pub(crate) mod bronze;
pub(crate) mod dead_letters;
pub(crate) mod gold;
mod jobs;
mod marks;
mod silver;
mod slo;
mod source;

pub(crate) use jobs::scheduled;
