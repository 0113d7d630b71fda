//! `/register.csv`: the register of sales and returns as a file, streamed so that it is never whole in memory.

use app::pages::operator::register;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use model::console::{RecordLine, RecordQuery};
use model::ids::{UserId, Uuid};
use model::language::Lang;
use model::time::Timestamp;

use crate::http::AppState;
use crate::http::exports::csv;
use crate::http::session::RequestInfo;
use store::{Db, Result};

/// Lines read at once.
const CHUNK: i64 = 500;

/// The access table allows operators only; the query limits the lines to what they may see.
pub async fn download(State(state): State<AppState>, Query(fields): Query<Vec<(String, String)>>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some((who, lang)) = info.and_then(|info| Some((info.who.clone()?, info.lang))) else {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    };
    let query =
        register::query(|name| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default());
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"dormwatt-register.csv\""),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(lines(state.context.db, who.user, query, lang))).into_response()
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
            // Without the byte order mark, spreadsheets read the file in the system's old code page.
            Position::Head => (format!("\u{feff}{}", csv::line(&register::head(lang).map(str::to_owned))), None),
            Position::After(at, id) => (String::new(), Some((at, id))),
        };
        let found = queries::records(&db, &filter, after, CHUNK, 0).await?;
        for record in &found {
            text.push_str(&csv::line(&cells(record, lang)));
        }
        let next = match found.last() {
            Some(last) if found.len() as i64 == CHUNK => Position::After(last.at, last.id),
            _ => Position::End,
        };
        Ok(Some((Bytes::from(text), (next, db, filter))))
    })
}

fn cells(record: &RecordLine, lang: Lang) -> [String; 14] {
    let (kind, state) = register::kind_and_state(record.state, lang);
    [
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
    ]
}
