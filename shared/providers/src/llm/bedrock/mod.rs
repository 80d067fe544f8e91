//! Amazon Bedrock's Converse and ConverseStream, signed with SigV4 or by an API key.
//!
//! Source: AWS, Amazon Bedrock API reference, "ConverseStream", "Converse", "ListInferenceProfiles", and the service model of
//! botocore. A stream does not name its model, so the asked one is named.

mod decode;
mod request;

pub(crate) use decode::{Reader, fault, whole};
pub use request::{Auth, Endpoint};
pub(crate) use request::{health_check, request};
