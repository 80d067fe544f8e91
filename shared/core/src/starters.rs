//! Opening lines that a person may pick instead of facing an empty page.

use alloc::vec::Vec;

const EN: &[&str] = &[
    "I can't switch my thoughts off tonight.",
    "Something someone said won't leave me alone.",
    "I keep putting off one thing.",
    "I had a good moment today and want to keep it.",
    "I feel stretched too thin.",
    "I need to say no to someone.",
    "I'm proud of something nobody noticed.",
    "I don't know what I feel, only that it's heavy.",
    "I miss somebody.",
    "Help me look back on my day.",
    "I was too hard on myself again.",
    "I have to decide something and keep going round in circles.",
];
const ES: &[&str] = &[
    "Esta noche no consigo parar de pensar.",
    "Algo que me dijeron no me deja en paz.",
    "Llevo días aplazando una cosa.",
    "Hoy tuve un buen momento y quiero guardarlo.",
    "Siento que no llego a todo.",
    "Tengo que decirle que no a alguien.",
    "Estoy orgulloso de algo que nadie vio.",
    "No sé qué siento, solo que pesa.",
    "Echo de menos a alguien.",
    "Ayúdame a repasar mi día.",
    "Otra vez fui demasiado duro conmigo.",
    "Tengo que decidir algo y le doy mil vueltas.",
];
const DE: &[&str] = &[
    "Ich kann heute Nacht nicht abschalten.",
    "Ein Satz von jemandem geht mir nicht aus dem Kopf.",
    "Ich schiebe eine Sache vor mir her.",
    "Heute gab es einen guten Moment, den ich festhalten will.",
    "Mir wird gerade alles zu viel.",
    "Ich muss jemandem Nein sagen.",
    "Ich bin stolz auf etwas, das niemand bemerkt hat.",
    "Ich weiß nicht, was ich fühle, nur dass es schwer ist.",
    "Ich vermisse jemanden.",
    "Hilf mir, auf meinen Tag zu schauen.",
    "Ich war wieder zu streng mit mir.",
    "Ich muss etwas entscheiden und drehe mich im Kreis.",
];
const AR: &[&str] = &[
    "لا أستطيع إيقاف أفكاري الليلة.",
    "كلمة قالها أحدهم لا تفارقني.",
    "أؤجل أمرا واحدا باستمرار.",
    "عشت لحظة جميلة اليوم وأريد أن أحتفظ بها.",
    "أشعر أن كل شيء فوق طاقتي.",
    "علي أن أقول لا لشخص ما.",
    "أنا فخور بشيء لم يلاحظه أحد.",
    "لا أعرف ما أشعر به، لكنه ثقيل.",
    "أشتاق إلى شخص ما.",
    "ساعدني أن أتأمل يومي.",
    "قسوت على نفسي مرة أخرى.",
    "علي أن أقرر وما زلت أدور في حلقة.",
];
const JA: &[&str] = &[
    "今夜は考えごとが止まりません。",
    "誰かの言葉が頭から離れません。",
    "ずっと先延ばしにしていることがあります。",
    "今日の良かった瞬間を残しておきたいです。",
    "いっぱいいっぱいに感じています。",
    "断らなければならないことがあります。",
    "誰にも気づかれなかったけれど誇らしいことがあります。",
    "何を感じているのか分からないけれど、重いです。",
    "会いたい人がいます。",
    "一日を振り返るのを手伝ってください。",
    "また自分に厳しくしすぎました。",
    "決めなければならないのに、堂々巡りしています。",
];

/// The pool of a language; English where there is none.
#[must_use]
pub fn pool(locale: &str) -> &'static [&'static str] {
    match locale.split(['-', '_']).next().unwrap_or("") {
        "es" => ES,
        "de" => DE,
        "ar" => AR,
        "ja" => JA,
        _ => EN,
    }
}

/// `size` different starters, the same ones for the same seed.
///
/// A seeded partial Fisher-Yates shuffle; the generator is SplitMix64 (Steele, Lea and Flood 2014).
#[must_use]
pub fn choose(locale: &str, size: usize, seed: u64) -> Vec<&'static str> {
    let mut left: Vec<&'static str> = pool(locale).to_vec();
    let mut state = seed;
    let mut chosen = Vec::new();
    while chosen.len() < size && !left.is_empty() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let at = usize::try_from(mixed % left.len() as u64).unwrap_or(0);
        chosen.push(left.swap_remove(at));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn deterministic_and_without_repeats(size in 0_usize..20, seed: u64, locale in "(en|es|de|ar|ja|xx)(-[A-Z]{2})?") {
            let starters = choose(&locale, size, seed);
            prop_assert_eq!(&starters, &choose(&locale, size, seed));
            prop_assert_eq!(starters.len(), size.min(12));
            let mut unique = starters.clone();
            unique.sort_unstable();
            unique.dedup();
            prop_assert_eq!(unique.len(), starters.len());
        }
    }

    #[test]
    fn a_seed_changes_the_choice() {
        assert!((1..20).any(|seed| choose("en", 5, seed) != choose("en", 5, 0)));
    }
}
