//! The default alphabet of GSM (3GPP 23.038, 6.2.1) and how seven bits are packed.

/// Its 128 characters in their order; the escape has the place of a no-break space, which is no character of it.
const TABLE: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{a0}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const ESCAPE: u8 = 0x1b;
/// Those behind an escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// The septets of a character, one or two; `None` where the alphabet has none.
pub fn septets(character: char) -> Option<Vec<u8>> {
    if let Some((code, _)) = EXTENSION.iter().find(|(_, extended)| *extended == character) {
        return Some(vec![ESCAPE, *code]);
    }
    let code = TABLE.chars().position(|one| one == character).and_then(|code| u8::try_from(code).ok())?;
    (code != ESCAPE).then(|| vec![code])
}

/// The characters of septets. What nobody has defined behind an escape is the character without it (23.038, 6.2.1.1).
pub fn characters(septets: &[u8]) -> String {
    let (mut text, mut escaped) = (String::new(), false);
    for septet in septets {
        let extended = EXTENSION.iter().find(|(code, _)| escaped && code == septet).map(|(_, character)| *character);
        let plain = || TABLE.chars().nth(usize::from(septet & 0x7f)).unwrap_or(' ');
        escaped = *septet == ESCAPE && !escaped;
        if !escaped {
            text.push(extended.unwrap_or_else(plain));
        }
    }
    text
}

/// Octets of septets, the first of which begins at a bit of the first octet.
pub fn pack(septets: &[u8], fill_bits: usize) -> Vec<u8> {
    let mut octets = vec![0_u8; (fill_bits + septets.len() * 7).div_ceil(8)];
    for (n, septet) in septets.iter().enumerate() {
        let (octet, shift) = ((fill_bits + n * 7) / 8, (fill_bits + n * 7) % 8);
        let [low, high] = (u16::from(septet & 0x7f) << shift).to_le_bytes();
        if let Some(one) = octets.get_mut(octet) {
            *one |= low;
        }
        if let Some(next) = octets.get_mut(octet + 1) {
            *next |= high;
        }
    }
    octets
}

/// Septets from packed octets; `None` where there are not so many.
pub fn unpack(octets: &[u8], fill_bits: usize, count: usize) -> Option<Vec<u8>> {
    let septet = |n: usize| {
        let (octet, shift) = ((fill_bits + n * 7) / 8, (fill_bits + n * 7) % 8);
        let low = *octets.get(octet)?;
        let high = if shift > 1 { *octets.get(octet + 1)? } else { 0 };
        Some(((u16::from_le_bytes([low, high]) >> shift) & 0x7f) as u8)
    };
    (0..count).map(septet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Vec<u8> {
        text.chars().flat_map(|character| septets(character).unwrap()).collect()
    }

    #[test]
    fn the_table_is_that_of_the_standard() {
        assert_eq!(TABLE.chars().count(), 128);
        let codes =
            [('@', 0), ('\n', 10), ('\r', 13), ('Δ', 16), (' ', 32), ('0', 48), ('¡', 64), ('A', 65), ('§', 95), ('à', 127)];
        for (character, code) in codes {
            assert_eq!(septets(character), Some(vec![code]), "{character}");
        }
        assert_eq!(septets('€'), Some(vec![0x1b, 0x65]));
        assert_eq!(['电', '`', '\u{a0}'].map(septets), [None, None, None]);
    }

    /// By hand: H = 1001000, i = 1101001. The second's lowest bit is the first octet's highest: 11001000 = C8, then 0110100 = 34.
    #[test]
    fn seven_bits_are_packed_from_the_lowest() {
        assert_eq!(pack(&whole("Hi"), 0), [0xc8, 0x34]);
        // One bit of fill: H is bits 1 to 7, i begins with the next octet.
        assert_eq!(pack(&whole("Hi"), 1), [0x90, 0x69]);
        assert_eq!(pack(&[], 0), [0_u8; 0]);
    }

    #[test]
    fn every_character_round_trips_at_every_bit() {
        let all: String = TABLE.chars().filter(|one| *one != '\u{a0}').chain(EXTENSION.map(|(_, one)| one)).collect();
        let septets = whole(&all);
        for fill in 0..7 {
            let packed = pack(&septets, fill);
            assert_eq!(characters(&unpack(&packed, fill, septets.len()).unwrap()), all);
            assert_eq!(unpack(&packed, fill, septets.len() + 2), None);
        }
        assert_eq!(characters(&[0x1b, 0x41, 0x1b]), "A", "an unknown extension, and an escape at the end");
    }
}
