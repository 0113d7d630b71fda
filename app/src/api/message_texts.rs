//! Texts of messages that the site writes, by kind and language.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::{ApiError, answer};
use crate::i18n::{Lang, lang, notifications};
use crate::link;
use crate::ports::{Who, operator, ports, reply};
use model::error::AppError;
use model::notification::{NotificationKind, TextMistake};
use model::time::Timestamp;

/// A kind of message and its text in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextLine {
    pub kind: NotificationKind,
    pub lang: Lang,
    pub text: String,
    /// Whether the site wrote it.
    pub is_own: bool,
}

/// An earlier state of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextVersionLine {
    /// `None`: the product's text.
    pub text: Option<String>,
    pub changed_at: Timestamp,
    pub changed_by: String,
}

/// A text with all that its editor shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedText {
    pub line: TextLine,
    /// Of the newest version; 0 where nobody has changed the text.
    pub version: i64,
    /// The newest first.
    pub versions: Vec<TextVersionLine>,
}

#[async_trait]
pub trait MessageTextsPort: Send + Sync {
    async fn message_texts(&self, who: &Who) -> Result<Vec<TextLine>, AppError>;
    async fn message_text(&self, who: &Who, kind: NotificationKind, lang: Lang) -> Result<EditedText, AppError>;
    /// A text message of that text with example values, as the site sends it.
    async fn preview_text(
        &self,
        who: &Who,
        of: (NotificationKind, Lang),
        text: &str,
    ) -> Result<Result<String, TextMistake>, AppError>;
    /// Stores the text that follows a version; `None`: the product's again.
    async fn set_text(
        &self,
        who: &Who,
        of: (NotificationKind, Lang, i64),
        text: Option<&str>,
    ) -> Result<Result<(), TextMistake>, AppError>;
}

/// The editor of a text.
#[must_use]
pub fn text_page(kind: NotificationKind, lang: Lang) -> String {
    link::with(&format!("/messages/texts/{}", kind.as_str()), "language", lang.tag())
}

fn language_of(text: &str) -> Result<Lang, AppError> {
    Lang::choose(text).ok_or(AppError::Invalid)
}

/// Stores a text; a mistake is said at its field.
#[server(name = SetMessageText, prefix = "/api", endpoint = "operator/message-texts/set")]
pub async fn set_message_text(kind: NotificationKind, language: String, version: String, text: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let of = match language_of(&language) {
        Ok(of) => of,
        Err(error) => return answer(Err(error), "/messages/texts"),
    };
    let here = text_page(kind, of);
    let stored = async { ports.message_texts.set_text(&who, (kind, of, parse(&version)?), Some(&text)).await };
    match stored.await {
        Ok(Ok(())) => answer(Ok(link::with(&here, "done", "saved")), &here),
        Ok(Err(mistake)) => {
            reply()?.wrong_field("text", Some(notifications::mistake(&mistake, lang())));
            answer(Err(AppError::Invalid), &here)
        }
        Err(error) => answer(Err(error), &here),
    }
}

/// Leads to the editor with a text that is not stored, which shows how it would be sent.
#[server(name = PreviewMessageText, prefix = "/api", endpoint = "operator/message-texts/preview")]
pub async fn preview_message_text(kind: NotificationKind, language: String, text: String) -> Result<(), ApiError> {
    operator()?;
    // What is too long for an address is too long for a message.
    let text: String = text.chars().take(model::notification::TEXT_MAX + 1).collect();
    let page = language_of(&language).map(|of| link::with(&text_page(kind, of), "text", &text));
    answer(page, "/messages/texts")
}

/// Goes back to the product's text.
#[server(name = ResetMessageText, prefix = "/api", endpoint = "operator/message-texts/reset")]
pub async fn reset_message_text(kind: NotificationKind, language: String, version: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let of = language_of(&language)?;
        ports.message_texts.set_text(&who, (kind, of, parse(&version)?), None).await?.map_err(|_| AppError::Invalid)?;
        Ok(link::with(&text_page(kind, of), "done", "saved"))
    };
    answer(done.await, "/messages/texts")
}
