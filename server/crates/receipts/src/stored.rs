//! What the site has set: templates that differ from the product's, and its logo.

use model::audit::AuditAction;
use model::language::Lang;
use model::person::Who;
use model::receipt_sheet::ReceiptPaper;
use model::time::Timestamp;
use serde_json::json;
use store::audit;
use store::{Db, Result, on, read};

use super::Template;

/// The site's own template; `None` where it uses the product's.
pub async fn template(db: &Db, paper: ReceiptPaper, lang: Lang) -> Result<Option<String>> {
    let sql = "SELECT template FROM receipt_templates WHERE paper = $1 AND language = $2";
    let row: Option<(String,)> = read!(db, |pool| sqlx::query_as(sql).bind(paper).bind(lang.tag()).fetch_optional(pool).await)?;
    Ok(row.map(|(template,)| template))
}

/// Papers and languages that have a template of the site's own.
pub async fn own_templates(db: &Db) -> Result<Vec<(ReceiptPaper, String)>> {
    read!(db, |pool| sqlx::query_as("SELECT paper, language FROM receipt_templates ORDER BY paper, language")
        .fetch_all(pool)
        .await)
}

/// Sets a template; `None`: the product's again.
pub async fn set_template(
    db: &Db,
    at: Timestamp,
    who: &Who,
    (paper, lang): (ReceiptPaper, Lang),
    template: Option<&Template>,
) -> Result<()> {
    let mut tx = db.begin().await?;
    match template {
        Some(template) => on!(&mut tx, |c| sqlx::query(
            "INSERT INTO receipt_templates (paper, language, template, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (paper, language) DO UPDATE SET template = $3, changed_by = $4, changed_at = $5"
        )
        .bind(paper)
        .bind(lang.tag())
        .bind(template.as_str())
        .bind(who.user)
        .bind(at)
        .execute(c)
        .await)?,
        None => on!(&mut tx, |c| sqlx::query("DELETE FROM receipt_templates WHERE paper = $1 AND language = $2")
            .bind(paper)
            .bind(lang.tag())
            .execute(c)
            .await)?,
    };
    let detail = json!({ "paper": paper, "language": lang.tag(), "template": template.map(Template::as_str) });
    audit::record(&mut tx, at, who, (AuditAction::ReceiptTemplate, "site"), &detail).await?;
    tx.commit().await
}

/// The PNG file of the logo.
pub async fn logo_file(db: &Db) -> Result<Option<Vec<u8>>> {
    let row: Option<(Vec<u8>,)> =
        read!(db, |pool| sqlx::query_as("SELECT png FROM receipt_logo WHERE one = 1").fetch_optional(pool).await)?;
    Ok(row.map(|(png,)| png))
}

/// Since when the logo is this one; `None` where there is none.
pub async fn logo_changed_at(db: &Db) -> Result<Option<Timestamp>> {
    let row: Option<(Timestamp,)> =
        read!(db, |pool| sqlx::query_as("SELECT changed_at FROM receipt_logo WHERE one = 1").fetch_optional(pool).await)?;
    Ok(row.map(|(at,)| at))
}

/// Sets the logo, a file that [`super::logo()`] reads; `None`: none.
pub async fn set_logo(db: &Db, at: Timestamp, who: &Who, png: Option<&[u8]>) -> Result<()> {
    let mut tx = db.begin().await?;
    match png {
        Some(png) => on!(&mut tx, |c| sqlx::query(
            "INSERT INTO receipt_logo (one, png, changed_by, changed_at) VALUES (1, $1, $2, $3)
             ON CONFLICT (one) DO UPDATE SET png = $1, changed_by = $2, changed_at = $3"
        )
        .bind(png)
        .bind(who.user)
        .bind(at)
        .execute(c)
        .await)?,
        None => on!(&mut tx, |c| sqlx::query("DELETE FROM receipt_logo").execute(c).await)?,
    };
    let detail = json!({ "bytes": png.map(<[u8]>::len) });
    audit::record(&mut tx, at, who, (AuditAction::ReceiptLogo, "site"), &detail).await?;
    tx.commit().await
}
