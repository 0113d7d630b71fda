//! What a search on the wall looks at, and what it looks for: whole names and whole words, because commands are issued to
//! whatever it finds. Case counts for no Latin letter, as on SQLite; the tables of all other scripts' would be a tenth of what
//! the browser loads.

use std::collections::VecDeque;

/// The most words of a search; one with more finds nothing.
const WORDS_MAX: usize = 16;

/// The names of a room and of what its meter belongs to: in lower case, the room's first, a name a line, spaces around each word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    /// Of a room in a building, on a floor whose name may be empty.
    #[must_use]
    pub fn new(room: &str, floor: &str, building: &str) -> Self {
        Self("\n".to_owned()).with([room, floor, building])
    }

    /// Of a building and a floor of it alone.
    #[must_use]
    pub fn of_floor(floor: &str, building: &str) -> Self {
        Self("\n\n".to_owned()).with([floor, building])
    }

    fn with<const N: usize>(mut self, names: [&str; N]) -> Self {
        names.into_iter().for_each(|name| self.push(name));
        self
    }

    /// Adds the name of something that the meter belongs to.
    pub fn push(&mut self, name: &str) {
        for word in name.split_whitespace() {
            self.0.push(' ');
            self.0.push_str(&word.to_ascii_lowercase());
        }
        if !self.0.ends_with('\n') {
            self.0.push_str(" \n");
        }
    }

    /// Whether a name has these words one after the other; one word may also be what the room's name begins with.
    fn has(&self, words: &str) -> bool {
        let begins = || self.0.strip_prefix("\n ").is_some_and(|room| room.starts_with(words));
        if words.contains(' ') {
            self.0.contains(&format!(" {words} "))
        } else {
            begins() || self.0.lines().any(|name| has_word(name, words))
        }
    }
}

/// Whether a name has this word. `3` is one in `Building 3` and in `3号楼`, and neither in `13号楼` nor in `GW30`.
#[must_use]
pub fn has_word(name: &str, word: &str) -> bool {
    let is_word = |other| other == word;
    name.split_whitespace().any(is_word)
        || name.split(|sign: char| !sign.is_ascii_alphanumeric()).any(is_word)
        || name.split(|sign: char| sign.is_ascii()).any(is_word)
}

/// What people say behind the number of a room, which its name mostly does not have.
fn is_suffix(sign: char) -> bool {
    matches!(sign, '室' | '号' | '房')
}

/// A text without such a suffix behind a number or letter: `101室` and `101 室` mean what `101` does, where nothing has that name.
#[must_use]
pub fn without_suffix(text: &str) -> &str {
    let bare = text.trim_end_matches(|sign: char| is_suffix(sign) || sign.is_whitespace());
    if bare.ends_with(|sign: char| sign.is_ascii_alphanumeric()) { bare } else { text }
}

/// A text whose words have no such suffixes, which may also be words of their own.
#[must_use]
pub fn without_suffixes(text: &str) -> String {
    let mut bare: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let is_behind_number = bare.last().is_some_and(|last| last.ends_with(|sign: char| sign.is_ascii_alphanumeric()));
        if !(is_behind_number && word.chars().all(is_suffix)) {
            bare.push(without_suffix(word));
        }
    }
    bare.join(" ")
}

/// What a search looks for, one after the other; all of it must be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    /// A whole name, as a line.
    Name(String),
    /// What no name is: words of one, or the beginning of a room's.
    Words(String),
    /// More than is looked for.
    TooMuch,
}

impl Term {
    /// Whether it is a name that ends with a number or letter.
    fn is_numbered(&self) -> bool {
        matches!(self, Self::Name(line) if line.bytes().nth_back(2).is_some_and(|sign| sign.is_ascii_alphanumeric()))
    }
}

impl Terms {
    /// The longest names within the text that any of the rooms has, and the words between them, which stay together: `Building 7`
    /// does not mean a floor 7 where there is no such building. Chinese names may follow each other without a space.
    #[must_use]
    pub fn of<'a>(text: &str, rooms: impl Iterator<Item = &'a SearchText> + Clone) -> Self {
        let text = text.to_ascii_lowercase();
        let mut words: VecDeque<&str> = text.split_whitespace().collect();
        if words.len() > WORDS_MAX {
            return Self(vec![Term::TooMuch]);
        }
        let named = |words: &[&str]| {
            let name = format!("\n {} \n", words.join(" "));
            rooms.clone().any(|room| room.0.contains(&name)).then_some(Term::Name(name))
        };
        let mut terms = Vec::new();
        while let Some(&first) = words.front() {
            let left = words.make_contiguous();
            let longest = (1..=left.len()).rev().find_map(|len| Some((len, named(left.get(..len)?)?)));
            if let Some((len, name)) = longest {
                terms.push(name);
                words.drain(..len);
                continue;
            }
            words.pop_front();
            let joined = joints(first).find_map(|(name, rest)| Some((named(&[name])?, rest)));
            if let Some((name, rest)) = joined {
                terms.push(name);
                if !rest.chars().all(is_suffix) {
                    words.push_front(rest);
                }
            } else if let Some(Term::Words(before)) = terms.last_mut() {
                before.push(' ');
                before.push_str(first);
            } else if !(first.chars().all(is_suffix) && terms.last().is_some_and(Term::is_numbered)) {
                terms.push(Term::Words(first.to_owned()));
            }
        }
        Self(terms)
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a room is meant.
    #[must_use]
    pub fn mean(&self, room: &SearchText) -> bool {
        self.0.iter().all(|term| match term {
            Term::Name(name) => room.0.contains(name),
            Term::Words(words) => room.has(words),
            Term::TooMuch => false,
        })
    }
}

