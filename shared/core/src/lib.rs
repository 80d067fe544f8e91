//! The pure core: entities, use cases and ports. Knows no vendor, no worker, no clock.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod budget;
pub mod conversation;
pub mod feedback;
pub mod ids;
pub mod memory;
pub mod persona;
pub mod pipeline;
pub mod pricing;
pub mod prompt;
pub mod registry;
pub mod response;
pub mod router;
pub mod safety;
pub mod sealed;
pub mod session;
pub mod starters;
pub mod statistics;
pub mod time;
pub mod trace;
pub mod turn;
pub mod variants;
pub mod voice;
pub mod workflow;
