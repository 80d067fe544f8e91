//! What Amazon's services share: signatures and the binary event stream.

pub mod event_stream;
pub mod sigv4;
