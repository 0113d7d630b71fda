//! Texts of messages that the site wrote, by kind and language. Each change is a version; the newest counts.

use std::collections::HashMap;

use model::audit::AuditAction;
use model::error::AppError;
use model::language::Lang;
use model::notification::{MessageText, NotificationKind};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;
use store::audit;
use store::{Db, Result, on, read};

/// Versions that are listed.
const LISTED: i64 = 20;

/// A version of a text.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct TextVersion {
    pub version: i64,
    /// `None`: the product's text.
    pub text: Option<String>,
    pub changed_at: Timestamp,
    /// Who changed it.
    pub name: String,
}

/// The versions of a text, the newest first.
pub async fn versions(db: &Db, kind: NotificationKind, lang: Lang) -> Result<Vec<TextVersion>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT t.version, t.text, t.changed_at, u.name FROM notification_texts t JOIN users u ON u.id = t.changed_by
         WHERE t.kind = $1 AND t.language = $2 ORDER BY t.version DESC LIMIT $3"
    )
    .bind(kind)
    .bind(lang.tag())
    .bind(LISTED)
    .fetch_all(pool)
    .await)
}

/// The site's own texts.
pub async fn own(db: &Db) -> Result<HashMap<(NotificationKind, Lang), String>> {
    let rows: Vec<(NotificationKind, String, Option<String>)> = read!(db, |pool| sqlx::query_as(
        "SELECT t.kind, t.language, t.text FROM notification_texts t
         WHERE t.version = (SELECT MAX(n.version) FROM notification_texts n WHERE n.kind = t.kind AND n.language = t.language)"
    )
    .fetch_all(pool)
    .await)?;
    let text = |(kind, language, text): (_, String, Option<String>)| Some(((kind, Lang::choose(&language)?), text?));
    Ok(rows.into_iter().filter_map(text).collect())
}

/// Stores the version that follows `version`, the newest that whoever changes it has seen; `None`: the product's text again.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where somebody else has changed the text meanwhile.
pub async fn set(
    db: &Db,
    at: Timestamp,
    who: &Who,
    (kind, lang, version): (NotificationKind, Lang, i64),
    text: Option<&MessageText>,
) -> Result<()> {
    let mut tx = db.begin().await?;
    let stored = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO notification_texts (kind, language, version, text, changed_by, changed_at)
         SELECT $1, $2, $3, $4, $5, $6
         WHERE $7 = (SELECT COALESCE(MAX(version), 0) FROM notification_texts WHERE kind = $1 AND language = $2)
         ON CONFLICT (kind, language, version) DO NOTHING"
    )
    .bind(kind)
    .bind(lang.tag())
    .bind(version.saturating_add(1))
    .bind(text.map(MessageText::as_str))
    .bind(who.user)
    .bind(at)
    .bind(version)
    .execute(c)
    .await)?;
    if stored == 0 {
        return Err(AppError::Conflict.into());
    }
    let detail = json!({ "kind": kind, "language": lang.tag(), "text": text.map(MessageText::as_str) });
    audit::record(&mut tx, at, who, (AuditAction::NotificationText, "site"), &detail).await?;
    tx.commit().await
}
