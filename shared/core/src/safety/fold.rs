//! Letters that count as the same: case, compatibility forms, accents. The table comes from Unicode at build time.

include!(concat!(env!("OUT_DIR"), "/folds.rs"));

/// How a character is read: as it is always, and where accents do not count.
pub(super) fn fold(c: char) -> Option<(&'static str, &'static str)> {
    let page = (u32::from(c) >> 8) as usize;
    let (from, to) = (*FOLD_PAGES.get(page)? as usize, *FOLD_PAGES.get(page + 1)? as usize);
    let at = from + FOLD_CHARS.get(from..to)?.binary_search(&u32::from(c)).ok()?;
    let text = FOLD_TEXT.get(*FOLD_AT.get(at)? as usize..*FOLD_AT.get(at + 1)? as usize)?;
    Some(text.split_once('\0').unwrap_or((text, text)))
}

/// A letter of another script that looks like a Latin one, in a word that mixes scripts (UTS #39, the common ones).
pub(super) fn lookalike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'β' | 'ь' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' | 'ժ' => 'd',
        'е' | 'ε' | 'є' | 'ҽ' => 'e',
        'ց' | 'ɡ' => 'g',
        'һ' | 'н' | 'հ' => 'h',
        'і' | 'ι' | 'ӏ' | 'ї' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ⅼ' => 'l',
        'м' | 'μ' => 'm',
        'п' | 'η' | 'ո' => 'n',
        'о' | 'ο' | 'σ' | 'օ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' | 'ր' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' | 'ц' => 'u',
        'ѵ' | 'ν' => 'v',
        'ԝ' | 'ω' | 'ш' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'з' => 'z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_read_as_people_mean_them() {
        for (c, same, plain) in [
            ('Ａ', "a", "a"),
            ('𝓴', "k", "k"),
            ('Ⓚ', "k", "k"),
            ('🅚', "k", "k"),
            ('🄺', "k", "k"),
            ('É', "é", "e"),
            ('Й', "й", "й"),
            ('أ', "ا", "ا"),
            ('ç', "ç", "c"),
            ('ﬁ', "fi", "fi"),
            ('\u{200b}', "", ""),
            ('ᴋ', "k", "k"),
            ('ế', "ế", "e"),
            ('ﾀ', "タ", "タ"),
        ] {
            assert_eq!(fold(c).unwrap_or(("itself", "itself")), (same, plain), "{c}");
        }
        for c in ['é', 'a', 'け', '死', 'ก', 'ा', '한'] {
            let read = fold(c).map_or_else(|| alloc::string::String::from(c), |(same, _)| same.into());
            assert_eq!(read, alloc::string::String::from(c));
        }
    }
}
