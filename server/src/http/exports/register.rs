//! `/register.csv`: the register of sales and returns as a file, streamed so that it is never whole in memory.

use app::pages::operator::register;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use futures::stream;
use model::console::{RecordLine, RecordQuery};
use model::error::AppError;
use model::ids::{UserId, Uuid};
use model::language::Lang;
use model::time::Timestamp;
use workbook::Cell;

use super::listing::{csv_file, csv_head, csv_rows, refusal};
use crate::http::{AppState, RequestInfo};
use store::{Db, Result};

/// Lines read at once.
const CHUNK: i64 = 500;

/// The access table allows operators only; the query limits the lines to what they may see.
pub async fn download(
    State(state): State<AppState>,
    Query(fields): Query<Vec<(String, String)>>,
    Extension(info): Extension<RequestInfo>,
) -> Response {
    let Some(who) = info.who else { return refusal(AppError::NotLoggedIn) };
    let query =
        register::query(|name| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default());
    csv_file("dormwatt-register", lines(state.context.db, who.user, query, info.lang))
}

/// The position in the file.
enum Position {
    Head,
    After(Timestamp, Uuid),
    End,
}

fn lines(db: Db, user: UserId, query: RecordQuery, lang: Lang) -> impl stream::Stream<Item = Result<Bytes>> {
    let filter = queries::RecordFilter::new(user, &query);
    stream::try_unfold((Position::Head, db, filter), move |(at, db, filter)| async move {
        let (mut text, after) = match at {
            Position::End => return Ok(None),
            Position::Head => (csv_head(&register::head(lang)), None),
            Position::After(at, id) => (String::new(), Some((at, id))),
        };
        let found = queries::records(&db, &filter, after, CHUNK, 0).await?;
        text.push_str(&csv_rows(found.iter().map(|record| cells(record, lang))));
        let next = match found.last() {
            Some(last) if found.len() as i64 == CHUNK => Position::After(last.at, last.id),
            _ => Position::End,
        };
        Ok(Some((Bytes::from(text), (next, db, filter))))
    })
}

fn cells(record: &RecordLine, lang: Lang) -> Vec<Cell> {
    let (kind, state) = register::kind_and_state(record.state, lang);
    let texts = [
        record.at.to_string(),
        kind.to_owned(),
        state.to_owned(),
        record.room.building.clone(),
        record.room.floor.clone(),
        record.room.room.clone(),
        record.account.clone(),
        app::i18n::common::tender(record.tender, lang).to_owned(),
        record.amount.to_string(),
        record.taken.to_string(),
        record.given.to_string(),
        record.by.clone(),
        record.receipt.map(|number| number.to_string()).unwrap_or_default(),
        if record.number == 0 { String::new() } else { record.number.to_string() },
    ];
    texts.into_iter().map(Cell::text).collect()
}
