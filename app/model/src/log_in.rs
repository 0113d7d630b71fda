//! How a session was opened.

use crate::word_enum;

word_enum! {
    /// How a person showed who they are.
    pub enum LogInMethod {
        /// The session is older than this record.
        Unknown = "unknown",
        Password = "password",
        /// A code that was sent to their phone.
        Phone = "phone",
        Wechat = "wechat",
        /// A QR code of a query machine, confirmed on their phone.
        KioskQr = "kiosk_qr",
        /// A code of their phone, typed in at a query machine.
        KioskCode = "kiosk_code",
        /// They were logged in and chose another password, which ended the session before.
        PasswordChange = "password_change",
        /// The address that is printed at the first start.
        SetUp = "set_up",
    }

    /// What was given as the second factor.
    pub enum SecondFactorProof {
        Code = "code",
        RecoveryCode = "recovery_code",
    }
}

/// A log-in, with its second factor where one was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogIn {
    pub method: LogInMethod,
    pub second_factor: Option<SecondFactorProof>,
}

impl From<LogInMethod> for LogIn {
    fn from(method: LogInMethod) -> Self {
        Self { method, second_factor: None }
    }
}