/// Where a word may consist of two names, the last place first: `6号楼301`. Numbers and Latin words are not cut.
fn joints(word: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_latin = |sign: char| sign.is_ascii();
    let cuts = word.char_indices().rev().filter_map(|(at, _)| word.split_at_checked(at));
    cuts.filter(move |(name, rest)| !(name.is_empty() || name.ends_with(is_latin) && rest.starts_with(is_latin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms() -> Vec<SearchText> {
        let room = |building: &str, floor: &str, room: &str, gateway: &str| {
            let mut text = SearchText::new(room, floor, building);
            text.push(gateway);
            text
        };
        vec![
            room("Building 7", "Floor 1", "101", "GW3"),
            room("Building 70", "Floor 7", "701", "GW30"),
            room("Building 1", "Floor 7", "7", "GW30"),
            room("Building 7 Annex", "", "1010", "GW-5"),
            room("6号楼", "3层", "301", "GW3"),
            room("16号楼", "3层", "3011", "GW3"),
        ]
    }

    fn found(text: &str) -> Vec<usize> {
        let rooms = rooms();
        let terms = Terms::of(text, rooms.iter());
        (0..rooms.len()).filter(|n| terms.mean(&rooms[*n])).collect()
    }

    #[test]
    fn a_name_given_whole_means_nothing_else() {
        assert_eq!(found("Building 7"), [0]);
        assert_eq!(found(" building  7 "), [0]);
        assert_eq!(found("Building 7 Annex"), [3]);
        assert_eq!((found("gw3"), found("GW30")), (vec![0, 4, 5], vec![1, 2]));
        assert_eq!((found("101"), found("301"), found("6号楼")), (vec![0], vec![4], vec![4]));
        assert_eq!(found("Building 7 101"), [0]);
        assert_eq!(found("7"), [2], "the room of that name, not all of building 7");
        assert_eq!(found("Building 10"), [0; 0], "not the rooms 10.. of any building");
    }

    #[test]
    fn what_is_no_name_means_words_and_the_beginning_of_a_room() {
        assert_eq!((found("building"), found("annex"), found("gw")), (vec![0, 1, 2, 3], vec![3], vec![3]));
        assert_eq!((found("10"), found("30"), found("uilding")), (vec![0, 3], vec![4, 5], vec![]));
        assert_eq!((found("6"), found("16"), found("号楼")), (vec![4], vec![5], vec![4, 5]));
        assert_eq!((found("Building 7 10"), found("7 annex 10")), (vec![0], vec![]));
        assert_eq!(found(""), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn chinese_names_need_no_space() {
        assert_eq!((found("6号楼301"), found("16号楼3层3011"), found("6号楼 3层")), (vec![4], vec![5], vec![4]));
        assert_eq!((found("6号楼30"), found("1016")), (vec![4], vec![]));
    }

    #[test]
    fn a_room_is_found_with_the_suffix_of_its_number() {
        assert_eq!((found("101室"), found("101号房"), found("6号楼301室")), (vec![0], vec![0], vec![4]));
        assert_eq!((found("701号 building"), found("10室")), (vec![1], vec![]), "a whole number, not how it begins");
        assert_eq!((found("6号楼"), found("号楼"), found("室")), (vec![4], vec![4, 5], vec![]));
        assert_eq!((found("101 室"), found("6号楼 301 号房"), found("室 101")), (vec![0], vec![4], vec![]));
        assert_eq!((found("10 室"), found("6号楼 室")), (vec![], vec![]), "behind a whole number alone");
        let named = [SearchText::new("301室", "3层", "6号楼"), SearchText::new("301", "3层", "7号楼")];
        let terms = Terms::of("301室", named.iter());
        assert_eq!(named.each_ref().map(|room| terms.mean(room)), [true, false], "a name given whole means nothing else");
        assert_eq!(["101室", "101 室", "B2房 ", "6号楼", "室"].map(without_suffix), ["101", "101", "B2", "6号楼", "室"]);
        assert_eq!(["6号楼 101 室", "101室 wang", "室 101"].map(without_suffixes), ["6号楼 101", "101 wang", "室 101"]);
    }

    #[test]
    fn a_search_of_too_many_words_finds_nothing() {
        assert_eq!(found(&"101 ".repeat(WORDS_MAX)), [0]);
        assert_eq!(found(&"101 ".repeat(WORDS_MAX + 1)), [0; 0]);
    }
}
