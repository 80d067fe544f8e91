//! Every route of the admin API, once: the dispatcher and the OpenAPI document both read this.

mod route;
#[cfg(test)]
mod tests;

use super::providers::MAX_HOURS;
use route::{CHANGE, read, versioned, write};
pub(crate) use route::{Kind, Query, Route};

/// What answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    Me,
    Document,
    Categories,
    Variants,
    CreateVariant,
    Variant,
    EditVariant,
    Rollout,
    Cohorts,
    Promote,
    Demote,
    Pause,
    Rollback,
    Retire,
    KillSwitch,
    SetKillSwitch,
    Changes,
    Change,
    ConfirmChange,
    CancelChange,
    Snapshot,
    Explain,
    Audit,
    VerifyAudit,
    PreviewLink,
    ApiKeys,
    CreateApiKey,
    RevokeApiKey,
    Overview,
    Series,
    Compare,
    Live,
    Safety,
    Costs,
    Providers,
    RebuildGold,
    DeadLetters,
    DeadLetter,
    ReplayDeadLetter,
    ReplayDeadLetters,
    PromoteWinner,
    RecordReplay,
    ConfirmLiveMiss,
    Alerts,
    DeliverAlert,
    Workflows,
    StartPromotion,
    Workflow,
    CancelWorkflow,
    OpenApproval,
    Approve,
}

