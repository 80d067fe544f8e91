//! A promotion under way: one object for each run, driven by its alarm. The kernel says what is to be done, this does it.
//!
//! Invariant: a state is on disk before its effect begins, and every effect has a key under which it is done once.

use crate::alerts::{self, Alert};
use crate::metrics::winner::{examine, in_words};
use crate::registry_do::order::{Order, Wish};
use crate::registry_do::{head, integer, pending, send};
use futures::lock::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::registry::{Command, State as Change};
use silent_core::statistics::NextStep;
use silent_core::time::rfc3339;
use silent_core::turn::Clock;
use silent_core::variants::Status;
use silent_core::workflow::{Answer, Approval, Effect, Ending, Event, Refused, Run, Verdict, Wanted};
use silent_edge::error::ApiError;
use silent_edge::token::Tokens;
use silent_edge::{SystemClock, http, log};
use std::panic::{RefUnwindSafe, UnwindSafe};
use worker::wasm_bindgen::JsValue;
use worker::{
    D1Database, D1PreparedStatement, DurableObject, Env, Method, Request, RequestInit, Response, Result, SqlStorage,
    State, durable_object,
};

/// The binding of the objects; each is named after its run.
const OBJECT: &str = "WORKFLOWS";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS run(id INTEGER PRIMARY KEY CHECK (id = 1), run TEXT NOT NULL, mirrored INTEGER NOT NULL) STRICT";
/// When the list in D1 is tried again, milliseconds.
const MIRROR_MS: i64 = 5_000;

type Outcome<T> = std::result::Result<T, ApiError>;

/// What the routes ask of a run.
#[derive(serde::Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Ask {
    /// To begin; a run that began stays as it is.
    Begin {
        /// As it begins.
        run: Box<Run>,
    },
    /// To approve.
    Approve {
        /// The link's round.
        round: u32,
        /// The link's version of the registry.
        snapshot_version: u64,
        /// Who, and why.
        approval: Approval,
    },
    /// To take it back.
    Cancel {
        /// Who.
        by: String,
    },
    /// To say how far it is.
    Show,
}

/// Asks a run; its record, or a refusal.
pub(crate) async fn ask(env: &Env, id: &str, ask: &Ask) -> Outcome<Run> {
    let body = serde_json::to_string(ask).map_err(|_| ApiError::internal("internal body"))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let request = Request::new_with_init("https://object/", &init)?;
    let stub = env.durable_object(OBJECT)?.get_by_name(id)?;
    let away = |error: worker::Error| ApiError::unavailable(format!("workflow: {error}"));
    let mut response = stub.fetch_with_request(request).await.map_err(away)?;
    let status = response.status_code();
    let text = response.text().await.map_err(away)?;
    if status == 200 {
        return serde_json::from_str(&text).map_err(|_| ApiError::internal("internal answer"));
    }
    let said: Value = serde_json::from_str(&text).unwrap_or_default();
    let detail = said
        .get("detail")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_string();
    Err(match status {
        403 => ApiError::Forbidden(detail),
        404 => ApiError::NotFound,
        409 => ApiError::Conflict(detail),
        410 => gone(detail),
        _ => ApiError::unavailable(format!("the workflow said {status}")),
    })
}

/// A link that leads nowhere any more.
pub(crate) fn gone(detail: impl Into<String>) -> ApiError {
    ApiError::Problem {
        status: 410,
        slug: "approval-gone",
        title: "The link does not hold any more",
        detail: detail.into(),
    }
}

/// The statement that puts a run on the list; an older state changes nothing.
pub(crate) fn put(db: &D1Database, run: &Run) -> Outcome<D1PreparedStatement> {
    let text = serde_json::to_string(run).map_err(|_| ApiError::internal("a run cannot be written"))?;
    let ended = run
        .is_over()
        .then(|| run.notes.last().map_or(run.created_at_ms, |note| note.at_ms));
    let statement = db.prepare(
        "INSERT INTO workflows(id, kind, subject, state, seq, created_at_ms, ended_at_ms, run) VALUES (?1, 'promotion', ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT(id) DO UPDATE SET state = excluded.state, seq = excluded.seq, ended_at_ms = excluded.ended_at_ms, run = excluded.run
         WHERE excluded.seq >= workflows.seq",
    );
    Ok(statement.bind(&[
        run.id.as_str().into(),
        run.target.to_string().into(),
        run.state.name().into(),
        integer(run.seq),
        integer(run.created_at_ms),
        ended.map_or(JsValue::NULL, integer),
        text.into(),
    ])?)
}

