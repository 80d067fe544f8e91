//! The use case: from what the person said to a stored, streamed answer.

use super::answer::Answer;
use super::traced;
use super::{
    Attempt, Clock, ConversationStore, EVENT_VERSION, Kind, LlmEvent, LlmProvider, LlmRequest, Metadata, Part,
    PartSink, ProviderError, SafetyGate, SafetyModel, Status, StopReason, TokenStream, TurnEvent, TurnRecord,
};
use crate::conversation::Message;
use crate::ids::{PersonId, SessionId, TurnId};
use crate::memory;
use crate::prompt::SystemPrompt;
use crate::response::SentenceBuffer;
use crate::router::{Routing, Target};
use crate::safety::output::Guard;
use crate::safety::{self, Assessment, CrisisResponse, Evidence, Level, SafeExit, SafetyState};
use crate::time::rfc3339;
use crate::trace::names;
use crate::trace::{Recorder, TraceContext};
use crate::variants::{Category, Reason};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::{Pin, pin};
use futures::future::{Either, select};
use serde_json::json;

/// Said at the start of every session, shown for as long as it lasts, and repeated in it.
pub const DISCLOSURE: &str =
    "You are talking with an AI, not a person. It is no therapy and no emergency service, and it can be wrong.";

/// The product's policy for this turn, read from its variants.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The product's name.
    pub product: String,
    /// The system prompt, built.
    pub prompt: SystemPrompt,
    /// The model that the assignment asks for.
    pub model: String,
    /// Who may answer: the assignment's own choice first, then its fall-backs.
    pub targets: Vec<Target>,
    /// Who of them is asked first.
    pub routing: Routing,
    /// Whether the sink can take back what was said.
    pub allows_reset: bool,
    /// Limit of the answer, in tokens.
    pub max_output_tokens: u32,
    /// Temperature in thousandths.
    pub temperature_milli: u32,
    /// Budget of the conversation window, in tokens.
    pub window_tokens: u32,
    /// Version of the registry snapshot.
    pub snapshot_version: u64,
    /// Variant by category, as pinned at the session's start.
    pub variants: BTreeMap<String, String>,
    /// Production default by category: what holds at crisis level 2 and above.
    pub production_defaults: BTreeMap<String, String>,
    /// Why, by category, where it is not the plain default.
    pub reasons: BTreeMap<String, Reason>,
}

/// One turn to process.
#[derive(Debug, Clone)]
pub struct TurnInput {
    /// The session.
    pub session_id: SessionId,
    /// Its owner.
    pub person_id: PersonId,
    /// The turn.
    pub turn_id: TurnId,
    /// Position in the session, from 1.
    pub seq: u64,
    /// How it came about.
    pub kind: Kind,
    /// Id of the answer's message.
    pub message_id: String,
    /// When it was accepted.
    pub accepted_at_ms: u64,
    /// The conversation so far, the person's message last.
    pub messages: Vec<Message>,
    /// The person's language, BCP 47.
    pub locale: String,
    /// Country of the request, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Where what happens is recorded, and the context of it.
    pub trace: Rc<Recorder>,
    /// The gate's memory of earlier turns.
    pub safety_state: SafetyState,
}

