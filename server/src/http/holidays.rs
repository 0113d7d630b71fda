//! The upload of a file of public holidays.

use app::api::friendly_hours::PAGE;
use app::link;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::public_holidays::MAX_BYTES;
use model::defaults::DefaultsOf;
use model::friendly::HolidayFault;
use serde::Deserialize;

use super::{AppState, RequestInfo, error, one_file};

/// The file and what surrounds it in a form.
const MOST: u64 = MAX_BYTES as u64 + 10_000;

/// The page that the file was sent from.
#[derive(Deserialize)]
pub struct Origin {
    #[serde(default)]
    of: String,
}

/// Takes a form with the file and leads back to the page, which shows the outcome and the year of the file's last day.
pub async fn import(State(state): State<AppState>, Query(origin): Query<Origin>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some(who) = info.and_then(|info| info.who.clone()) else { return StatusCode::UNAUTHORIZED.into_response() };
    let of = origin.of.parse::<DefaultsOf>();
    let page = of.map_or_else(|_| PAGE.to_owned(), |of| link::with(PAGE, "of", &of.to_string()));
    let back = |fields: &[(&str, String)]| {
        let page = fields.iter().fold(page.clone(), |page, (name, value)| link::with(&page, name, value));
        Redirect::to(&page).into_response()
    };
    let Ok(file) = one_file::read(request, MOST).await else {
        return back(&[("wrong", HolidayFault::Unreadable.as_str().to_owned())]);
    };
    match state.ports.friendly_hours.import_holidays(&who, &file).await {
        Ok(Ok(days)) => back(&[
            ("imported", days.count.to_string()),
            ("first", days.first.to_string()),
            ("last", days.last.to_string()),
            ("year", days.last.ymd().0.to_string()),
        ]),
        Ok(Err(problem)) => back(&[("wrong", problem.fault.as_str().to_owned()), ("line", problem.line.to_string())]),
        Err(error) => error::status(error).into_response(),
    }
}
