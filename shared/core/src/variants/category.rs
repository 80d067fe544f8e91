//! The twelve things that can vary.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A layer of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Category {
    LlmModel,
    SystemPrompt,
    ChatUiLayout,
    ComposePosition,
    GhostCharStyle,
    RatingVariant,
    VoiceProvider,
    VoiceLlm,
    StarterPoolSize,
    TopicHierarchy,
    MandalaFace,
    PricingTierStructure,
}

impl Category {
    /// All of them, in the registry's order.
    pub const ALL: [Self; 12] = [
        Self::LlmModel,
        Self::SystemPrompt,
        Self::ChatUiLayout,
        Self::ComposePosition,
        Self::GhostCharStyle,
        Self::RatingVariant,
        Self::VoiceProvider,
        Self::VoiceLlm,
        Self::StarterPoolSize,
        Self::TopicHierarchy,
        Self::MandalaFace,
        Self::PricingTierStructure,
    ];

    /// The registry's name, also the layer's salt.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LlmModel => "LLM_MODEL",
            Self::SystemPrompt => "SYSTEM_PROMPT",
            Self::ChatUiLayout => "CHAT_UI_LAYOUT",
            Self::ComposePosition => "COMPOSE_POSITION",
            Self::GhostCharStyle => "GHOST_CHAR_STYLE",
            Self::RatingVariant => "RATING_VARIANT",
            Self::VoiceProvider => "VOICE_PROVIDER",
            Self::VoiceLlm => "VOICE_LLM",
            Self::StarterPoolSize => "STARTER_POOL_SIZE",
            Self::TopicHierarchy => "TOPIC_HIERARCHY",
            Self::MandalaFace => "MANDALA_FACE",
            Self::PricingTierStructure => "PRICING_TIER_STRUCTURE",
        }
    }

    /// Whether its production variants are a pool that is drawn from evenly.
    #[must_use]
    pub fn is_pool(self) -> bool {
        matches!(self, Self::RatingVariant)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
