//! What people do about a case until it is closed: comments, who works on it, and by when.

use model::audit::AuditAction;
use model::console::{CaseNote, CaseStep, SeenCase};
use model::error::AppError;
use model::ids::{CaseId, UserId};
use model::person::Who;
use model::time::Timestamp;
use model::word_enum;
use serde_json::{Value, json};
use sqlx::FromRow;

use super::{above, within};
use crate::audit::{self, Entry};
use crate::operators::{self, ChangedBy};
use crate::roles::{can_log_in, works_on_cases};
use crate::{Db, Result, Tx, on, read};
use domain::rng::Rng;

word_enum! {
    /// The stored kind of a note.
    enum NoteKind {
        Comment = "comment",
        Owner = "owner",
        Due = "due",
    }
}

#[derive(FromRow)]
struct NoteRow {
    at: Timestamp,
    by: Option<String>,
    kind: NoteKind,
    comment: Option<String>,
    owner: Option<String>,
    due_at: Option<Timestamp>,
}

/// Notes of a case that are shown.
const NOTES: i64 = 500;

/// What was done about a case, oldest first; of very many the newest 500. Whether the operator may see the case is
/// the caller's to check.
pub async fn notes(db: &Db, case: CaseId) -> Result<Vec<CaseNote>> {
    let rows: Vec<NoteRow> = read!(db, |pool| sqlx::query_as(
        "SELECT n.at, u.name AS by, n.kind, n.comment, o.name AS owner, n.due_at
         FROM case_notes n LEFT JOIN users u ON u.id = n.by_user LEFT JOIN users o ON o.id = n.owner
         WHERE n.case_id = $1 ORDER BY n.at DESC, n.id DESC LIMIT $2"
    )
    .bind(case)
    .bind(NOTES)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().rev().map(note).collect())
}

fn note(row: NoteRow) -> CaseNote {
    let step = match (row.kind, row.due_at) {
        (NoteKind::Due, Some(at)) => CaseStep::Due(at),
        (NoteKind::Owner, _) => CaseStep::Owner(row.owner),
        (NoteKind::Comment | NoteKind::Due, _) => CaseStep::Comment(row.comment.unwrap_or_default()),
    };
    CaseNote { at: row.at, by: row.by, step }
}

/// Whoever can work on a case, by name: they may, and see its building.
pub async fn operators(db: &Db, case: CaseId) -> Result<Vec<(UserId, String)>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT u.id, u.name FROM users u JOIN cases c ON c.id = $1 LEFT JOIN orders o ON o.id = c.order_id
         LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id) LEFT JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE (u.all_buildings OR EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = u.id
                                           AND place_id IN (r.id, b.id, t.id))) AND ",
        can_log_in!("u"),
        " AND ",
        works_on_cases!("u"),
        " ORDER BY u.name, u.id LIMIT 500"
    ))
    .bind(case)
    .fetch_all(pool)
    .await)
}

/// Adds a comment to an open case.
///
/// # Errors
/// [`AppError::NotFound`] if the operator may not see it, [`AppError::Conflict`] if it is closed.
pub async fn comment(db: &Db, rng: &Rng, at: Timestamp, who: &Who, case: CaseId, text: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    open_case(&mut tx, who.user, case).await?;
    insert(&mut tx, (rng, at), Some(who.user), case, (NoteKind::Comment, Some(text), None, None)).await?;
    record(&mut tx, at, who, AuditAction::CaseComment, case, json!({ "comment": text })).await?;
    tx.commit().await
}

/// Sets who works on these cases; `None`: nobody. All or none; a case that has that owner already stays as it is.
///
/// # Errors
/// [`AppError::NotFound`] for a case that the operator may not see, or an owner who may not see it, may not work on cases or
/// cannot log in; [`AppError::Conflict`] for one that is closed, [`AppError::CaseMoved`] for one that somebody worked on
/// since it was seen.
pub async fn assign(db: &Db, rng: &Rng, at: Timestamp, who: &Who, cases: &[SeenCase], owner: Option<UserId>) -> Result<()> {
    let mut tx = db.begin().await?;
    // Whoever takes the owner's rights away waits, or is waited for: then they are seen here.
    operators::in_turn(&mut tx).await?;
    if let Some(owner) = owner {
        works_on_cases(&mut tx, owner).await?;
    }
    for seen in cases {
        let case = &seen.case;
        open_case(&mut tx, who.user, *case).await?;
        unmoved(&mut tx, *seen).await?;
        if let Some(owner) = owner {
            open_case(&mut tx, owner, *case).await?;
        }
        let changed = on!(&mut tx, |c| sqlx::query("UPDATE cases SET owner = $2 WHERE id = $1 AND owner IS DISTINCT FROM $2")
            .bind(*case)
            .bind(owner)
            .execute(c)
            .await)?;
        if changed == 1 {
            insert(&mut tx, (rng, at), Some(who.user), *case, (NoteKind::Owner, None, owner, None)).await?;
            record(&mut tx, at, who, AuditAction::CaseOwner, *case, json!({ "owner": owner })).await?;
        }
    }
    tx.commit().await
}

