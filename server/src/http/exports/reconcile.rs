//! A day of reconciliation as a file.

use app::api::reconcile::{DifferenceLine, day_of};
use app::i18n::reconcile::{class, texts};
use app::pages::operator::reconcile::lines::next;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::error::AppError;
use model::language::Lang;
use model::money::Fen;
use serde::Deserialize;

use super::csv::line;
use crate::http::{AppState, Facts};

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    channel: String,
    #[serde(default)]
    day: String,
}

/// What differs, and the totals. The route table lets only operators come here, and the port only those who may see the site.
pub async fn reconcile(
    State(state): State<AppState>,
    Query(asked): Query<Asked>,
    Extension(facts): Extension<Facts>,
) -> Response {
    let Some(who) = &facts.who else { return StatusCode::UNAUTHORIZED.into_response() };
    let shown = async {
        let (channel, day) = day_of(&asked.channel, &asked.day)?;
        Ok::<_, AppError>((channel, day, state.backends.reconcile.day(who, channel, day).await?))
    };
    let (channel, day, shown) = match shown.await {
        Ok(shown) => shown,
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return status.into_response();
        }
    };
    let t = texts(facts.lang);
    let mut file = "\u{feff}".to_owned();
    for (name, sum) in [
        (t.bill, shown.day.bill.to_string()),
        (t.ledger, shown.day.ledger.to_string()),
        (t.listed, shown.day.gaps.to_string()),
        (t.fees, shown.day.fees.to_string()),
        (t.net, shown.day.net().to_string()),
        (t.received, shown.day.received.to_string()),
    ] {
        file += &line(&[name.to_owned(), sum]);
    }
    file += &line(&[t.class, t.number, t.number, t.refund, t.bill, t.ours, t.gap, t.next, t.decision].map(str::to_owned));
    for one in &shown.lines {
        file += &line(&cells(one, facts.lang));
    }
    let name = format!("attachment; filename=\"dormwatt-{}-{day}.csv\"", channel.as_str());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, file).into_response()
}

fn cells(one: &DifferenceLine, lang: Lang) -> [String; 9] {
    let amount = |fen: Option<Fen>| fen.map(|fen| fen.to_string()).unwrap_or_default();
    [
        class(&one.class, lang).to_owned(),
        one.out_trade_no.clone(),
        one.trade_no.clone(),
        one.refund_no.clone(),
        amount(one.bill),
        amount(one.ours),
        one.gap.to_string(),
        next(one, lang),
        one.decision.as_ref().map(|(said, by)| format!("{said} {by}")).unwrap_or_default(),
    ]
}
