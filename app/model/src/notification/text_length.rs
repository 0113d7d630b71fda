//! How long a text message is, as networks count it (3GPP TS 23.038).

/// What a phone network writes the characters of a text message in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextCoding {
    /// The default alphabet, seven bits each.
    Gsm7,
    /// Sixteen bits each: any character outside that alphabet.
    Ucs2,
}

/// The length of a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLength {
    pub coding: TextCoding,
    /// Characters as the network counts them: some take two.
    pub units: usize,
    /// In so many parts it is sent, and charged.
    pub parts: usize,
}

/// The default alphabet, and what takes two of its characters.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

impl TextCoding {
    /// Units of a text in one part, and of each part of a longer one.
    #[must_use]
    pub const fn capacity(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    const fn of_units(self, character: char, is_extended: bool) -> usize {
        match self {
            Self::Gsm7 if is_extended => 2,
            Self::Gsm7 => 1,
            Self::Ucs2 => character.len_utf16(),
        }
    }
}

impl TextLength {
    #[must_use]
    pub fn of(text: &str) -> Self {
        let is_extended = |character: char| EXTENDED.contains(character);
        let fits = text.chars().all(|character| BASIC.contains(character) || is_extended(character));
        let coding = if fits { TextCoding::Gsm7 } else { TextCoding::Ucs2 };
        let sizes = || text.chars().map(|character| coding.of_units(character, is_extended(character)));
        let (units, (whole, part)) = (sizes().sum(), coding.capacity());
        // No character is divided between two parts.
        let fill = |(parts, filled): (usize, usize), size| {
            if filled + size > part { (parts + 1, size) } else { (parts, filled + size) }
        };
        let parts = if units <= whole { 1 } else { sizes().fold((1, 0), fill).0 };
        Self { coding, units, parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (TextCoding, usize, usize) {
        let TextLength { coding, units, parts } = TextLength::of(text);
        (coding, units, parts)
    }

    #[test]
    fn chinese_letters_halve_the_length_of_a_part() {
        for (characters, in_parts) in [(0, 1), (160, 1), (161, 2), (306, 2), (307, 3)] {
            assert_eq!(parts(&"a".repeat(characters)), (TextCoding::Gsm7, characters, in_parts));
        }
        for (characters, in_parts) in [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)] {
            assert_eq!(parts(&"电".repeat(characters)), (TextCoding::Ucs2, characters, in_parts));
        }
        assert_eq!(parts(&format!("{}“", "a".repeat(70))), (TextCoding::Ucs2, 71, 2), "one of them is enough");
        assert_eq!(parts("Ä € ñ").0, TextCoding::Gsm7);
    }

    #[test]
    fn characters_that_count_twice_are_not_divided() {
        assert_eq!(parts(&"€".repeat(80)), (TextCoding::Gsm7, 160, 1));
        // 76 of them are 152 in a part of 153.
        assert_eq!(parts(&"€".repeat(152)), (TextCoding::Gsm7, 304, 2));
        assert_eq!(parts(&"€".repeat(153)), (TextCoding::Gsm7, 306, 3));
        assert_eq!(parts(&"😀".repeat(35)), (TextCoding::Ucs2, 70, 1));
        assert_eq!(parts(&"😀".repeat(67)), (TextCoding::Ucs2, 134, 3), "33 fit into a part of 67");
    }
}