/// Sets by when an open case should be closed.
///
/// # Errors
/// As [`comment`], and [`AppError::CaseMoved`] if somebody worked on it since it was seen.
pub async fn set_due(db: &Db, rng: &Rng, at: Timestamp, who: &Who, seen: SeenCase, due: Timestamp) -> Result<()> {
    let (mut tx, case) = (db.begin().await?, seen.case);
    open_case(&mut tx, who.user, case).await?;
    unmoved(&mut tx, seen).await?;
    on!(&mut tx, |c| sqlx::query("UPDATE cases SET due_at = $2 WHERE id = $1").bind(case).bind(due).execute(c).await)?;
    insert(&mut tx, (rng, at), Some(who.user), case, (NoteKind::Due, None, None, Some(due))).await?;
    record(&mut tx, at, who, AuditAction::CaseDue, case, json!({ "due_at": due })).await?;
    tx.commit().await
}

/// Refuses a case that somebody worked on since it was seen. The transaction has locked it.
pub(crate) async fn unmoved(tx: &mut Tx, seen: SeenCase) -> Result<()> {
    let Some(steps) = seen.steps else { return Ok(()) };
    let sql = "SELECT COUNT(*) FROM case_notes WHERE case_id = $1";
    let taken: Option<(i64,)> = on!(tx, |c| sqlx::query_as(sql).bind(seen.case).fetch_optional(c).await)?;
    if taken == Some((steps,)) { Ok(()) } else { Err(AppError::CaseMoved.into()) }
}

/// Locks a case; it is open and that operator may see it.
async fn open_case(tx: &mut Tx, operator: UserId, case: CaseId) -> Result<()> {
    let found: Option<(Option<Timestamp>,)> = on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE cases SET owner = owner WHERE id = (
             SELECT c.id FROM cases c LEFT JOIN orders o ON o.id = c.order_id
             LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id) LEFT JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE c.id = $2 AND",
        within!(),
        ") RETURNING closed_at"
    ))
    .bind(operator)
    .bind(case)
    .fetch_optional(c)
    .await)?;
    match found {
        None => Err(AppError::NotFound.into()),
        Some((Some(_),)) => Err(AppError::Conflict.into()),
        Some((None,)) => Ok(()),
    }
}

/// Gives up the open cases of an operator that they can no longer work on, in the transaction that took it from them; nobody
/// works on these then.
pub(crate) async fn release(tx: &mut Tx, (rng, at): (&Rng, Timestamp), by: ChangedBy<'_>, user: UserId) -> Result<()> {
    let released: Vec<(CaseId,)> = on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE cases SET owner = NULL WHERE owner = $1 AND closed_at IS NULL AND id NOT IN (
             SELECT c.id FROM cases c JOIN users u ON u.id = c.owner LEFT JOIN orders o ON o.id = c.order_id
             LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id) LEFT JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE c.owner = $1 AND c.closed_at IS NULL AND",
        within!(),
        "AND ",
        can_log_in!("u"),
        " AND ",
        works_on_cases!("u"),
        ") RETURNING id"
    ))
    .bind(user)
    .fetch_all(c)
    .await)?;
    for (case,) in released {
        insert(tx, (rng, at), by.user(), case, (NoteKind::Owner, None, None, None)).await?;
        let detail = json!({ "owner": null, "was": user });
        by.record(tx, at, AuditAction::CaseOwner, &format!("case:{case}"), &detail).await?;
    }
    Ok(())
}

async fn works_on_cases(tx: &mut Tx, user: UserId) -> Result<()> {
    let found: Option<(UserId,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT u.id FROM users u WHERE u.id = $1 AND ",
        can_log_in!("u"),
        " AND ",
        works_on_cases!("u")
    ))
    .bind(user)
    .fetch_optional(c)
    .await)?;
    found.map(drop).ok_or_else(|| AppError::NotFound.into())
}

/// A note's kind with its comment, owner and due time.
type NewNote<'a> = (NoteKind, Option<&'a str>, Option<UserId>, Option<Timestamp>);

/// `by`: `None` where somebody on the server's command line did it.
async fn insert(tx: &mut Tx, (rng, at): (&Rng, Timestamp), by: Option<UserId>, case: CaseId, note: NewNote<'_>) -> Result<()> {
    let (kind, comment, owner, due) = note;
    on!(tx, |c| sqlx::query(
        "INSERT INTO case_notes (id, case_id, at, by_user, kind, comment, owner, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(rng.id(at))
    .bind(case)
    .bind(at)
    .bind(by)
    .bind(kind)
    .bind(comment)
    .bind(owner)
    .bind(due)
    .execute(c)
    .await)?;
    Ok(())
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, case: CaseId, detail: Value) -> Result<()> {
    let (actor, subject, detail) = (format!("user:{}", who.user), format!("case:{case}"), detail.to_string());
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail: &detail }).await
}
