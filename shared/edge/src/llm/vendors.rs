//! The vendors that a plan names, as the router's upstream.

use super::http::HttpStream;
use super::offline::OfflineStream;
use super::settings::{LlmConfig, Vendor};
use super::workers_ai;
use silent_core::router::{Target, Upstream};
use silent_core::turn::{LlmEvent, LlmRequest, ProviderError, TokenStream};
use std::collections::BTreeMap;

/// Vendors by name.
pub struct Vendors(BTreeMap<String, Vendor>);

impl Vendors {
    /// Those of the targets; what is not configured is left out.
    pub(crate) fn of(config: &LlmConfig, targets: &[Target]) -> Self {
        let mut vendors = BTreeMap::new();
        for target in targets {
            if !vendors.contains_key(&target.provider)
                && let Some(vendor) = config.vendor(&target.provider)
            {
                vendors.insert(target.provider.clone(), vendor);
            }
        }
        Self(vendors)
    }
}

impl Upstream for Vendors {
    type Stream = LlmStream;

    async fn open(&self, target: &Target, request: &LlmRequest) -> Result<LlmStream, ProviderError> {
        match self.0.get(&target.provider) {
            Some(Vendor::Offline { token_delay_ms }) => {
                Ok(LlmStream::Offline(OfflineStream::new(request, *token_delay_ms)))
            }
            Some(Vendor::Http(endpoint)) => Ok(LlmStream::Http(Box::new(HttpStream::open(endpoint, request).await?))),
            Some(Vendor::WorkersAi(binding)) => {
                Ok(LlmStream::Http(Box::new(workers_ai::open(binding, request).await?)))
            }
            None => Err(ProviderError::Unreachable),
        }
    }
}

/// A model's answer as it comes.
pub enum LlmStream {
    /// The embedded listener's.
    Offline(OfflineStream),
    /// A server's.
    Http(Box<HttpStream>),
}

impl TokenStream for LlmStream {
    async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>> {
        match self {
            Self::Offline(stream) => stream.next().await.map(Ok),
            Self::Http(stream) => stream.next().await,
        }
    }
}
