//! Adapters between the core's ports and the Workers runtime.
#![forbid(unsafe_code)]
