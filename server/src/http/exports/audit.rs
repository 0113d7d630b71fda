//! `/audit.csv`: the operation log as a file, streamed so that it is never whole in memory.

use app::i18n::audit::{action, actor, area, detail, subject};
use app::pages::operator::audit;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use model::audit::{AuditLine, Names};
use model::language::Lang;

use crate::http::AppState;
use crate::http::exports::csv;
use crate::http::session::RequestInfo;
use queries::AuditFilter;
use store::{Db, Result};

/// Lines read at once.
const CHUNK: i64 = 200;

/// The access table allows only who may read the log; the query limits the lines to what they may see.
pub async fn download(State(state): State<AppState>, Query(fields): Query<Vec<(String, String)>>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some((who, lang)) = info.and_then(|info| Some((info.who.clone()?, info.lang))) else {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    };
    let query =
        audit::query(|name| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default());
    let db = state.context.db;
    let filter = match AuditFilter::new(&db, who.user, &query).await {
        Ok(filter) => filter,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "audit.export_failed");
            return axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"dormwatt-audit.csv\""),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(lines(db, filter, lang))).into_response()
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
            // Without the byte order mark, spreadsheets read the file in the system's old code page.
            Position::Head => (format!("\u{feff}{}", csv::line(&audit::head(lang).map(str::to_owned))), None),
            Position::Before(line) => (String::new(), Some(line)),
        };
        let found = queries::audit_lines(&db, &filter, before, CHUNK, 0).await?;
        let names = queries::audit_names(&db, &found).await?;
        for line in &found {
            text.push_str(&csv::line(&cells(line, &names, lang)));
        }
        let next = match found.last() {
            Some(last) if found.len() as i64 == CHUNK => Position::Before(last.seq),
            _ => Position::End,
        };
        Ok(Some((Bytes::from(text), (next, db, filter))))
    })
}

fn cells(line: &AuditLine, names: &Names, lang: Lang) -> [String; 10] {
    let kind = line.action.split_once('.').map_or(line.action.as_str(), |(area, _)| area);
    [
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
    ]
}
