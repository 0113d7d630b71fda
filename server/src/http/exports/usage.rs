//! `/usage.csv`: the days of a period that a resident chose.

use app::api::resident::UsageQuery;
use app::i18n::{common, resident, resident_usage};
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use model::time::Date;
use serde::Deserialize;
use workbook::csv_line::line;

use super::listing::{CSV, attachment};
use crate::http::error::Refused;
use crate::http::{AppState, RequestInfo};

/// The period, as on the page.
#[derive(Deserialize)]
pub struct PeriodQuery {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// The access table allows residents only; the service finds their room.
pub async fn usage(
    State(state): State<AppState>,
    Extension(info): Extension<RequestInfo>,
    Query(query): Query<PeriodQuery>,
) -> Result<Response, Refused> {
    let who = info.person()?;
    let day = |text: &str| text.parse::<Date>().ok();
    let query = UsageQuery { from: day(&query.from), to: day(&query.to), day: None };
    let days = state.ports.resident.used_days(who, query).await?;
    let (t, w) = (resident::texts(info.lang), resident_usage::texts(info.lang));
    let rates = (1..=4).map(|rate| common::rate(rate, info.lang).to_owned());
    // What a day costs is known only where the server keeps the credit.
    let is_priced = days.iter().any(|used| used.cost.is_some());
    let heads = [w.file_day, t.kwh].map(str::to_owned).into_iter().chain(rates);
    let heads = heads.chain(is_priced.then(|| t.cost.to_owned())).chain([w.file_mark.to_owned()]);
    let mut file = "\u{feff}".to_owned();
    file += &line(&heads.collect::<Vec<_>>());
    for used in days {
        let Some(energy) = used.energy else { continue };
        let marks = [(used.mark.estimated, w.file_estimated), (used.mark.revised, w.file_revised)];
        let marks: Vec<&str> = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words).collect();
        let mut cells = vec![used.of.to_string(), energy.to_string()];
        cells.extend(used.rates.map(|energy| energy.to_string()));
        if is_priced {
            cells.push(used.cost.map(|cost| cost.to_string()).unwrap_or_default());
        }
        cells.push(marks.join(", "));
        file += &line(&cells);
    }
    Ok(attachment(CSV, "usage.csv", file))
}
