//! The scheme of account numbers.

/// How the next account is numbered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberSchemeView {
    /// `None`: the day and ten digits that nobody can guess.
    pub prefix: Option<String>,
    pub check_digit: bool,
    /// The next running number.
    pub next: u64,
    /// The number of the next account, where it is known before.
    pub proposed: Option<String>,
}
