//! What the gate treats as the same letter. Computed here from Unicode, looked up in a table at run time.

use crate::script::is_char_script;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How a character is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Always: compatibility forms, case, and spelling variants that no writer means as another letter.
    pub same: String,
    /// Where accents do not count.
    pub plain: String,
}

/// Reads a character; none where it stands for itself.
#[must_use]
pub fn fold(c: char) -> Option<Fold> {
    let same = same(c);
    let plain: String = same.chars().flat_map(plain).collect();
    let itself = |text: &str| text.chars().eq([c]);
    (!itself(&same) || !itself(&plain)).then_some(Fold { same, plain })
}

/// Reads a whole word.
#[must_use]
pub fn fold_word(word: &str) -> Fold {
    let composed: String = word.nfc().collect();
    let mut out = Fold {
        same: String::new(),
        plain: String::new(),
    };
    for c in composed.chars() {
        match fold(c) {
            Some(fold) => {
                out.same.push_str(&fold.same);
                out.plain.push_str(&fold.plain);
            }
            None => {
                out.same.push(c);
                out.plain.push(c);
            }
        }
    }
    out
}

/// Invisible characters, apostrophes, vowel points and elongation strokes.
fn vanishes(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʻ' | 'ˈ' | '＇' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{640}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
        || is_stripped_mark(c)
}

/// Marks that writers leave out or that disguise a letter. Vowel signs of Indic scripts and Thai are letters.
fn is_stripped_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        | '\u{93c}' | '\u{9bc}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

fn same(c: char) -> String {
    if vanishes(c) {
        return String::new();
    }
    let text: String = match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => "ا".into(),
        'ى' | 'ي' | 'ئ' => "ی".into(),
        'ؤ' => "و".into(),
        'ك' => "ک".into(),
        'ة' | 'ۀ' => "ه".into(),
        'ё' | 'Ё' => "е".into(),
        'ँ' => "ं".into(),
        'İ' | 'I' | 'ı' => "i".into(),
        'ß' | 'ẞ' => "ss".into(),
        // Small capitals and phonetic letters stand in for Latin ones only to disguise them.
        'ᴀ' => "a".into(),
        'ʙ' => "b".into(),
        'ᴄ' => "c".into(),
        'ᴅ' => "d".into(),
        'ᴇ' => "e".into(),
        'ғ' | 'ꜰ' => "f".into(),
        'ɢ' => "g".into(),
        'ʜ' => "h".into(),
        'ɪ' => "i".into(),
        'ᴊ' => "j".into(),
        'ᴋ' => "k".into(),
        'ʟ' => "l".into(),
        'ᴍ' => "m".into(),
        'ɴ' => "n".into(),
        'ᴏ' => "o".into(),
        'ᴘ' => "p".into(),
        'ʀ' => "r".into(),
        'ꜱ' => "s".into(),
        'ᴛ' => "t".into(),
        'ᴜ' => "u".into(),
        'ᴠ' => "v".into(),
        'ᴡ' => "w".into(),
        'ʏ' => "y".into(),
        'ᴢ' => "z".into(),
        'ø' | 'Ø' => "ø".into(),
        '\u{1f170}' => "a".into(),
        '\u{1f171}' => "b".into(),
        '\u{1f17e}' => "o".into(),
        '\u{1f17f}' => "p".into(),
        // Squared, circled and regional-indicator letters.
        '\u{1f130}'..='\u{1f149}' => latin(c, 0x1f130),
        '\u{1f150}'..='\u{1f169}' => latin(c, 0x1f150),
        '\u{1f170}'..='\u{1f189}' => latin(c, 0x1f170),
        '\u{1f1e6}'..='\u{1f1ff}' => latin(c, 0x1f1e6),
        '\u{e9}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{370}'..='\u{52f}' | '\u{c0}'..='\u{e8}' => c.to_string(),
        _ if is_char_script(c) && !matches!(c, '\u{ff61}'..='\u{ff9f}') => c.to_string(),
        _ => c.to_string().nfkc().collect(),
    };
    text.chars()
        .flat_map(char::to_lowercase)
        .flat_map(|lower| match lower {
            'ё' => Some('е'),
            lower if is_stripped_mark(lower) => None,
            lower => Some(lower),
        })
        .collect()
}

fn latin(c: char, first: u32) -> String {
    char::from_u32(u32::from('a') + (u32::from(c) - first))
        .map(String::from)
        .unwrap_or_default()
}

fn plain(c: char) -> Vec<char> {
    match c {
        'ł' => vec!['l'],
        'đ' | 'ð' => vec!['d'],
        'ø' => vec!['o'],
        'æ' => vec!['a', 'e'],
        'œ' => vec!['o', 'e'],
        'þ' => vec!['t', 'h'],
        'й' | 'ї' | 'ў' => vec![c],
        _ if is_char_script(c) => vec![c],
        _ => c
            .to_string()
            .nfd()
            .filter(|part| !(is_combining_mark(*part) && is_stripped_mark(*part)))
            .collect(),
    }
}