/// Runs one turn to its end.
///
/// `stopped` resolves when the person stops the turn; dropping the model's stream then stops it upstream. Every
/// outcome is recorded: a failure to reach the model, a stop, a crisis. If the store refuses the record, the client
/// is told that the turn failed.
#[allow(clippy::too_many_arguments, reason = "one argument for each port")]
pub async fn process_turn(
    input: TurnInput,
    policy: &Policy,
    provider: &impl LlmProvider,
    first_stage: &impl SafetyGate,
    second_stage: &impl SafetyModel,
    store: &mut impl ConversationStore,
    out: &mut impl PartSink,
    clock: &impl Clock,
    stopped: impl Future<Output = ()>,
) {
    let began_ms = clock.now_ms();
    let mut stopped = pin!(stopped);
    let mut state = input.safety_state;
    let said = input.messages.last().map_or("", |message| message.text.as_str());
    let span = input.trace.start(names::GUARDRAILS, began_ms);
    input.trace.event(input.trace.turn(), names::BEGAN, began_ms);
    let context = input.trace.context().at(span);
    let judged = gate(said, &input.messages, &mut state, &context, first_stage, second_stage).await;
    traced::judged(&input.trace, span, judged.as_ref(), clock.now_ms());
    let assessment = judged.clone().unwrap_or_default();
    let level = assessment.level.get();

    let mut metadata = Metadata {
        turn_id: input.turn_id.clone(),
        status: Status::Running,
        created_at: rfc3339(input.accepted_at_ms),
        provider: None,
        model: None,
        crisis_level: judged.is_some().then_some(level),
        replaced_by: None,
    };
    out.emit(Part::Start {
        message_id: input.message_id.clone(),
        message_metadata: metadata.clone(),
    });
    // Before the step: what is in it may be taken back.
    if state.disclosure_due(began_ms) {
        out.emit(Part::DataDisclosure {
            data: json!({"text": DISCLOSURE}),
        });
    }
    out.emit(Part::StartStep);
    let region = input.country.as_deref();
    let mut answer = match assessment.safe_exit {
        _ if judged.is_none() => {
            // Unjudged is not harmless: no model is asked, and help is shown.
            let help = safety::supportive_note(&input.locale, region);
            out.emit(Part::DataSafety {
                data: json!({"level": 1, "text": help.text, "resources": help.resources}),
            });
            Answer {
                status: Status::Failed,
                error: Some(ProviderError::Unjudged),
                ..Answer::new("none", "none")
            }
        }
        _ if level >= 2 => {
            let help = safety::response(assessment.level, &input.locale, region);
            fixed_answer(help, &assessment, out)
        }
        Some(SafeExit::Leave) => {
            out.emit(Part::DataSafety {
                data: json!({"level": level, "exit": SafeExit::Leave, "resources": []}),
            });
            Answer::fixed()
        }
        Some(SafeExit::Human) => fixed_answer(safety::human_wanted(region), &assessment, out),
        None => {
            let answer = model_answer(&input, policy, provider, out, clock, stopped.as_mut()).await;
            if level == 1 {
                let note = safety::supportive_note(&input.locale, region);
                out.emit(Part::DataSafety {
                    data: json!({"level": level, "text": note.text, "resources": note.resources}),
                });
            }
            answer
        }
    };

    let event = record_event(&input, policy, &assessment, &answer, began_ms, clock.now_ms());
    metadata.status = answer.status;
    metadata.provider = Some(answer.provider.clone());
    metadata.model = Some(answer.model.clone());
    let last = last_parts(&answer, metadata.clone());
    let record = TurnRecord {
        event,
        answer: core::mem::take(&mut answer.text),
        safety_state: state,
    };
    let last = match store.commit(&record, &last).await {
        Ok(()) => last,
        Err(_) => {
            input.trace.fail(input.trace.turn(), "store");
            metadata.status = Status::Failed;
            answer.status = Status::Failed;
            last_parts(&answer, metadata)
        }
    };
    for part in last {
        out.emit(part);
    }
}

/// The record of a turn that was never answered: stopped while it waited, or interrupted by the loss of its object.
///
/// The gate has not judged it, which its level and rules say by being empty.
#[must_use]
pub fn unanswered(input: &TurnInput, policy: &Policy, status: Status, now_ms: u64) -> (TurnRecord, Vec<Part>) {
    let mut answer = Answer::new("none", "none");
    answer.status = status;
    let event = record_event(input, policy, &Assessment::default(), &answer, now_ms, now_ms);
    let metadata = Metadata {
        turn_id: input.turn_id.clone(),
        status,
        created_at: rfc3339(input.accepted_at_ms),
        provider: None,
        model: None,
        crisis_level: None,
        replaced_by: None,
    };
    let mut parts = vec![
        Part::Start {
            message_id: input.message_id.clone(),
            message_metadata: metadata.clone(),
        },
        Part::StartStep,
    ];
    parts.extend(last_parts(&answer, metadata));
    (
        TurnRecord {
            event,
            answer: String::new(),
            safety_state: input.safety_state,
        },
        parts,
    )
}

