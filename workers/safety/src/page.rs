//! The crisis protocol as a page, generated from what is compiled in.

use silent_core::safety::{self, Resource};
use silent_edge::error::ApiError;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use worker::Response;

/// The severity table, as `shared/core/src/safety` implements it.
const LEVELS: [(&str, &str, &str, &str); 5] = [
    (
        "0",
        "none",
        "Ordinary talk, idioms (“this queue is murder”)",
        "The conversation goes on.",
    ),
    (
        "1",
        "none current",
        "Distress without a wish to die; somebody else’s crisis; a crisis that is past",
        "The model answers; help is shown beside it.",
    ),
    (
        "2",
        "1–2",
        "A wish to be dead, thoughts of suicide, present self-injury, an unexplained question about lethality",
        "No model is asked. A fixed text, and the help of the person’s region.",
    ),
    (
        "3",
        "3–4",
        "Intent, a plan, preparations, an attempt in the last three months",
        "As 2, and asks about safety now and distance from means. The level stays for the conversation.",
    ),
    (
        "4",
        "5–6",
        "An act in progress, or about to happen",
        "As 3, with the emergency number first.",
    ),
];

/// `GET /safety`: the crisis protocol, generated from what is compiled in.
pub(super) fn protocol() -> Result<Response, ApiError> {
    let response = Response::from_html(page())?;
    response.headers().set(
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    )?;
    response.headers().set("cache-control", "public, max-age=300")?;
    Ok(response)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn page() -> String {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for tables in safety::rules() {
        for rule in (0..tables.len()).filter_map(|rule| u16::try_from(rule).ok()) {
            *rules
                .entry(tables.id(rule).split('-').next().unwrap_or(""))
                .or_default() += 1;
        }
    }
    let count: usize = rules.values().sum();
    let mut levels = String::new();
    for (level, cssrs, examples, action) in LEVELS {
        let _ = write!(
            levels,
            "<tr><th>{level}</th><td>{cssrs}</td><td>{examples}</td><td>{action}</td></tr>"
        );
    }
    let mut languages = String::new();
    for (language, count) in &rules {
        let _ = write!(languages, "<li>{}: {count}</li>", escape(language));
    }
    let mut countries: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
    for entry in safety::all_resources() {
        countries.entry(entry.country.clone()).or_default().push(entry);
    }
    let mut help = String::new();
    for (country, entries) in &countries {
        let title = if country == "*" { "Everywhere" } else { country };
        let _ = write!(help, "<h3>{}</h3><ul>", escape(title));
        for entry in entries {
            let reach = if entry.dial.is_empty() { &entry.url } else { &entry.dial };
            let _ = write!(
                help,
                "<li>{}: {} {} ({}; checked {}, until {})</li>",
                escape(&entry.name),
                escape(&entry.channel),
                escape(reach),
                escape(&entry.hours),
                escape(&entry.verified_at),
                escape(&entry.expires_at)
            );
        }
        help.push_str("</ul>");
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
<title>Crisis protocol · Silent Infinity</title><style>\
:root{{color-scheme:light dark}}body{{font:1.05rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}\
table{{border-collapse:collapse;width:100%;font-size:.95rem}}th,td{{border-bottom:1px solid #8886;padding:.5rem;text-align:left;vertical-align:top}}\
.wide{{overflow-x:auto}}ul.cols{{columns:8rem}}</style></head><body><main>\
<h1>Crisis protocol</h1>\
<p>Silent Infinity is an AI. It is no therapy and no emergency service. It says so at the start of every conversation and again \
every three hours, every hour to those who say that they are minors.</p>\
<p>Every message is judged before any model sees it, by {count} rules (version <code>{version}</code>). Where the rules are uncertain a second \
model may look; it can only raise the level, and without it help is shown.</p>\
<h2>Levels</h2><div class=\"wide\"><table><thead><tr><th>Level</th><th>C-SSRS</th><th>What it covers</th><th>What happens</th></tr></thead>\
<tbody>{levels}</tbody></table></div>\
<p>From level 2 on nothing is an experiment: the texts are fixed, and every choice is the production default. What a model says is checked \
sentence by sentence before it is shown: no methods, no lethality, no romanticising, no claim to be human or a therapist.</p>\
<h2>What it cannot do</h2><p>Rules miss what is said very indirectly, and sometimes fire on what is harmless. Nobody watches these \
conversations, and no help is sent. If you are in danger, call your emergency number.</p>\
<h2>Counted</h2><p>How often help was shown, by day, country and level. No words, no names.</p>\
<h2>Rules by language</h2><ul class=\"cols\">{languages}</ul>\
<h2>Help by country</h2>{help}</main></body></html>",
        version = escape(safety::rules_version()),
    )
}
