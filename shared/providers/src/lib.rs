//! Wire formats without IO: a request is a value, a decoder takes bytes and gives events.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod aws;
pub mod http;
pub mod llm;
pub mod ndjson;
pub mod speech;
pub mod sse;
