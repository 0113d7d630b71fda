//! What residents ask for by text message.

use crate::modem::ModemState;
use crate::word_enum;

word_enum! {
    pub enum TextRequest {
        /// The balance, and how long it lasts.
        Balance = "balance",
        /// No more texts to that number.
        Stop = "stop",
        /// A link to pay.
        TopUp = "top-up",
        /// Any other text.
        Other = "other",
    }

    /// What became of it.
    pub enum TextOutcome {
        Answered = "answered",
        /// It was not understood. It is not answered, because two machines would talk for ever.
        NotUnderstood = "not-understood",
        /// The number is nobody's who lives here.
        UnknownNumber = "unknown-number",
        /// The number has asked too often within an hour.
        TooMany = "too-many",
        /// The modem received it too late for an answer.
        TooLate = "too-late",
    }
}

impl TextRequest {
    /// From what somebody wrote, with whatever case, blanks and punctuation.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let words: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
        match &*words {
            "余额" | "查余额" | "查询余额" | "YE" | "BALANCE" => Self::Balance,
            // The usual words of other senders, too.
            "停" | "停止" | "退订" | "T" | "TD" | "STOP" | "UNSUBSCRIBE" => Self::Stop,
            "充值" | "充电费" | "CZ" | "TOPUP" => Self::TopUp,
            _ => Self::Other,
        }
    }
}

/// The modem in the operators' list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemLine {
    pub state: ModemState,
    /// How many messages it received today, by outcome.
    pub received: Vec<(TextOutcome, i64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_people_write_them() {
        for text in ["余额", " 余额。\r\n", "balance", "Balance!", "ye"] {
            assert_eq!(TextRequest::read(text), TextRequest::Balance, "{text}");
        }
        for text in ["停", "STOP.", "退订", "td"] {
            assert_eq!(TextRequest::read(text), TextRequest::Stop, "{text}");
        }
        for text in ["充值", "Top up", "top-up", "TOPUP"] {
            assert_eq!(TextRequest::read(text), TextRequest::TopUp, "{text}");
        }
        for text in ["", "余额不足", "stop it", "余额停", "?"] {
            assert_eq!(TextRequest::read(text), TextRequest::Other, "{text}");
        }
    }
}
