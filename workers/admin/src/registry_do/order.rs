//! What the routes ask of the registry's object, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use silent_core::pipeline::Day;
use silent_core::registry::{Actor, Command, Target};
use silent_core::workflow::Run;

/// One wish of an admin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Who.
    pub(crate) actor: Actor,
    /// The `Idempotency-Key`.
    pub(crate) key: String,
    /// SHA-256 of method, path and body.
    pub(crate) fingerprint: String,
    /// Why.
    pub(crate) reason: String,
    /// The version that the admin saw.
    pub(crate) expected_version: Option<u64>,
    /// Whether a large step was confirmed.
    pub(crate) confirm: bool,
    /// What.
    pub(crate) wish: Wish,
}

/// What an admin wishes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub(crate) enum Wish {
    /// To change the registry.
    Change {
        /// How.
        command: Command,
    },
    /// To say the second word for a change that waits.
    Sign {
        /// Its id.
        change: String,
    },
    /// To take a change back.
    Cancel {
        /// Its id.
        change: String,
    },
    /// To make an API key, whose secret only the admin sees.
    CreateKey {
        /// Its id.
        id: String,
        /// What for.
        name: String,
        /// SHA-256 of the secret, hexadecimal.
        hash: String,
        /// What it opens.
        scopes: Vec<String>,
    },
    /// To revoke one.
    RevokeKey {
        /// Its id.
        id: String,
    },
    /// To have dead letters stored after all: one, or all that wait.
    ReplayDeadLetters {
        /// Which.
        id: Option<String>,
    },
    /// To confirm that a variant missed a crisis of a live session.
    ConfirmMiss {
        /// Which variant.
        target: Target,
        /// SHA-256 of the turn's event id, hexadecimal: the log holds nobody.
        turn: String,
    },
    /// To have a canary promoted by a workflow.
    StartPromotion {
        /// The run as it begins.
        run: Box<Run>,
    },
    /// To take a workflow back.
    CancelWorkflow {
        /// Its id.
        id: String,
    },
    /// To have an alert delivered again.
    DeliverAlert {
        /// Its message's id.
        message: String,
    },
    /// To have days of gold rebuilt from bronze.
    RebuildGold {
        /// First day.
        from: Day,
        /// Last day.
        to: Day,
    },
    /// To hand out a signed link that shows variants to testers.
    Preview {
        /// Variant by category.
        overrides: Value,
        /// Milliseconds since 1970.
        expires_at_ms: u64,
    },
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The HTTP status: 200 done, 201 made, 202 waits.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Value,
    /// Whether it was done before, under the same key.
    #[serde(default)]
    pub(crate) replayed: bool,
}
