//! `/reports/sales.csv`, `/reports/sales.xlsx` and the like: a report as a file, made of the same sections as its page.

use app::access::{self, Access};
use app::pages::operator::reports::query;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use model::error::AppError;
use model::report::ReportKind;
use model::saved_report::ReportFile;

use super::listing::{XLSX, attachment, refusal};
use crate::http::router::Route;
use crate::http::{AppState, RequestInfo};
use crate::services::reports::{file_name, file_of};

/// Two files for each report, for whoever may open its page.
pub fn reports() -> Vec<Route> {
    let files = [
        (ReportKind::Sales, "/reports/sales", "/reports/sales.csv", "/reports/sales.xlsx"),
        (ReportKind::Statement, "/reports/statement", "/reports/statement.csv", "/reports/statement.xlsx"),
        (
            ReportKind::BuildingStatement,
            "/reports/building-statement",
            "/reports/building-statement.csv",
            "/reports/building-statement.xlsx",
        ),
        (ReportKind::Liability, "/reports/liability", "/reports/liability.csv", "/reports/liability.xlsx"),
        (ReportKind::Subsidies, "/reports/subsidies", "/reports/subsidies.csv", "/reports/subsidies.xlsx"),
        (ReportKind::Prices, "/reports/prices", "/reports/prices.csv", "/reports/prices.xlsx"),
        (ReportKind::OpenCases, "/reports/open-cases", "/reports/open-cases.csv", "/reports/open-cases.xlsx"),
        (ReportKind::Energy, "/reports/energy", "/reports/energy.csv", "/reports/energy.xlsx"),
        (ReportKind::LoadCurve, "/reports/load", "/reports/load.csv", "/reports/load.xlsx"),
        (ReportKind::AbnormalUse, "/reports/abnormal-use", "/reports/abnormal-use.csv", "/reports/abnormal-use.xlsx"),
        (
            ReportKind::MissingReadings,
            "/reports/missing-readings",
            "/reports/missing-readings.csv",
            "/reports/missing-readings.xlsx",
        ),
        (ReportKind::Instruments, "/reports/instruments", "/reports/instruments.csv", "/reports/instruments.xlsx"),
        (ReportKind::LostMeters, "/reports/lost-meters", "/reports/lost-meters.csv", "/reports/lost-meters.xlsx"),
        (ReportKind::LostGateways, "/reports/lost-gateways", "/reports/lost-gateways.csv", "/reports/lost-gateways.xlsx"),
        (ReportKind::Alarms, "/reports/alarms", "/reports/alarms.csv", "/reports/alarms.xlsx"),
    ];
    let routes = files.into_iter().flat_map(|(kind, page, csv, xlsx)| {
        // Without a line in the access table it is for nobody.
        let access = access::page(page).unwrap_or(Access::May(kind.permission()));
        let file = |kind_of_file| {
            get(move |state: State<AppState>, fields: Query<Vec<(String, String)>>, info: Extension<RequestInfo>| async move {
                download(kind, kind_of_file, &state, &fields, &info).await.unwrap_or_else(refusal)
            })
        };
        [(csv, access, file(ReportFile::Csv)), (xlsx, access, file(ReportFile::Xlsx))]
    });
    routes.collect()
}

async fn download(
    kind: ReportKind,
    file: ReportFile,
    state: &AppState,
    fields: &[(String, String)],
    info: &RequestInfo,
) -> Result<Response, AppError> {
    let who = info.who.as_ref().ok_or(AppError::NotLoggedIn)?;
    let field =
        |name: &'static str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let query = query(kind, field, state.context.now().date()).map_err(|_| AppError::Invalid)?;
    let report = state.ports.reports.report(who, kind, &query).await?.map_err(|_| AppError::Invalid)?;
    let name = file_name(&report, file);
    let contents = file_of(report, file, info.lang).await?;
    let kind_of_file = match file {
        ReportFile::Csv => "text/csv; charset=utf-8",
        ReportFile::Xlsx => XLSX,
    };
    Ok(attachment(kind_of_file, &name, contents))
}
