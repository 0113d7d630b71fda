//! `/meters.csv` and `/meters.xlsx`: what every meter showed last.

use app::i18n::{Lang, common, meter_states};
use app::ui::wall;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use model::console::{MeterState, Target};
use model::error::AppError;
use model::meter::SupplyState;
use model::wall::Tile;
use workbook::Cell;

use super::listing::{FileKind, file, refusal};
use super::readings::decimal;
use crate::http::{AppState, RequestInfo};

/// The places, groups, rooms and the state of the address choose meters as for commands; without any, all.
pub async fn meter_states_csv(
    State(state): State<AppState>,
    Query(fields): Query<Vec<(String, String)>>,
    Extension(info): Extension<RequestInfo>,
) -> Response {
    download(&state, &fields, &info, FileKind::Csv).await.unwrap_or_else(refusal)
}

/// As [`meter_states_csv`].
pub async fn meter_states_xlsx(
    State(state): State<AppState>,
    Query(fields): Query<Vec<(String, String)>>,
    Extension(info): Extension<RequestInfo>,
) -> Response {
    download(&state, &fields, &info, FileKind::Xlsx).await.unwrap_or_else(refusal)
}

async fn download(
    state: &AppState,
    fields: &[(String, String)],
    info: &RequestInfo,
    kind: FileKind,
) -> Result<Response, AppError> {
    let who = info.who.as_ref().ok_or(AppError::NotLoggedIn)?;
    let all = |name: &str| fields.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let first = |name: &str| all(name).into_iter().next().unwrap_or_default();
    let supply = first("state").parse().ok().map(SupplyState::from_code);
    let named = Target::parse("", &all("place"), supply, &first("rooms"), "1");
    // A list without a choice is the list of all.
    let target = Target { everywhere: named.is_empty() || named.everywhere, ..named };
    let states = state.ports.meters.meter_states(who, &target).await?;
    let rows = states.into_iter().map(|state| cells(state, info.lang)).collect();
    let name = format!("meters-{}", state.context.now().date());
    Ok(file(kind, &name, meter_states::texts(info.lang).title, &meter_states::texts(info.lang).head, rows).await)
}

fn cells(state: MeterState, lang: Lang) -> Vec<Cell> {
    let latest = &state.latest;
    let seen = latest.observed_at.is_some();
    let known = |cell: Cell| if seen { cell } else { Cell::Empty };
    let holds = seen && latest.status.account_open();
    let relay = if latest.status.relay_closed() { meter_states::texts(lang).closed } else { meter_states::texts(lang).open };
    let marks = wall::marks(Tile::of(latest), &app::i18n::wall::texts(lang), lang).join(" · ");
    let scaled = |value: Option<i64>, unit| value.map_or(Cell::Empty, |value| Cell::number(decimal(value, unit)));
    vec![
        Cell::text(state.room.building.clone()),
        Cell::text(state.room.floor.clone()),
        Cell::text(state.room.room.clone()),
        Cell::text(state.serial.clone()),
        Cell::text(state.account.clone()),
        Cell::text(state.residents.clone()),
        Cell::text(common::supply_of(latest.state(), latest.observed_at.is_some(), lang)),
        known(Cell::text(common::mode(latest.status.mode(), lang))),
        known(Cell::text(relay)),
        if holds { Cell::number(latest.remaining) } else { Cell::Empty },
        known(Cell::number(latest.total)),
        latest.power_w.map_or(Cell::Empty, Cell::number),
        scaled(latest.voltage_dv.map(i64::from), 10),
        scaled(latest.current_ca.map(i64::from), 100),
        known(Cell::number(latest.count)),
        latest.observed_at.map_or(Cell::Empty, Cell::Time),
        latest.lost_since.map_or(Cell::Empty, Cell::Time),
        Cell::text(marks),
        Cell::text(state.gateway.clone()),
        Cell::number(state.unit),
        Cell::text(state.profile.clone()),
        Cell::text(meter_states::wallet(state.wallet, lang)),
    ]
}