const AT_ONCE: &[(u16, &str)] = &[(200, "Changed")];
const PAGE: u32 = 200;
const DAYS: Query = ("days", Kind::Days, "So many days, the last one today");

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    read("/admin/v1/me", Handler::Me, "Who you are", &[], &[(200, "Me")]),
    read(
        "/admin/v1/openapi.json",
        Handler::Document,
        "This document",
        &[],
        &[(200, "Document")],
    ),
    read(
        "/admin/v1/categories",
        Handler::Categories,
        "What can vary, and what its configuration looks like",
        &[],
        &[(200, "Categories")],
    ),
    read(
        "/admin/v1/variants",
        Handler::Variants,
        "Variants, filtered",
        &[
            ("category", Kind::Category, "Only of this category"),
            ("status", Kind::Status, "Only of this status"),
            ("cohort", Kind::Cohort, "Only open to this cohort"),
            ("q", Kind::Text(100), "Only with these words in id or description"),
            ("limit", Kind::Limit(PAGE), "At most so many"),
            ("cursor", Kind::Cursor, "Goes on after the last page"),
        ],
        &[(200, "Variants")],
    ),
    write(
        "/admin/v1/variants",
        Handler::CreateVariant,
        "A new variant: experimental, without traffic",
        "Create",
        &[(201, "Changed")],
    ),
    read(
        "/admin/v1/variants/{category}/{id}",
        Handler::Variant,
        "A variant; its version is the ETag",
        &[],
        &[(200, "Variant")],
    ),
    Route {
        method: "PATCH",
        ..versioned(
            "/admin/v1/variants/{category}/{id}",
            Handler::EditVariant,
            "Another description or configuration",
            "Edit",
        )
    },
    versioned(
        "/admin/v1/variants/{category}/{id}/rollout",
        Handler::Rollout,
        "Another share of the traffic",
        "Rollout",
    ),
    versioned(
        "/admin/v1/variants/{category}/{id}/cohorts",
        Handler::Cohorts,
        "Other cohorts",
        "Cohorts",
    ),
    versioned(
        "/admin/v1/variants/{category}/{id}/promote",
        Handler::Promote,
        "One step up; production needs another admin's approval",
        "Reason",
    ),
    write(
        "/admin/v1/variants/{category}/{id}/demote",
        Handler::Demote,
        "Back to experimental, without traffic",
        "Reason",
        AT_ONCE,
    ),
    write(
        "/admin/v1/variants/{category}/{id}/pause",
        Handler::Pause,
        "No traffic for now",
        "Reason",
        AT_ONCE,
    ),
    write(
        "/admin/v1/variants/{category}/{id}/rollback",
        Handler::Rollback,
        "Undoes the variant's last change",
        "Reason",
        AT_ONCE,
    ),
    write(
        "/admin/v1/variants/{category}/{id}/retire",
        Handler::Retire,
        "The end of its life",
        "Reason",
        AT_ONCE,
    ),
    versioned(
        "/admin/v1/variants/{category}/{id}/promote-winner",
        Handler::PromoteWinner,
        "One step up, where the figures since the last change meet every condition; else each one that is not met",
        "Reason",
    ),
    write(
        "/admin/v1/variants/{category}/{id}/replays",
        Handler::RecordReplay,
        "What the labelled corpus showed of the variant; a new miss takes a canary back",
        "Replay",
        AT_ONCE,
    ),
    write(
        "/admin/v1/variants/{category}/{id}/live-misses",
        Handler::ConfirmLiveMiss,
        "Confirms that the variant missed a crisis in a turn: a canary goes back at once",
        "LiveMiss",
        AT_ONCE,
    ),
    read(
        "/admin/v1/alerts",
        Handler::Alerts,
        "Alerts and their deliveries, the newest first",
        &[
            ("kind", Kind::Text(40), "Only of this kind"),
            ("before", Kind::Number, "Only before this time, milliseconds since 1970"),
            ("limit", Kind::Limit(PAGE), "At most so many"),
        ],
        &[(200, "Alerts")],
    ),
    write(
        "/admin/v1/alerts/{alert}/deliveries",
        Handler::DeliverAlert,
        "Has an alert delivered again, to every channel that it had",
        "Reason",
        &[(202, "DeliveryWanted")],
    ),
    read(
        "/admin/v1/workflows",
        Handler::Workflows,
        "Promotions under way or over, the newest first",
        &[
            ("open", Kind::Boolean, "Only those that are under way, or over"),
            ("limit", Kind::Limit(PAGE), "At most so many"),
        ],
        &[(200, "Workflows")],
    ),
    write(
        "/admin/v1/workflows",
        Handler::StartPromotion,
        "Begins a promotion: collect, test, ask another admin, promote, tell",
        "StartPromotion",
        &[(202, "WorkflowStarted")],
    ),
    read(
        "/admin/v1/workflows/{run}",
        Handler::Workflow,
        "A promotion and its steps",
        &[],
        &[(200, "Workflow")],
    ),
    write(
        "/admin/v1/workflows/{run}/cancel",
        Handler::CancelWorkflow,
        "Takes a promotion back before it is approved",
        "Reason",
        &[(202, "Workflow")],
    ),
    read(
        "/admin/v1/approvals",
        Handler::OpenApproval,
        "What a link asks to be approved: a page, or JSON",
        &[("token", Kind::Needed(&Kind::Text(2_000)), "The link's")],
        &[(200, "ApprovalAsked")],
    ),
    write(
        "/admin/v1/approvals",
        Handler::Approve,
        "Approves what a link asks, once; the author cannot",
        "Approve",
        &[(200, "Workflow")],
    ),
    read(
        "/admin/v1/kill-switch",
        Handler::KillSwitch,
        "Categories whose experiments are switched off",
        &[],
        &[(200, "Killed")],
    ),
    write(
        "/admin/v1/kill-switch",
        Handler::SetKillSwitch,
        "Switches experiments off or on again, in running sessions too",
        "Kill",
        AT_ONCE,
    ),
    read(
        "/admin/v1/changes",
        Handler::Changes,
        "Changes that wait or waited, the newest first",
        &[
            ("state", Kind::State, "Only in this state"),
            ("limit", Kind::Limit(PAGE), "At most so many"),
        ],
        &[(200, "Changes")],
    ),
    read(
        "/admin/v1/changes/{change}",
        Handler::Change,
        "A change that waits or waited",
        &[],
        &[(200, "Change")],
    ),
    write(
        "/admin/v1/changes/{change}/confirm",
        Handler::ConfirmChange,
        "The second word; the author of a promotion cannot say it",
        "Reason",
        CHANGE,
    ),
    write(
        "/admin/v1/changes/{change}/cancel",
        Handler::CancelChange,
        "Takes a change back before it takes effect",
        "Reason",
        &[(200, "Waits")],
    ),
    read(
        "/admin/v1/snapshot",
        Handler::Snapshot,
        "The snapshot that holds now",
        &[],
        &[(200, "Snapshot")],
    ),
    read(
        "/admin/v1/explain",
        Handler::Explain,
        "Why a person has their variants",
        &[
            ("person_id", Kind::Text(128), "Whose"),
            ("category", Kind::Category, "Only of this category"),
            ("new_user", Kind::Boolean, "As in their first session"),
            ("paid", Kind::Boolean, "As somebody who pays"),
        ],
        &[(200, "Explanations")],
    ),
    read(
        "/admin/v1/audit",
        Handler::Audit,
        "The audit log, the newest entries first",
        &[
            ("subject", Kind::Text(200), "Only about this: CATEGORY/id"),
            ("actor", Kind::Text(254), "Only by this admin"),
            ("action", Kind::Text(40), "Only of this action"),
            ("before", Kind::Number, "Only entries before this one"),
            ("limit", Kind::Limit(PAGE), "At most so many"),
        ],
        &[(200, "Audit")],
    ),
    read(
        "/admin/v1/audit/verify",
        Handler::VerifyAudit,
        "Walks the audit log's chain",
        &[],
        &[(200, "Verdict")],
    ),
    write(
        "/admin/v1/preview-links",
        Handler::PreviewLink,
        "A signed link that shows variants to testers",
        "Preview",
        &[(201, "PreviewLink")],
    ),
    read(
        "/admin/v1/api-keys",
        Handler::ApiKeys,
        "API keys, without their secrets",
        &[],
        &[(200, "ApiKeys")],
    ),
    write(
        "/admin/v1/api-keys",
        Handler::CreateApiKey,
        "A new API key; its secret is shown once",
        "CreateKey",
        &[(201, "CreatedKey")],
    ),
    Route {
        method: "DELETE",
        ..write(
            "/admin/v1/api-keys/{key}",
            Handler::RevokeApiKey,
            "Revokes an API key",
            "Reason",
            &[(200, "RevokedKey")],
        )
    },
    read(
        "/admin/v1/metrics/overview",
        Handler::Overview,
        "Every variant's days, and all together",
        &[("category", Kind::Category, "Only of this category"), DAYS],
        &[(200, "Overview")],
    ),
    read(
        "/admin/v1/metrics/series",
        Handler::Series,
        "A variant's days",
        &[
            ("category", Kind::Needed(&Kind::Category), "The variant's category"),
            ("id", Kind::Needed(&Kind::VariantId), "The variant"),
            DAYS,
        ],
        &[(200, "Series")],
    ),
    read(
        "/admin/v1/metrics/compare",
        Handler::Compare,
        "Two variants over a range of days: tests, gates, and what follows",
        &[
            ("category", Kind::Needed(&Kind::Category), "Their category"),
            (
                "control",
                Kind::Needed(&Kind::VariantId),
                "The variant that is compared to",
            ),
            (
                "treatment",
                Kind::Needed(&Kind::VariantId),
                "The variant that is compared",
            ),
            (
                "from",
                Kind::Needed(&Kind::Day),
                "First day: that of the experiment's last change",
            ),
            ("to", Kind::Needed(&Kind::Day), "Last day, at most a year later"),
            (
                "planned",
                Kind::Number,
                "Sessions of both arms that were planned before the first look, at least 1",
            ),
        ],
        &[(200, "Comparison")],
    ),
    read(
        "/admin/v1/metrics/live",
        Handler::Live,
        "The last sixty minutes and today, as they are",
        &[],
        &[(200, "Live")],
    ),
    read(
        "/admin/v1/metrics/safety",
        Handler::Safety,
        "Turns by crisis level, and where help was shown",
        &[DAYS],
        &[(200, "Safety")],
    ),
    read(
        "/admin/v1/metrics/costs",
        Handler::Costs,
        "Tokens and cost of each day and product; the budgets",
        &[DAYS],
        &[(200, "Costs")],
    ),
    read(
        "/admin/v1/providers",
        Handler::Providers,
        "How each vendor's models fared, by the attempts of turns",
        &[(
            "hours",
            Kind::Limit(MAX_HOURS),
            "So many hours back; 24 where it is not said",
        )],
        &[(200, "Providers")],
    ),
    write(
        "/admin/v1/metrics/rebuild",
        Handler::RebuildGold,
        "Has days of figures rebuilt from bronze, within minutes",
        "Rebuild",
        &[(202, "RebuildWanted")],
    ),
    read(
        "/admin/v1/dead-letters",
        Handler::DeadLetters,
        "Messages that could not be stored, the newest first",
        &[
            ("replayed", Kind::Boolean, "Only those that were replayed, or were not"),
            ("cursor", Kind::Cursor, "Goes on after the last page"),
            ("limit", Kind::Limit(PAGE), "At most so many"),
        ],
        &[(200, "DeadLetters")],
    ),
    read(
        "/admin/v1/dead-letters/{letter}",
        Handler::DeadLetter,
        "A message that could not be stored, with its body, whose text is sealed",
        &[],
        &[(200, "DeadLetter")],
    ),
    write(
        "/admin/v1/dead-letters/{letter}/replay",
        Handler::ReplayDeadLetter,
        "Stores a message after all",
        "Reason",
        &[(202, "ReplayWanted")],
    ),
    write(
        "/admin/v1/dead-letter-replays",
        Handler::ReplayDeadLetters,
        "Stores all messages that wait",
        "Reason",
        &[(202, "ReplayWanted")],
    ),
];

/// A route and the values of its path's parameters, in order.
pub(crate) type Found<'a> = (&'static Route, Vec<&'a str>);

/// The route of a request, or the methods that its path has. A path that is named outright is no value of a parameter.
pub(crate) fn find<'a>(method: &str, path: &'a str) -> Result<Found<'a>, Vec<&'static str>> {
    let mut found: Vec<Found<'a>> = ROUTES
        .iter()
        .filter_map(|route| Some((route, matches(route.path, path)?)))
        .collect();
    if found.iter().any(|(_, values)| values.is_empty()) {
        found.retain(|(_, values)| values.is_empty());
    }
    let allowed = found.iter().map(|(route, _)| route.method).collect();
    found
        .into_iter()
        .find(|(route, _)| route.method == method)
        .ok_or(allowed)
}

fn matches<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut values = Vec::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(values),
            (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => values.push(value),
            (Some(name), Some(value)) if name == value => {}
            _ => return None,
        }
    }
}