/// Wakes every run that is under way: what lost its alarm, or never heard that it began, goes on.
pub(crate) async fn wake(env: &Env) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        run: String,
    }
    let found = env
        .d1(crate::DB)?
        .prepare("SELECT run FROM workflows WHERE ended_at_ms IS NULL ORDER BY created_at_ms LIMIT 100")
        .all()
        .await?;
    for row in found.results::<Row>()? {
        let Ok(run) = serde_json::from_str::<Run>(&row.run) else {
            continue;
        };
        let id = run.id.clone();
        if let Err(error) = ask(env, &id, &Ask::Begin { run: Box::new(run) }).await {
            log::line("error", "not-called", &id, json!({"cause": format!("{error:?}")}));
        }
    }
    Ok(())
}

/// The object.
#[durable_object]
pub struct WorkflowObject {
    state: State,
    env: Env,
    /// One thing at a time: an approval and the alarm would write over each other.
    turn: Mutex<()>,
}

impl UnwindSafe for WorkflowObject {}
impl RefUnwindSafe for WorkflowObject {}

impl DurableObject for WorkflowObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            turn: Mutex::new(()),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        match self.answer(&mut request).await {
            Ok(run) => Response::from_json(&run),
            Err(error) => error.into_response("workflow"),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        if let Err(error) = self.go_on().await {
            log::line(
                "error",
                "workflow-waits",
                "workflow",
                json!({"cause": format!("{error:?}")}),
            );
            self.state.storage().set_alarm(MIRROR_MS).await?;
        }
        Response::empty()
    }
}

impl WorkflowObject {
    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    /// The run, and the state of it that the list has.
    fn load(&self) -> Outcome<Option<(Run, u64)>> {
        #[derive(Deserialize)]
        struct Row {
            run: String,
            mirrored: u64,
        }
        self.sql().exec(SCHEMA, None)?;
        let rows: Vec<Row> = self.sql().exec("SELECT run, mirrored FROM run", None)?.to_array()?;
        rows.into_iter()
            .next()
            .map(|row| {
                let run = serde_json::from_str(&row.run).map_err(|_| ApiError::internal("the run cannot be read"))?;
                Ok((run, row.mirrored))
            })
            .transpose()
    }

    fn store(&self, run: &Run) -> Outcome<()> {
        let text = serde_json::to_string(run).map_err(|_| ApiError::internal("a run cannot be written"))?;
        self.sql().exec(
            "INSERT INTO run(id, run, mirrored) VALUES (1, ?, 0) ON CONFLICT(id) DO UPDATE SET run = excluded.run",
            vec![text.into()],
        )?;
        Ok(())
    }

    async fn answer(&self, request: &mut Request) -> Outcome<Run> {
        let bytes = http::body_up_to(request, 1 << 20).await?;
        let asked: Ask = serde_json::from_slice(&bytes).map_err(|_| ApiError::internal("internal body"))?;
        let _turn = self.turn.lock().await;
        let known = self.load()?.map(|(run, _)| run);
        let (mut run, event) = match (asked, known) {
            (Ask::Begin { run }, None) => {
                self.store(&run)?;
                self.arm(&run, 0).await?;
                return Ok(*run);
            }
            (_, None) => return Err(ApiError::NotFound),
            (Ask::Show, Some(run)) => return Ok(run),
            (Ask::Begin { .. }, Some(run)) => {
                if !run.is_over() {
                    self.arm(&run, 0).await?;
                }
                return Ok(run);
            }
            (Ask::Cancel { by }, Some(run)) => (run, Event::Cancelled { by }),
            (
                Ask::Approve {
                    round,
                    snapshot_version,
                    approval,
                },
                Some(run),
            ) => {
                let current_version = head(&self.env).await?.version();
                let event = Event::Approved {
                    round,
                    snapshot_version,
                    current_version,
                    approval,
                };
                (run, event)
            }
        };
        let taken = run.take(&event, SystemClock.now_ms());
        self.store(&run)?;
        self.arm(&run, 0).await?;
        match taken {
            Ok(()) => Ok(run),
            Err(why @ (Refused::Author | Refused::Program)) => Err(ApiError::Forbidden(why.to_string())),
            Err(why @ (Refused::Used | Refused::Expired)) => Err(gone(why.to_string())),
            Err(why) => Err(ApiError::Conflict(why.to_string())),
        }
    }

