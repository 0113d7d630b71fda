//! `/overdrawn.csv`: the overdrawn accounts as a file.

use app::i18n::overdrawn::texts;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use model::time::Timestamp;
use workbook::csv_line::line;

use super::listing::{CSV, attachment};
use crate::http::error::Refused;
use crate::http::{AppState, RequestInfo};

/// All that the operator may see. The access table allows operators only.
pub async fn overdrawn(State(state): State<AppState>, Extension(info): Extension<RequestInfo>) -> Result<Response, Refused> {
    let overdrawn = queries::overdrawn(&state.context.db, info.person()?.user, -1).await?;
    let t = texts(info.lang);
    let mut file = "\u{feff}".to_owned();
    file += &line(&[t.room, t.account, t.residents, t.owed, t.since, t.relay, t.observed, t.unread].map(str::to_owned));
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    for one in overdrawn.page.lines {
        let relay = one.relay.map_or(t.never, |(closed, _)| if closed { t.closed } else { t.open });
        file += &line(&[
            one.room.to_string(),
            one.number,
            one.residents,
            one.owed.to_string(),
            one.since.to_string(),
            relay.to_owned(),
            at(one.relay.map(|(_, at)| at)),
            at(one.lost_since),
        ]);
    }
    let mut total: [String; 8] = Default::default();
    (total[0], total[3]) = (t.total.to_owned(), overdrawn.owed.to_string());
    file += &line(&total);
    Ok(attachment(CSV, "overdrawn.csv", file))
}
