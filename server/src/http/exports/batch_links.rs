//! The links by which the residents of accounts that were opened together choose their passwords, as a file to print or to send
//! from: the only time that the links are shown.

use app::i18n::account_batches::texts;
use app::i18n::account_lifecycle;
use axum::Extension;
use axum::extract::{Form, State};
use axum::response::Response;
use model::console::BatchRoom;
use model::error::AppError;
use model::ids::AccountBatchId;
use model::operator::LinkKind;
use people::invitations::{BatchLink, invite_batch};
use serde::Deserialize;
use store::operators::NewLink;
use workbook::Cell;

use super::listing::{CSV, attachment};
use crate::http::error::Refused;
use crate::http::{AppState, RequestInfo};
use services::auth::{hash, new_token};
use services::console::link_until;
use services::exports::lists::{csv_head, csv_rows};

#[derive(Deserialize)]
pub struct BatchForm {
    #[serde(default)]
    batch: String,
}

/// A posted form: each time it makes new links, for those who have not chosen a password yet. The access table allows only who
/// keeps accounts; the port limits the rooms to their buildings.
pub async fn batch_links(
    State(state): State<AppState>,
    Extension(info): Extension<RequestInfo>,
    Form(form): Form<BatchForm>,
) -> Result<Response, Refused> {
    let who = info.person()?;
    let batch: AccountBatchId = form.batch.parse().map_err(|_| AppError::NotFound)?;
    let seen = state.ports.account_batches.account_batch(who, batch, -1).await?;
    let (now, rng) = (state.context.now(), &state.context.rng);
    let expires_at = link_until(LinkKind::Invite, now);
    let mut codes: Vec<(BatchRoom, String)> = Vec::new();
    let mut links = Vec::new();
    for room in seen.rooms.lines.into_iter().filter(|room| room.account.is_some()) {
        let Some((_, login)) = &room.resident else { continue };
        let code = new_token(rng);
        links.push(BatchLink { login: login.clone(), link: NewLink { hash: hash(&code), expires_at } });
        codes.push((room, code));
    }
    let invited = invite_batch(&state.context.db, now, who, batch, &links).await?;
    let (t, l) = (texts(info.lang), account_lifecycle::texts(info.lang));
    let own_address = state.server.public_url.trim_end_matches('/');
    let row = |(room, code): (BatchRoom, String)| {
        let (name, login) = room.resident.clone().filter(|(_, login)| invited.contains(login))?;
        let link = format!("{own_address}/invitations/{code}");
        Some(vec![Cell::text(room.room.to_string()), Cell::text(name), Cell::text(login), Cell::text(link)])
    };
    let rows: Vec<Vec<Cell>> = codes.into_iter().filter_map(row).collect();
    let head = [t.room, t.resident, l.login, l.password_link];
    let name = format!("links-{}.csv", now.date());
    Ok(attachment(CSV, &name, csv_head(&head) + &csv_rows(rows)))
}