/// Both stages of the crisis gate; none where the first one is away. The second one only raises; where it fails the
/// rules stand and help is shown.
async fn gate(
    said: &str,
    messages: &[Message],
    state: &mut SafetyState,
    trace: &TraceContext,
    first: &impl SafetyGate,
    second: &impl SafetyModel,
) -> Option<Assessment> {
    let mut assessment = first.assess(said, state).await.ok()?;
    if !assessment.uncertain || assessment.level.get() >= 2 {
        return Some(assessment);
    }
    let judged = second.judge(messages, trace).await;
    let level = judged.unwrap_or_default().max(Level::new(1)).max(assessment.level);
    if judged.is_some_and(|judged| judged > assessment.level) {
        assessment.evidence.push(Evidence {
            rule_id: "model".into(),
            level,
        });
        state.raise(level);
    }
    assessment.level = level;
    Some(assessment)
}

/// The fixed text and the resources of the person's region; no model is asked.
fn fixed_answer(help: CrisisResponse, assessment: &Assessment, out: &mut impl PartSink) -> Answer {
    let mut answer = Answer::fixed();
    answer.say(out, help.text);
    answer.close(out);
    out.emit(Part::DataSafety {
        data: json!({
            "level": assessment.level.get(),
            "exit": assessment.safe_exit,
            "resources": help.resources,
        }),
    });
    answer
}

async fn model_answer<P: LlmProvider>(
    input: &TurnInput,
    policy: &Policy,
    provider: &P,
    out: &mut impl PartSink,
    clock: &impl Clock,
    mut stopped: Pin<&mut impl Future<Output = ()>>,
) -> Answer {
    let mut call = traced::Call::new(&input.trace, clock.now_ms());
    let window = memory::window(&input.messages, policy.window_tokens);
    let request = LlmRequest {
        model: policy.model.clone(),
        system: policy.prompt.text.clone(),
        messages: window.messages.to_vec(),
        max_output_tokens: policy.max_output_tokens,
        temperature_milli: policy.temperature_milli,
        response_schema: None,
        trace: Some(call.context()),
    };
    let guard = Guard::new(policy.prompt.confidential());
    let mut answer = Answer::new(provider.name(), &policy.model);
    let mut sentences = SentenceBuffer::new();

    let opening = match select(stopped.as_mut(), pin!(provider.stream(&request))).await {
        Either::Left(_) => None,
        Either::Right((opening, _)) => Some(opening),
    };
    answer.is_degraded = provider.is_degraded();
    match opening {
        None => answer.status = Status::Stopped,
        Some(Err(error)) => answer.error = Some(error),
        Some(Ok(mut stream)) => {
            loop {
                let next = match select(stopped.as_mut(), pin!(stream.next())).await {
                    Either::Left(_) => {
                        answer.status = Status::Stopped;
                        break;
                    }
                    Either::Right((next, _)) => next,
                };
                match next {
                    Some(Ok(LlmEvent::Delta(text))) => {
                        let at_ms = *answer.first_token_at_ms.get_or_insert_with(|| clock.now_ms());
                        call.first_token(at_ms);
                        for sentence in sentences.push(&text) {
                            answer.say_guarded(out, &guard, &sentence);
                        }
                    }
                    Some(Ok(LlmEvent::Reset)) if answer.text.is_empty() || policy.allows_reset => {
                        sentences = SentenceBuffer::new();
                        answer.reset(out);
                    }
                    // What was said cannot be taken back here, and is not whole.
                    Some(Ok(LlmEvent::Reset)) => {
                        answer.error = Some(ProviderError::Truncated);
                        break;
                    }
                    Some(Ok(event)) => answer.note(event),
                    Some(Err(error)) => {
                        answer.error = Some(error);
                        break;
                    }
                    None => {
                        if answer.stop.is_none() {
                            answer.error = Some(ProviderError::Truncated);
                        }
                        break;
                    }
                }
            }
            for event in stream.abandon() {
                answer.note(event);
            }
        }
    }
    // What is left in the buffer was said by the model: the person sees it, guarded, also after a stop.
    if let Some(rest) = sentences.finish() {
        answer.say_guarded(out, &guard, &rest);
    }
    answer.close(out);
    if answer.error.is_some() {
        answer.status = Status::Failed;
    }
    call.end(&answer.attempts, &answer.call(input, policy), clock.now_ms());
    answer
}

