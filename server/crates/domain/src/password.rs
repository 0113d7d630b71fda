//! Which passwords are accepted: NIST SP 800-63B, revision 4. Length counts and nothing is composed; what attackers try first is
//! refused, and so is what is made of the person's login name, the site's name or the product's.

use std::sync::LazyLock;

use model::error::AppError;
use unicode_normalization::UnicodeNormalization;

/// The fewest characters where something else is asked for too, and of residents, who reach one room.
pub const MIN_LENGTH: usize = 8;
/// The fewest characters where the password alone lets an operator in.
pub const MIN_PASSWORD_ONLY: usize = 15;
/// The most characters.
pub const MAX_LENGTH: usize = 128;
/// The most bytes that are looked at, of the four that a character may have.
const MAX_BYTES: usize = 4 * MAX_LENGTH;
/// Names shorter than this are in too many words.
const MIN_NAME: usize = 3;
/// Fewer different characters than this are no password.
const MIN_DISTINCT: usize = 5;

const PRODUCT: &str = "dormwatt";

static COMMON: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("password/common.txt").lines().collect());

/// Whose password it is to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'a> {
    /// What they log in as.
    pub login: &'a str,
    /// What the site is called.
    pub site: &'a str,
    /// An operator who is asked for nothing but the password.
    pub password_only: bool,
}

/// The form in which a password is hashed and compared: the same characters however a keyboard composes them.
#[must_use]
pub fn normalised(password: &str) -> String {
    password.nfkc().collect()
}

/// Checks a password that somebody chooses.
///
/// # Errors
/// [`AppError::PasswordTooLong`], [`AppError::WeakPassword`] and [`AppError::PasswordAlone`] where it is too short,
/// [`AppError::CommonPassword`], [`AppError::PersonalPassword`].
pub fn check(password: &str, owner: &Owner<'_>) -> Result<(), AppError> {
    if password.len() > MAX_BYTES {
        return Err(AppError::PasswordTooLong);
    }
    let password = normalised(password);
    let length = password.chars().count();
    if length > MAX_LENGTH {
        return Err(AppError::PasswordTooLong);
    }
    if length < MIN_LENGTH {
        return Err(AppError::WeakPassword);
    }
    if owner.password_only && length < MIN_PASSWORD_ONLY {
        return Err(AppError::PasswordAlone);
    }
    let password = password.to_lowercase();
    if is_common(&password) {
        return Err(AppError::CommonPassword);
    }
    if is_personal(&password, owner) { Err(AppError::PersonalPassword) } else { Ok(()) }
}

/// In the list, or a repetition, or a sequence.
fn is_common(password: &str) -> bool {
    let listed = |text: &str| COMMON.binary_search(&text).is_ok();
    let characters: Vec<char> = password.chars().collect();
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    listed(password)
        || different.len() < MIN_DISTINCT
        || is_sequence(&characters)
        || repeats(&characters).is_some_and(|unit| unit.chars().count() < MIN_LENGTH || listed(&unit))
}

/// `12345678901`, `hgfedcba`.
fn is_sequence(characters: &[char]) -> bool {
    let step = |from: char, to: char| match (from.to_digit(10), to.to_digit(10)) {
        (Some(from), Some(to)) => (i64::from(to) - i64::from(from)).rem_euclid(10),
        _ => i64::from(u32::from(to)) - i64::from(u32::from(from)),
    };
    let mut steps = characters.windows(2).filter_map(|pair| Some(step(*pair.first()?, *pair.last()?)));
    let Some(first) = steps.next() else { return true };
    matches!(first, -1 | 1 | 9) && steps.all(|step| step == first)
}

/// What a password repeats from its beginning to its end.
fn repeats(characters: &[char]) -> Option<String> {
    let length = characters.len();
    let is_unit = |unit: usize| {
        let first = characters.get(..unit).unwrap_or_default();
        length.is_multiple_of(unit) && characters.chunks(unit).all(|part| part == first)
    };
    let unit = (1..=length / 2).find(|unit| is_unit(*unit))?;
    Some(characters.get(..unit)?.iter().collect())
}

/// Whether hardly anything is left of it without the names.
fn is_personal(password: &str, owner: &Owner<'_>) -> bool {
    let names = [owner.login, owner.site, PRODUCT].map(|name| normalised(name).to_lowercase());
    let mut rest = password.to_owned();
    for name in names.iter().filter(|name| name.chars().count() >= MIN_NAME) {
        rest = rest.replace(name.as_str(), "");
    }
    rest.len() < password.len() && rest.chars().count() < MIN_LENGTH
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner<'_> = Owner { login: "zhangsan", site: "东区宿舍", password_only: false };

    fn refused(password: &str) -> Option<AppError> {
        check(password, &OWNER).err()
    }

    #[test]
    fn length_counts_characters_of_any_script() {
        assert_eq!(refused("kx7 fvw"), Some(AppError::WeakPassword));
        assert_eq!(refused("kx7 fvwq"), None, "spaces are characters");
        assert_eq!(refused("月亮照在宿舍楼上"), None);
        assert_eq!(refused("月亮照在宿舍楼"), Some(AppError::WeakPassword));
        let long: String = ('a'..='z').cycle().step_by(3).take(MAX_LENGTH).collect();
        assert_eq!(refused(&long), None);
        assert_eq!(refused(&format!("{long}x")), Some(AppError::PasswordTooLong));
        assert_eq!(refused(&"x".repeat(1 << 20)), Some(AppError::PasswordTooLong));
    }

    #[test]
    fn an_operators_password_alone_has_to_be_longer() {
        let owner = Owner { password_only: true, ..OWNER };
        assert_eq!(check("kx7 fvwq 92mzt", &owner), Err(AppError::PasswordAlone));
        assert_eq!(check("kx7 fvwq 92mztp", &owner), Ok(()));
        assert_eq!(check("kx7", &owner), Err(AppError::WeakPassword));
    }

    #[test]
    fn what_attackers_try_first_is_refused() {
        for common in [
            "password",
            "PASSWORD",
            "ｐａｓｓｗｏｒｄ",
            "1qaz2wsx",
            "iloveyou",
            "woaini1314",
            "aaaaaaaa",
            "abababab",
            "12345678",
            "9876543210",
            "abcdefgh",
            "passwordpassword",
            "kx7f kx7f kx7f ",
            "7777777777777777",
        ] {
            assert_eq!(refused(common), Some(AppError::CommonPassword), "{common}");
        }
        assert!(COMMON.len() > 5_000 && COMMON.is_sorted());
    }

    #[test]
    fn names_are_no_password() {
        for personal in ["zhangsan", "ZhangSan2026", "dormwatt1", "东区宿舍2026", "zhangsandormwatt"] {
            assert_eq!(refused(personal), Some(AppError::PersonalPassword), "{personal}");
        }
        assert_eq!(refused("zhangsan drinks tea"), None, "enough is left without the name");
        assert_eq!(check("li li li tea pot", &Owner { login: "li", ..Owner::default() }), Ok(()), "too short a name to matter");
    }

    #[test]
    fn keyboards_compose_characters_differently() {
        assert_eq!(normalised("e\u{301}"), normalised("\u{e9}"));
        assert_eq!(normalised("ｄｏｒｍ　１"), "dorm 1");
    }
}
