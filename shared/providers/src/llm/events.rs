//! The rules that every vendor's events obey, in one place.

use alloc::string::String;
use alloc::vec::Vec;
use silent_core::turn::{LlmEvent, ProviderError, StopReason, Usage};

/// Collects what a reader understood.
///
/// Invariants: the model is named first and once; after an error or the end nothing is taken; an end without a stop reason
/// is an error.
#[derive(Debug)]
pub(crate) struct Events {
    ready: Vec<Result<LlmEvent, ProviderError>>,
    /// The name to say where the stream says none.
    asked_model: String,
    named: bool,
    stopped: bool,
    done: bool,
    error: Option<ProviderError>,
}

impl Events {
    pub(crate) fn new(asked_model: &str) -> Self {
        Self {
            ready: Vec::new(),
            asked_model: asked_model.into(),
            named: false,
            stopped: false,
            done: false,
            error: None,
        }
    }

    /// The name that the vendor gives; only the first counts.
    pub(crate) fn model(&mut self, name: &str) {
        if !self.is_over() && !self.named && !name.is_empty() {
            self.named = true;
            self.ready.push(Ok(LlmEvent::Model(name.into())));
        }
    }

    pub(crate) fn delta(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(LlmEvent::Delta(text.into()));
        }
    }

    pub(crate) fn usage(&mut self, usage: Usage) {
        self.push(LlmEvent::Usage(usage));
    }

    pub(crate) fn cost(&mut self, micros: u64) {
        self.push(LlmEvent::Cost(micros));
    }

    /// The first reason counts.
    pub(crate) fn stop(&mut self, reason: StopReason) {
        if !self.stopped {
            self.push(LlmEvent::Stop(reason));
            self.stopped = !self.is_over();
        }
    }

    pub(crate) fn fail(&mut self, error: ProviderError) {
        if !self.is_over() {
            self.error = Some(error.clone());
            self.ready.push(Err(error));
        }
    }

    /// The vendor's own mark of the end.
    pub(crate) fn done(&mut self) {
        if let Err(error) = self.finish() {
            self.fail(error);
        }
        self.done = true;
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped
    }

    pub(crate) fn is_over(&self) -> bool {
        self.done || self.error.is_some()
    }

    pub(crate) fn finish(&self) -> Result<(), ProviderError> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None if self.stopped => Ok(()),
            None => Err(ProviderError::Truncated),
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Result<LlmEvent, ProviderError>> {
        core::mem::take(&mut self.ready)
    }

    /// All of it, where it is whole.
    pub(crate) fn into_whole(mut self) -> Result<Vec<LlmEvent>, ProviderError> {
        self.finish()?;
        self.take().into_iter().collect()
    }

    fn push(&mut self, event: LlmEvent) {
        if self.is_over() {
            return;
        }
        let asked = core::mem::take(&mut self.asked_model);
        self.model(&asked);
        self.ready.push(Ok(event));
    }
}
