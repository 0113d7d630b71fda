//! Paying for another room: how typed names of rooms and people are compared. Pure.

use model::typed;

/// The form in which names are compared: lower case, without blanks, full-width characters as ordinary ones.
#[must_use]
pub fn comparable(text: &str) -> String {
    typed::name(text).chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

/// The room that was meant; `None` if nobody has that name, or people of several rooms have it.
#[must_use]
pub fn only<'a, T, K: PartialEq>(rooms: &'a [T], person: &str, of: impl Fn(&'a T) -> (K, &'a str)) -> Option<&'a T> {
    let person = comparable(person);
    let mut meant = rooms.iter().filter(|&room| !person.is_empty() && comparable(of(room).1) == person);
    let first = meant.next()?;
    meant.all(|other| of(other).0 == of(first).0).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_blanks_and_width() {
        assert_eq!(comparable(" 3号楼　３０１ "), "3号楼301");
        assert_eq!(comparable("Li Wei"), "liwei");
    }

    #[test]
    fn a_room_is_found_only_by_a_person_of_it() {
        let rooms = [(1, "张三"), (1, "李四"), (2, "王五"), (3, "王五"), (4, "Li Wei")];
        let found = |person| only(&rooms, person, |room| (room.0, room.1)).map(|room| room.0);
        assert_eq!(found("李四"), Some(1));
        assert_eq!(found(" li wei"), Some(4));
        assert_eq!(found("王五"), None, "in two rooms of that name");
        assert_eq!(found("张"), None);
        assert_eq!(found(" "), None);
    }
}