    /// Takes the run as far as it goes now.
    async fn go_on(&self) -> Outcome<()> {
        let _turn = self.turn.lock().await;
        let Some((mut run, mirrored)) = self.load()? else {
            return Ok(());
        };
        loop {
            run.take(&Event::Rang, SystemClock.now_ms()).ok();
            self.store(&run)?;
            let is_due = run.due_at_ms().is_some_and(|due_ms| due_ms <= SystemClock.now_ms());
            let Some(effect) = run.effect().filter(|_| is_due) else {
                break;
            };
            let key = run.key();
            let answer = self.act(&run, &effect).await.unwrap_or_else(|error| match error {
                ApiError::NotFound => Answer::Refused("it is gone".into()),
                ApiError::Conflict(why) | ApiError::Invalid(why) => Answer::Refused(why),
                error => Answer::Away(format!("{error:?}")),
            });
            log::line(
                "info",
                "workflow-step",
                &run.id,
                json!({"state": run.state.name(), "round": run.round, "failures": run.failures}),
            );
            run.take(&Event::Done { key, answer }, SystemClock.now_ms()).ok();
            self.store(&run)?;
        }
        self.arm(&run, mirrored).await
    }

    /// Writes the state onto the list, and sets the alarm to what comes next.
    async fn arm(&self, run: &Run, mirrored: u64) -> Outcome<()> {
        let written = async { put(&self.env.d1(crate::DB)?, run)?.run().await.map_err(ApiError::from) };
        let is_listed = mirrored == run.seq || written.await.is_ok();
        if is_listed {
            self.sql()
                .exec("UPDATE run SET mirrored = ?", vec![(run.seq as f64).into()])?;
        }
        let wait_ms = run
            .due_at_ms()
            .map(|due_ms| i64::try_from(due_ms.saturating_sub(SystemClock.now_ms())).unwrap_or(i64::MAX));
        let wait_ms = match (wait_ms, is_listed) {
            (wait_ms, false) => Some(wait_ms.map_or(MIRROR_MS, |wait_ms| wait_ms.min(MIRROR_MS))),
            (wait_ms, true) => wait_ms,
        };
        match wait_ms {
            Some(wait_ms) => self.state.storage().set_alarm(wait_ms).await?,
            None => self.state.storage().delete_alarm().await?,
        }
        Ok(())
    }

    async fn act(&self, run: &Run, effect: &Effect) -> Outcome<Answer> {
        match effect {
            Effect::Test => self.test(run).await.map(Answer::Tested),
            Effect::Ask(wanted) => self.ask_somebody(run, *wanted).await,
            Effect::Request(wanted) => self.request(run, *wanted).await,
            Effect::Sign { change, approval } => self.sign(run, change, approval).await,
            Effect::Look { change } => self.look(change).await,
            Effect::Tell(ending) => {
                let subject = run.target.to_string();
                let text = format!("The promotion of {subject} ended: {}", told(ending));
                let figures = json!({"run": run.id, "ending": ending, "author": run.author.id});
                let alert = Alert::new(format!("workflow:{}", run.key()), "workflow", subject, text, figures);
                alerts::raise(&self.env, &alert).await?;
                Ok(Answer::Sent)
            }
        }
    }

