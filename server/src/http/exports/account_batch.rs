//! `/account-batch.csv`: the rooms of a batch of accounts; for closures the settlement list.

use app::i18n::Lang;
use app::i18n::account_batches::{refusal_of, room_state, texts};
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use model::console::BatchRoom;
use model::error::AppError;
use model::ids::AccountBatchId;
use serde::Deserialize;
use workbook::Cell;

use super::listing::{CSV, attachment};
use crate::http::error::Refused;
use crate::http::{AppState, RequestInfo};
use services::exports::lists::{csv_head, csv_rows};

#[derive(Deserialize)]
pub struct BatchQuery {
    #[serde(default)]
    batch: String,
}

/// The access table allows only who may watch; the port limits the rooms to their buildings.
pub async fn account_batch(
    State(state): State<AppState>,
    Query(query): Query<BatchQuery>,
    Extension(info): Extension<RequestInfo>,
) -> Result<Response, Refused> {
    let who = info.person()?;
    let id: AccountBatchId = query.batch.parse().map_err(|_| AppError::NotFound)?;
    let seen = state.ports.account_batches.account_batch(who, id, -1).await?;
    let t = texts(info.lang);
    let head = [t.room, t.number, t.resident, t.carried, t.left, t.paid_out, t.ended, t.state];
    let mut rows: Vec<Vec<Cell>> = seen.rooms.lines.into_iter().map(|room| cells(room, info.lang)).collect();
    let mut total = vec![Cell::Empty; head.len()];
    for (index, cell) in [(0, Cell::text(t.total)), (4, Cell::number(seen.left)), (5, Cell::number(seen.paid))] {
        if let Some(place) = total.get_mut(index) {
            *place = cell;
        }
    }
    rows.push(total);
    let name = format!("accounts-{}.csv", seen.batch.decided_at.date());
    Ok(attachment(CSV, &name, csv_head(&head) + &csv_rows(rows)))
}

fn cells(one: BatchRoom, lang: Lang) -> Vec<Cell> {
    let number = one.account.clone().map(|(number, _)| number).unwrap_or_default();
    let resident = one.resident.clone().map_or_else(|| one.residents.clone(), |(name, login)| format!("{name} {login}"));
    let paid = app::pages::operator::account_batches::batch::paid(&one);
    vec![
        Cell::text(one.room.to_string()),
        Cell::text(number),
        Cell::text(resident),
        Cell::number(one.amount),
        one.left.map_or(Cell::Empty, Cell::number),
        paid.map_or(Cell::Empty, Cell::number),
        one.ended_at.map_or(Cell::Empty, Cell::Time),
        Cell::text(one.refusal.map_or_else(|| room_state(&one, lang).to_owned(), |error| refusal_of(error, lang))),
    ]
}
