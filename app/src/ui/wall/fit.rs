//! Cuts texts to the width of a tile without measuring them in the browser.

/// Estimated widths, none too small: ideographs 1 em, capitals 0.7, digits and most letters a little over half.
fn width(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | ' ' | '-' | '|' | '\'' => 0.32,
        'm' | 'w' | 'M' | 'W' => 0.92,
        'A'..='Z' => 0.7,
        c if c.is_ascii() => 0.58,
        _ => 1.0,
    }
}

/// The width of a text, in em.
#[must_use]
pub fn ems(text: &str) -> f64 {
    text.chars().map(width).sum()
}

/// The size of a floor's name, px, and of a building's: of letters of its weight, which are wider.
pub const FLOOR_SIZE: f64 = 11.0;
pub const HEAD_SIZE: f64 = 15.0;

/// The size of a room's name on a tile, px, and what stands beside it: its mark and the edges.
pub const NAME_SIZE: f64 = 13.0;
pub const NAME_EDGES: f64 = 27.0;

/// The width of a tile that shows this name whole, px.
#[must_use]
pub fn name_width(name: &str) -> f64 {
    (ems(name) * NAME_SIZE + NAME_EDGES).ceil()
}

/// The text, cut with an ellipsis where it is wider than `px` at that size. The end is kept where the beginning is shared:
/// `…B-301`.
#[must_use]
pub fn fit(text: &str, size: f64, px: f64) -> String {
    let room = px / size;
    if ems(text) <= room {
        return text.to_owned();
    }
    let mut used = width('…');
    let mut kept: Vec<char> = text
        .chars()
        .rev()
        .take_while(|c| {
            used += width(*c);
            used <= room
        })
        .collect();
    kept.push('…');
    kept.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitting_text_is_not_cut() {
        assert_eq!(fit("301", 13.0, 60.0), "301");
        assert_eq!(fit("", 13.0, 0.0), "");
    }

    #[test]
    fn rooms_differ_at_their_end() {
        let cut = fit("西区宿舍甲栋-1单元-301", 13.0, 60.0);
        assert!(cut.starts_with('…') && cut.ends_with("301"), "{cut}");
        assert!(ems(&cut) * 13.0 <= 60.0 + 1.0);
        assert_eq!(fit("宿舍", 13.0, 5.0), "…");
    }
}