    async fn test(&self, run: &Run) -> Outcome<Verdict> {
        let snapshot = head(&self.env).await?;
        let target = &run.target;
        let Some(variant) = snapshot.variant(target.category, &target.id) else {
            return Ok(Verdict::Stop("the variant is gone".into()));
        };
        if variant.status != Status::Staged || !variant.is_challenger() {
            return Ok(Verdict::Stop("the variant is not staged with traffic".into()));
        }
        let examined = examine(&self.env.d1(crate::DB)?, &snapshot, target, SystemClock.now_ms()).await?;
        let why = in_words(&examined.unmet);
        Ok(match examined.comparison.decision.next {
            _ if examined.unmet.is_empty() => Verdict::Ready {
                snapshot_version: snapshot.version(),
                variant_version: variant.version,
            },
            NextStep::RollBack | NextStep::InvestigateSampleRatio => Verdict::Stop(why),
            _ => Verdict::Wait(why),
        })
    }

    async fn ask_somebody(&self, run: &Run, wanted: Wanted) -> Outcome<Answer> {
        let thing = format!("{}.{}.{}", run.id, run.round, wanted.snapshot_version);
        let token = Tokens::read(&self.env)?.issue_approval(&thing, wanted.expires_at_ms)?;
        let link = format!("{}/admin/v1/approvals?token={token}", run.origin);
        let (subject, until) = (run.target.to_string(), rfc3339(wanted.expires_at_ms));
        let text = format!(
            "{subject} has won and waits for another admin's approval, until {until}. {} says: {}. {link}",
            run.author.id, run.reason
        );
        let figures = json!({"run": run.id, "author": run.author.id, "link": link, "expires_at": until,
            "snapshot_version": wanted.snapshot_version, "variant_version": wanted.variant_version});
        let alert = Alert::new(format!("workflow:{}", run.key()), "approval", subject, text, figures);
        alerts::raise(&self.env, &alert).await?;
        Ok(Answer::Sent)
    }

    async fn request(&self, run: &Run, wanted: Wanted) -> Outcome<Answer> {
        let order = Order {
            actor: run.author.clone(),
            key: run.key(),
            fingerprint: run.key(),
            reason: run.reason.clone(),
            expected_version: Some(wanted.variant_version),
            confirm: false,
            wish: Wish::Change {
                command: Command::Promote {
                    target: run.target.clone(),
                },
            },
        };
        Ok(match send(&self.env, &order, &run.id).await? {
            Ok(outcome) => match outcome.body.pointer("/change/id").and_then(Value::as_str) {
                Some(change) => Answer::Requested(change.into()),
                None => Answer::Refused("the registry asked nobody".into()),
            },
            Err((_, why)) => Answer::Refused(why),
        })
    }

    async fn sign(&self, run: &Run, change: &str, approval: &Approval) -> Outcome<Answer> {
        let order = Order {
            actor: approval.by.clone(),
            key: run.key(),
            fingerprint: run.key(),
            reason: approval.reason.clone(),
            expected_version: None,
            confirm: false,
            wish: Wish::Sign { change: change.into() },
        };
        match send(&self.env, &order, &run.id).await? {
            Ok(outcome) => {
                let state = outcome.body.pointer("/change/state").cloned().unwrap_or_default();
                serde_json::from_value(state)
                    .map(Answer::Change)
                    .map_err(|_| ApiError::internal("internal answer"))
            }
            // Somebody else was faster with the change itself, either way.
            Err((409, why)) => match self.look(change).await? {
                Answer::Change(Change::Waiting) => Ok(Answer::Refused(why)),
                answer => Ok(answer),
            },
            Err((_, why)) => Ok(Answer::Refused(why)),
        }
    }

    async fn look(&self, change: &str) -> Outcome<Answer> {
        let found = pending(&self.env.d1(crate::DB)?, change).await?;
        Ok(found.map_or_else(
            || Answer::Refused("the registry's change is gone".into()),
            |change| Answer::Change(change.state),
        ))
    }
}

fn told(ending: &Ending) -> String {
    match ending {
        Ending::Promoted => "it is in production".into(),
        Ending::Rejected { why } => format!("it was rejected ({why})"),
        Ending::Undecided { why } => format!("the figures could not tell ({why})"),
        Ending::Expired => "nobody approved in time".into(),
        Ending::Cancelled { by } => format!("{by} took it back"),
        Ending::Failed { why } => format!("it failed ({why})"),
    }
}
