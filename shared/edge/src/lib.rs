//! Adapters between the core's ports and the Workers runtime.
#![forbid(unsafe_code)]

pub mod access;
pub mod api_key;
pub mod audio_store;
pub mod budget;
pub mod budgeted;
pub mod config;
pub mod durable;
pub mod error;
pub mod gate;
pub mod http;
pub mod judge;
pub mod llm;
pub mod log;
pub mod persona_store;
pub mod queue;
pub mod r2;
pub mod random;
pub mod registry;
pub mod speech;
pub mod token;
pub mod trace;

use silent_core::turn::Clock;

/// The runtime's clock. It stands still between I/O, so it measures waiting and never computing.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        worker::Date::now().as_millis()
    }
}
