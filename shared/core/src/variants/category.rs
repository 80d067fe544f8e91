//! The twelve things that can vary, and the salts of their layers.
//!
//! Invariant: a salt never changes without a new hash version, since it moves everybody.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use thiserror::Error;

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

    /// The registry's name.
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

    /// Salt of the split between the default and its challengers: one per category, so that layers are independent.
    #[must_use]
    pub fn salt(self) -> &'static str {
        match self {
            Self::LlmModel => "LLM_MODEL.v1",
            Self::SystemPrompt => "SYSTEM_PROMPT.v1",
            Self::ChatUiLayout => "CHAT_UI_LAYOUT.v1",
            Self::ComposePosition => "COMPOSE_POSITION.v1",
            Self::GhostCharStyle => "GHOST_CHAR_STYLE.v1",
            Self::RatingVariant => "RATING_VARIANT.v1",
            Self::VoiceProvider => "VOICE_PROVIDER.v1",
            Self::VoiceLlm => "VOICE_LLM.v1",
            Self::StarterPoolSize => "STARTER_POOL_SIZE.v1",
            Self::TopicHierarchy => "TOPIC_HIERARCHY.v1",
            Self::MandalaFace => "MANDALA_FACE.v1",
            Self::PricingTierStructure => "PRICING_TIER_STRUCTURE.v1",
        }
    }

    /// Salt of the even draw among production variants; none where production is a single variant.
    #[must_use]
    pub fn pool_salt(self) -> Option<&'static str> {
        matches!(self, Self::RatingVariant).then_some("RATING_VARIANT.pool.v1")
    }

    /// Whether its production variants are a pool that is drawn from evenly.
    #[must_use]
    pub fn is_pool(self) -> bool {
        self.pool_salt().is_some()
    }

    /// Which people may be enrolled, where the category shares its people with another one.
    ///
    /// A model and a prompt are never tried on one person: an answer's quality could not be traced to either.
    #[must_use]
    pub fn exclusion(self) -> Option<Exclusion> {
        let side = match self {
            Self::LlmModel => 0,
            Self::SystemPrompt => 1,
            _ => return None,
        };
        Some(Exclusion {
            salt: "MODEL_PROMPT.exclusion.v1",
            side,
            sides: 2,
        })
    }

    /// Whether a change needs a second confirmation and a cool-down: what steers the answers' safety.
    #[must_use]
    pub fn is_critical(self) -> bool {
        matches!(self, Self::SystemPrompt)
    }
}

/// A share of all people that one of several categories may experiment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exclusion {
    /// Salt of the enrolment, the same in all categories that exclude one another and different from any split.
    pub salt: &'static str,
    /// The part that belongs to this category, 0 to `sides` - 1.
    pub side: u32,
    /// How many parts of equal size there are.
    pub sides: u32,
}

/// The text names no category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a category")]
pub struct UnknownCategory;

impl FromStr for Category {
    type Err = UnknownCategory;

    fn from_str(name: &str) -> Result<Self, UnknownCategory> {
        Self::ALL
            .into_iter()
            .find(|category| category.as_str() == name)
            .ok_or(UnknownCategory)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