fn last_parts(answer: &Answer, metadata: Metadata) -> Vec<Part> {
    let end = match answer.status {
        Status::Done => Part::Finish {
            finish_reason: answer.stop.unwrap_or(StopReason::Stop).as_str().into(),
        },
        Status::Stopped => Part::Abort {
            reason: "stopped".into(),
        },
        _ => Part::Error {
            error_text: match answer.error {
                Some(ProviderError::Busy { .. } | ProviderError::Overloaded { .. }) => {
                    "The model is busy right now. Please try again in a moment."
                }
                Some(_) => "The answer could not be completed. Please try again.",
                None if answer.status == Status::Interrupted => "The answer was interrupted. Please try again.",
                None => "The answer could not be saved. Please try again.",
            }
            .into(),
        },
    };
    let metadata = Part::MessageMetadata {
        message_metadata: metadata,
    };
    vec![Part::FinishStep, metadata, end, Part::Done]
}

fn record_event(
    input: &TurnInput,
    policy: &Policy,
    assessment: &Assessment,
    answer: &Answer,
    began_ms: u64,
    ended_ms: u64,
) -> TurnEvent {
    let crisis = assessment.level.get() >= 2;
    let (usage, cost_micros) = answer.charged();
    let event = TurnEvent {
        event_id: format!("{}:{}", input.session_id, input.seq),
        version: EVENT_VERSION,
        session_id: input.session_id.clone(),
        person_id: input.person_id.clone(),
        turn_id: input.turn_id.clone(),
        seq: input.seq,
        kind: input.kind,
        product: policy.product.clone(),
        status: answer.status,
        accepted_at_ms: input.accepted_at_ms,
        queued_ms: began_ms.saturating_sub(input.accepted_at_ms),
        ttft_ms: answer.first_token_at_ms.map(|at| at.saturating_sub(began_ms)),
        total_ms: ended_ms.saturating_sub(began_ms),
        provider: answer.provider.clone(),
        model: answer.model.clone(),
        requested_model: policy.model.clone(),
        prompt_version: policy.prompt.version.clone(),
        snapshot_version: policy.snapshot_version,
        variants: if crisis {
            policy.production_defaults.clone()
        } else {
            policy.variants.clone()
        },
        reasons: if crisis {
            BTreeMap::new()
        } else {
            reasons(policy, answer)
        },
        crisis_override: crisis,
        crisis_level: assessment.level.get(),
        safety_rules: assessment
            .evidence
            .iter()
            .map(|evidence| evidence.rule_id.to_string())
            .collect(),
        safety_tags: assessment.tags.clone(),
        rules_version: assessment.rules_version.to_string(),
        injection_suspected: assessment.injection_suspected,
        guardrails: answer.guardrails.clone(),
        usage,
        cost_micros,
        mixed_providers: is_mixed(&answer.attempts),
        attempts: answer.attempts.clone(),
        finish_reason: answer.stop.map_or("none", StopReason::slug).into(),
        error: answer.error.as_ref().map(|error| error.slug().into()),
        country: input.country.clone(),
        trace_id: Some(input.trace.context().trace_id.hex()),
    };
    traced::recorded(&input.trace, &event);
    event
}

/// Why each variant, where it is not the plain default: an answer that a budget changed is none of its model or prompt.
fn reasons(policy: &Policy, answer: &Answer) -> BTreeMap<String, Reason> {
    let mut reasons = policy.reasons.clone();
    if answer.is_degraded {
        reasons.extend(
            [Category::LlmModel, Category::SystemPrompt].map(|category| (category.as_str().into(), Reason::Degraded)),
        );
    }
    reasons
}

/// Whether the attempts were at more than one model.
fn is_mixed(attempts: &[Attempt]) -> bool {
    let asked = |attempt: &Attempt| (attempt.provider.clone(), attempt.model.clone());
    attempts
        .first()
        .is_some_and(|first| attempts.iter().any(|other| asked(other) != asked(first)))
}
