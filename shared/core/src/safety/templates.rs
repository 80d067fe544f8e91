//! What is said in a crisis: fixed texts by level and language, never a model's.

use super::{Level, Resource, Tag, for_country};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A fixed answer with the resources of the person's region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrisisResponse {
    /// Markdown; names the emergency number and leaves the rest to the resources beside it.
    pub text: String,
    /// Help, nearest first.
    pub resources: Vec<Resource>,
}

struct Texts {
    emergency: &'static str,
    danger: &'static str,
    distress: &'static str,
    note: &'static str,
}

const EN: Texts = Texts {
    emergency: "This sounds like an emergency. Please call {number} now, or go to the nearest emergency department. If you can, be with somebody and move away from anything you could hurt yourself with.",
    danger: "Thank you for telling me. I am an AI and I cannot keep you safe, but people can, right now. Are you safe at this moment? Please put distance between you and anything you could hurt yourself with, and reach a person: somebody you trust, or {number}.",
    distress: "I'm glad you said this. That is a great deal to carry, and you should not have to carry it alone. I am an AI; a person can be with you in this in a way that I cannot. If it becomes more urgent, call {number}.",
    note: "If it gets heavier, these people are there to listen.",
};
const ES: Texts = Texts {
    emergency: "Esto parece una emergencia. Llama ahora al {number} o acude al servicio de urgencias más cercano. Si puedes, quédate con alguien y aléjate de todo con lo que podrías hacerte daño.",
    danger: "Gracias por decírmelo. Soy una IA y no puedo protegerte, pero hay personas que sí pueden, ahora mismo. ¿Estás a salvo en este momento? Aléjate de todo con lo que podrías hacerte daño y habla con alguien de confianza o con el {number}.",
    distress: "Me alegra que lo digas. Es mucho peso y no deberías llevarlo a solas. Soy una IA; una persona puede acompañarte de un modo que yo no puedo. Si se vuelve más urgente, llama al {number}.",
    note: "Si se hace más pesado, estas personas están para escucharte.",
};
const DE: Texts = Texts {
    emergency: "Das klingt nach einem Notfall. Bitte ruf jetzt {number} an oder geh in die nächste Notaufnahme. Wenn du kannst, bleib bei jemandem und geh weg von allem, womit du dich verletzen könntest.",
    danger: "Danke, dass du es mir sagst. Ich bin eine KI und kann dich nicht schützen, aber Menschen können es, jetzt gleich. Bist du im Moment in Sicherheit? Bring bitte Abstand zwischen dich und alles, womit du dich verletzen könntest, und sprich mit einem Menschen, dem du vertraust, oder mit {number}.",
    distress: "Gut, dass du das sagst. Das ist sehr viel, und du solltest es nicht allein tragen müssen. Ich bin eine KI; ein Mensch kann auf eine Weise bei dir sein, wie ich es nicht kann. Wenn es dringender wird, ruf {number} an.",
    note: "Wenn es schwerer wird, hören dir diese Menschen zu.",
};
const FR: Texts = Texts {
    emergency: "Cela ressemble à une urgence. Appelle le {number} maintenant ou va aux urgences les plus proches. Si tu peux, reste avec quelqu'un et éloigne-toi de tout ce qui pourrait te blesser.",
    danger: "Merci de me le dire. Je suis une IA et je ne peux pas te protéger, mais des personnes le peuvent, maintenant. Es-tu en sécurité en ce moment ? Éloigne-toi de tout ce qui pourrait te blesser et parle à une personne de confiance, ou au {number}.",
    distress: "C'est bien que tu le dises. C'est beaucoup à porter, et tu ne devrais pas le porter sans personne. Je suis une IA ; une personne peut être là pour toi comme je ne le peux pas. Si cela devient plus urgent, appelle le {number}.",
    note: "Si cela devient plus lourd, ces personnes sont là pour écouter.",
};

fn texts(locale: &str) -> &'static Texts {
    match locale.split(['-', '_']).next().unwrap_or("") {
        "es" => &ES,
        "de" => &DE,
        "fr" => &FR,
        _ => &EN,
    }
}

/// The answer at level 2 and above.
#[must_use]
pub fn response(level: Level, locale: &str, country: Option<&str>, _tags: &[Tag]) -> CrisisResponse {
    let texts = texts(locale);
    let resources = for_country(country);
    let number = resources
        .iter()
        .map(|entry| entry.emergency.as_str())
        .find(|number| !number.is_empty())
        // 112 works on every GSM phone (3GPP TS 22.101), 911 where it does not lead on.
        .unwrap_or("112 / 911");
    let body = match level.get() {
        4 => texts.emergency,
        3 => texts.danger,
        _ => texts.distress,
    };
    let text = body.replace("{number}", &format!("**{number}**"));
    CrisisResponse { text, resources }
}

/// What stands beside a model's answer at level 1.
#[must_use]
pub fn supportive_note(locale: &str, country: Option<&str>) -> CrisisResponse {
    CrisisResponse {
        text: texts(locale).note.into(),
        resources: for_country(country),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_and_language_names_a_number_and_a_way_to_help() {
        for locale in ["en", "es-MX", "de-DE", "fr", "xx"] {
            for level in 2..=4 {
                for country in [None, Some("US"), Some("ZZ")] {
                    let response = response(Level::new(level), locale, country, &[]);
                    assert!(!response.text.contains("{number}"), "{locale}");
                    assert!(
                        response
                            .text
                            .contains(if country == Some("US") { "911" } else { "112" })
                    );
                    let first = response.resources.first().unwrap();
                    assert_eq!(if country == Some("US") { "988" } else { "" }, first.dial);
                }
            }
        }
    }

    #[test]
    fn an_emergency_begins_with_the_number() {
        let text = response(Level::new(4), "en", Some("GB"), &[]).text;
        assert!(text.split('.').nth(1).unwrap().contains("999"), "{text}");
    }
}
