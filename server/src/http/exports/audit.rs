//! `/audit.csv`: the operation log as a file, streamed so that it is never whole in memory.

use app::i18n::audit::{action, actor, area, detail, subject};
use app::pages::operator::audit;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use futures::stream;
use model::audit::{AuditLine, Names};
use model::error::AppError;
use model::language::Lang;
use workbook::Cell;

use super::listing::{csv_file, csv_head, csv_rows, refusal};
use crate::http::{AppState, RequestInfo};
use queries::AuditFilter;
use store::{Db, Result};

/// Lines read at once.
const CHUNK: i64 = 200;

/// The access table allows only who may read the log; the query limits the lines to what they may see.
pub async fn download(
    State(state): State<AppState>,
    Query(fields): Query<Vec<(String, String)>>,
    Extension(info): Extension<RequestInfo>,
) -> Response {
    let Some(who) = info.who else { return refusal(AppError::NotLoggedIn) };
    let query =
        audit::query(|name| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default());
    csv_file("dormwatt-audit", lines(state.context.db, AuditFilter::new(who.user, &query), info.lang))
}

/// The position in the file.
enum Position {
    Head,
    Before(i64),
    End,
}

fn lines(db: Db, filter: AuditFilter, lang: Lang) -> impl stream::Stream<Item = Result<Bytes>> {
    stream::try_unfold((Position::Head, db, filter), move |(at, db, filter)| async move {
        let (mut text, before) = match at {
            Position::End => return Ok(None),
            Position::Head => (csv_head(&audit::head(lang)), None),
            Position::Before(line) => (String::new(), Some(line)),
        };
        let found = queries::audit_lines(&db, &filter, before, CHUNK, 0).await?;
        let names = queries::audit_names(&db, &found).await?;
        text.push_str(&csv_rows(found.iter().map(|line| cells(line, &names, lang))));
        let next = match found.last() {
            Some(last) if found.len() as i64 == CHUNK => Position::Before(last.seq),
            _ => Position::End,
        };
        Ok(Some((Bytes::from(text), (next, db, filter))))
    })
}

fn cells(line: &AuditLine, names: &Names, lang: Lang) -> Vec<Cell> {
    let kind = line.action.split_once('.').map_or(line.action.as_str(), |(area, _)| area);
    let texts = [
        line.seq.to_string(),
        line.at.to_string(),
        actor(&line.actor, names, lang),
        line.ip.clone(),
        area(kind, lang).to_owned(),
        action(&line.action, lang),
        subject(&line.subject, names, lang),
        line.place.as_ref().map(|(_, room)| room.to_string()).unwrap_or_default(),
        detail(line, names, lang).unwrap_or_default(),
        if line.detail == "{}" { String::new() } else { line.detail.clone() },
    ];
    texts.into_iter().map(Cell::text).collect()
}
