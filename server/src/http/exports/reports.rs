//! `/reports/sales.csv`, `/reports/sales.xlsx` and the like: a report as a file, made of the same sections as its page.

use app::access::Access;
use app::i18n::reports::problem;
use app::pages::operator::reports::query;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use model::error::AppError;
use model::language::Lang;
use model::report::{RangeProblem, ReportKind};
use model::saved_report::ReportFile;

use super::listing::{CSV, XLSX, attachment};
use crate::http::error::Refused;
use crate::http::router::Route;
use crate::http::{AppState, RequestInfo};
use services::reports::{file_name, file_of};

type Fields = Query<Vec<(String, String)>>;

/// Two files for each report, for whoever may open its page.
pub fn reports() -> Vec<Route> {
    let files = ReportKind::ALL.into_iter().flat_map(|kind| ReportFile::ALL.map(|file| (kind, file)));
    let route = |(kind, file): (ReportKind, ReportFile)| {
        let path = format!("/reports/{}.{}", kind.as_str(), file.as_str());
        let answer = move |state: State<AppState>, fields: Fields, info: Extension<RequestInfo>| async move {
            let answer = download(kind, file, &state, &fields, &info).await.map_err(Refused);
            answer.map(|answer| answer.unwrap_or_else(|wrong| explained(wrong, info.lang)))
        };
        (path.into(), Access::May(kind.permission()), get(answer))
    };
    files.map(route).collect()
}

async fn download(
    kind: ReportKind,
    file: ReportFile,
    state: &AppState,
    fields: &[(String, String)],
    info: &RequestInfo,
) -> Result<Result<Response, RangeProblem>, AppError> {
    let who = info.person()?;
    let field =
        |name: &'static str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let query = match query(kind, field, state.context.now().date()) {
        Ok(query) => query,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let report = match state.ports.reports.report(who, kind, &query).await? {
        Ok(report) => report,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let name = file_name(&report, file);
    let contents = file_of(report, file, info.lang).await?;
    let kind_of_file = match file {
        ReportFile::Csv => CSV,
        ReportFile::Xlsx => XLSX,
    };
    Ok(Ok(attachment(kind_of_file, &name, contents)))
}

/// Why there is no file, and what to do: the words of the page. Plain text would be replaced by the page of the status.
fn explained(wrong: RangeProblem, lang: Lang) -> Response {
    let status = match wrong {
        RangeProblem::TooSlow | RangeProblem::OthersBeingMade => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    (status, Html(problem(wrong, lang))).into_response()
}
