//! An HTTP request as a value.

use alloc::string::String;
use alloc::vec::Vec;

/// A POST with a JSON body.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Absolute URL.
    pub url: String,
    /// Names in lower case. May hold keys: never logged, so there is no `Debug`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}
