//! From a pinned assignment to the policy of a turn.

use serde_json::{Value, json};
use silent_core::prompt::{self, SessionContext};
use silent_core::router::{Routing, Target};
use silent_core::turn::Policy;
use silent_core::variants::{Assignment, Category, Snapshot, Variant};
use silent_edge::error::ApiError;
use std::collections::BTreeMap;
use worker::wasm_bindgen::JsCast;
use worker::{Date, js_sys};

/// The variant of a category.
pub(crate) fn variant<'a>(snapshot: &'a Snapshot, assignment: &Assignment, category: Category) -> Option<&'a Variant> {
    snapshot.variant(category, assignment.variant(category)?)
}

/// What the page renders by; what steers the answers is no client's business.
const SHOWN: [Category; 8] = [
    Category::ChatUiLayout,
    Category::ComposePosition,
    Category::GhostCharStyle,
    Category::RatingVariant,
    Category::StarterPoolSize,
    Category::TopicHierarchy,
    Category::MandalaFace,
    Category::PricingTierStructure,
];

/// An assignment as clients see it: names, and the configuration of what they render.
pub(crate) fn shown(snapshot: &Snapshot, assignment: &Assignment) -> Value {
    let configs: BTreeMap<&str, &Value> = SHOWN
        .into_iter()
        .filter_map(|category| Some((category.as_str(), &variant(snapshot, assignment, category)?.config)))
        .collect();
    json!({
        "snapshot_version": assignment.snapshot_version,
        "variants": assignment.variants(),
        "configs": configs,
    })
}

/// A number of a variant's configuration.
pub(crate) fn number(variant: Option<&Variant>, field: &str) -> Option<f64> {
    variant?.config.get(field)?.as_f64()
}

/// Who may answer by a variant: its own choice, then its fall-backs.
pub(crate) fn targets(variant: &Variant) -> Vec<Target> {
    let fallbacks = variant.config.get("fallbacks").and_then(Value::as_array);
    let all = [&variant.config].into_iter().chain(fallbacks.into_iter().flatten());
    let target = |config: &Value| {
        Some(Target {
            provider: config.get("provider")?.as_str()?.into(),
            model: config.get("model")?.as_str()?.into(),
        })
    };
    all.filter_map(target).collect()
}

/// Who of them is asked first.
pub(crate) fn routing(variant: &Variant) -> Routing {
    let routing = variant.config.get("routing").cloned();
    routing
        .and_then(|name| serde_json::from_value(name).ok())
        .unwrap_or_default()
}

/// What a session's settings say about the person's setting.
pub(crate) struct Setting<'a> {
    /// Language, BCP 47.
    pub(crate) locale: &'a str,
    /// IANA time zone.
    pub(crate) timezone: Option<&'a str>,
    /// Whether this is the first turn.
    pub(crate) first_turn: bool,
}

/// The policy of the companion for one turn.
pub(crate) fn companion(
    snapshot: &Snapshot,
    assignment: &Assignment,
    person_id: &str,
    setting: &Setting<'_>,
    window_tokens: u32,
) -> Result<Policy, ApiError> {
    let prompt_variant = variant(snapshot, assignment, Category::SystemPrompt);
    let name = prompt_variant
        .and_then(|variant| variant.config.get("prompt"))
        .and_then(|name| name.as_str())
        .unwrap_or("companion-v2");
    let source = prompt::source(name).ok_or_else(|| ApiError::internal(format!("no prompt {name}")))?;
    let context = SessionContext {
        locale: setting.locale,
        local_hour: setting.timezone.and_then(local_hour),
        first_turn: setting.first_turn,
        display_name: None,
    };
    let model = variant(snapshot, assignment, Category::LlmModel);
    let clamp = |value: Option<f64>, default: u32, scale: f64| {
        value.map_or(default, |value| (value * scale).clamp(0.0, 1e9) as u32)
    };
    let targets = model.map(targets).unwrap_or_default();
    Ok(Policy {
        product: "companion".into(),
        prompt: prompt::build(source, &context).map_err(|error| ApiError::internal(error.to_string()))?,
        model: targets
            .first()
            .map_or_else(|| "unknown".into(), |target| target.model.clone()),
        targets,
        routing: model.map(routing).unwrap_or_default(),
        allows_reset: true,
        max_output_tokens: clamp(number(model, "max_output_tokens"), 800, 1.0),
        temperature_milli: clamp(number(model, "temperature"), 700, 1_000.0),
        window_tokens,
        snapshot_version: assignment.snapshot_version,
        variants: assignment.variants(),
        production_defaults: snapshot.production_defaults(person_id).variants(),
        reasons: assignment.reasons(),
    })
}

/// The hour where the person is; none for a zone that the runtime does not know.
pub(crate) fn local_hour(timezone: &str) -> Option<u8> {
    let options = js_sys::Object::new();
    for (key, value) in [("timeZone", timezone), ("hour", "numeric"), ("hourCycle", "h23")] {
        js_sys::Reflect::set(&options, &key.into(), &value.into()).ok()?;
    }
    let date = js_sys::Date::new(&(Date::now().as_millis() as f64).into());
    // Called through `Function`, an unknown zone is an error and not a trap.
    let format: js_sys::Function = js_sys::Reflect::get(&date, &"toLocaleString".into())
        .ok()?
        .dyn_into()
        .ok()?;
    let text = format.call2(&date, &"en-GB".into(), &options).ok()?;
    text.as_string()?.parse().ok()
}
