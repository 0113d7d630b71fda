//! `/reconcile.csv`: a settlement day and its differences as a file.

use app::api::reconciliation::{DifferenceLine, day_of};
use app::i18n::reconcile::{class, texts};
use app::pages::operator::reconcile::lines::next;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use model::language::Lang;
use model::money::Fen;
use serde::Deserialize;
use workbook::csv_line::line;

use super::listing::{CSV, attachment};
use crate::http::error::Refused;
use crate::http::{AppState, RequestInfo};

#[derive(Deserialize)]
pub struct DayQuery {
    #[serde(default)]
    channel: String,
    #[serde(default)]
    day: String,
}

/// The access table allows operators only, and the port only those of the whole site.
pub async fn reconciliation(
    State(state): State<AppState>,
    Query(query): Query<DayQuery>,
    Extension(info): Extension<RequestInfo>,
) -> Result<Response, Refused> {
    let who = info.person()?;
    let (channel, day) = day_of(&query.channel, &query.day)?;
    let shown = state.ports.reconciliation.settlement_day(who, channel, day).await?;
    let t = texts(info.lang);
    let mut file = "\u{feff}".to_owned();
    for (name, sum) in [
        (t.statement, shown.day.statement.to_string()),
        (t.ledger, shown.day.ledger.to_string()),
        (t.listed, shown.day.gaps.to_string()),
        (t.fees, shown.day.fees.to_string()),
        (t.net, shown.day.net().to_string()),
        (t.received, shown.day.received.to_string()),
    ] {
        file += &line(&[name.to_owned(), sum]);
    }
    file +=
        &line(&[t.class, t.number, t.number, t.refund, t.statement, t.in_ledger, t.gap, t.next, t.decision].map(str::to_owned));
    for one in &shown.lines {
        file += &line(&cells(one, info.lang));
    }
    Ok(attachment(CSV, &format!("dormwatt-{}-{day}.csv", channel.as_str()), file))
}

fn cells(one: &DifferenceLine, lang: Lang) -> [String; 9] {
    let amount = |fen: Option<Fen>| fen.map(|fen| fen.to_string()).unwrap_or_default();
    [
        class(one.class, lang).to_owned(),
        one.out_trade_no.clone(),
        one.trade_no.clone(),
        one.refund_no.clone(),
        amount(one.statement),
        amount(one.ledger),
        one.gap.to_string(),
        next(one, lang),
        one.decision.as_ref().map(|(decision, by)| format!("{decision} {by}")).unwrap_or_default(),
    ]
}
