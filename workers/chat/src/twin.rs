//! The second product: a digital twin. It is a policy (prompt, context, quota) of the same turn as the companion's.

use crate::internal::{call, call_json, person_stub};
use crate::policy::Setting;
use crate::twin_do::{PersonaState, Whole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use silent_core::conversation::Message;
use silent_core::ids::{PersonId, ShareId, TwinId};
use silent_core::memory::Summary;
use silent_core::persona::{self, Fact, Persona, Plan, Remembered};
use silent_core::prompt::SessionContext;
use silent_core::turn::Policy;
use silent_edge::error::ApiError;
use silent_edge::persona_store::{self, malformed, missing};
use worker::{Env, Headers, Method};

/// The product's name in sessions and events, and the door's model.
pub(crate) const PRODUCT: &str = "twin";

/// Whose twin a session talks with: pinned at its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "lowercase")]
pub(crate) enum TwinRef {
    /// The deployment's own.
    Site,
    /// One of the person's.
    Own {
        /// Which.
        twin_id: TwinId,
    },
    /// Somebody else's, by a link.
    Shared {
        /// Which.
        twin_id: TwinId,
        /// Whose.
        owner: PersonId,
        /// The link.
        share_id: ShareId,
    },
}

impl TwinRef {
    /// Under which name a person's object keeps what this twin remembers of them.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Site => "site",
            Self::Own { twin_id } | Self::Shared { twin_id, .. } => twin_id.as_str(),
        }
    }
}

/// A link's content: signed, so that nobody can make one.
pub(crate) fn link_thing(owner: &PersonId, twin: &TwinId, share: &ShareId) -> String {
    format!("twin/{owner}/{twin}/{share}")
}

/// The twin that a link leads to. Whether it was taken back is its owner's to say.
pub(crate) fn linked(thing: &str) -> Option<TwinRef> {
    let mut parts = thing.strip_prefix("twin/")?.split('/');
    let owner = PersonId::parse(parts.next()?).ok()?;
    let twin_id = TwinId::parse(parts.next()?).ok()?;
    let share_id = ShareId::parse(parts.next()?).ok()?;
    parts.next().is_none().then_some(TwinRef::Shared {
        twin_id,
        owner,
        share_id,
    })
}

/// The twin with its persona, from its owner's object; [`ApiError::NotFound`] where the person may not talk with it.
async fn whole(env: &Env, owner: &PersonId, path: &str) -> Result<Whole, ApiError> {
    call_json(&person_stub(env, owner)?, Method::Get, path, None::<&Value>).await
}

/// The persona of a twin as it is now, and its version.
pub(crate) async fn persona(
    env: &Env,
    person: &PersonId,
    twin: &TwinRef,
    now_ms: u64,
) -> Result<(Persona, String), ApiError> {
    let found = match twin {
        TwinRef::Site => return persona_store::own(env, now_ms).await,
        TwinRef::Own { twin_id } => whole(env, person, &format!("/twins/{twin_id}")).await?,
        TwinRef::Shared {
            twin_id,
            owner,
            share_id,
        } => whole(env, owner, &format!("/twins/{twin_id}?share={share_id}")).await?,
    };
    let version = format!("v{}", found.entry.version);
    Ok((opened(&found)?, version))
}

/// The persona of a twin that its owner's object has found.
pub(crate) fn opened(found: &Whole) -> Result<Persona, ApiError> {
    match (found.state, &found.stored) {
        (PersonaState::Ok, Some(stored)) => Persona::from_stored(stored).map_err(malformed),
        (PersonaState::Missing, _) => Err(missing()),
        (PersonaState::Away, _) => Err(ApiError::unavailable("R2 is away")),
        _ => Err(malformed("the sealed persona does not open")),
    }
}

/// What the twin remembers of the person; a person without an object has nothing.
pub(crate) async fn facts(env: &Env, person: &PersonId, twin: &TwinRef) -> Result<Vec<Fact>, ApiError> {
    #[derive(Deserialize)]
    struct Facts {
        facts: Vec<Fact>,
    }
    let path = format!("/facts/{}", twin.name());
    let mut response = call(&person_stub(env, person)?, Method::Get, &path, Headers::new(), None).await?;
    match response.status_code() {
        200 => Ok(response.json::<Facts>().await?.facts),
        404 => Ok(Vec::new()),
        status => Err(ApiError::unavailable(format!("person answered {status}"))),
    }
}

/// What a twin's prompt is made of.
pub(crate) struct Materials<'a> {
    pub(crate) persona: &'a Persona,
    pub(crate) version: &'a str,
    pub(crate) facts: &'a [Fact],
    pub(crate) prior: Option<&'a Summary>,
}

/// Turns the companion's policy into the twin's: model, limits and variants stay, the prompt is another, and the
/// conversation is laid out as summary and verbatim. Gives the layout; the messages from `verbatim_from` on go to the model.
pub(crate) fn shape(
    policy: &mut Policy,
    setting: &Setting<'_>,
    materials: &Materials<'_>,
    messages: &[Message],
) -> Result<Plan, ApiError> {
    let plan = persona::plan(materials.prior, messages, policy.window_tokens);
    let name = materials.facts.iter().rfind(|fact| fact.kind == "name");
    let context = SessionContext {
        locale: setting.locale,
        local_hour: setting.timezone.and_then(crate::policy::local_hour),
        first_turn: setting.first_turn,
        display_name: name.map(|fact| fact.value.as_str()),
    };
    let remembered = Remembered {
        facts: materials.facts,
        summary: plan.summary.as_ref(),
    };
    let verbatim = messages.get(plan.verbatim_from..).unwrap_or(&[]);
    let built = persona::build(materials.persona, &context, &remembered, verbatim)
        .map_err(|error| ApiError::internal(error.to_string()))?;
    policy.prompt = built.prompt;
    policy.prompt.version = format!("{}+{}", policy.prompt.version, materials.version);
    policy.product = PRODUCT.into();
    // The plan has already decided what is said word for word.
    policy.window_tokens = u32::MAX;
    Ok(plan)
}
