//! The pure core: entities, use cases and ports. Knows no vendor, no worker, no clock.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
