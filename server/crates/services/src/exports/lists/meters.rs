//! What every meter showed last.

use app::api::meters::MetersPort;
use app::i18n::{common, meter_states};
use app::ui::wall;
use futures::{StreamExt, stream};
use model::console::{MeterState, Target};
use model::error::AppError;
use model::language::Lang;
use model::meter::SupplyState;
use model::person::Who;
use model::time::Date;
use model::wall::Tile;
use workbook::Cell;

use super::{Fields, Listing, decimal};
use crate::console::ConsoleService;

/// The places, groups, rooms and the state of the address choose meters as for commands; without any, all.
pub async fn listing(
    console: &ConsoleService,
    who: &Who,
    (fields, today): (&Fields, Date),
    lang: Lang,
) -> Result<Listing, AppError> {
    let supply = fields.get("state").parse().ok().map(SupplyState::from_code);
    let named = Target::parse("", &fields.all("place"), supply, &fields.get("rooms"), "1");
    // A list without a choice is the list of all.
    let target = Target { everywhere: named.is_empty() || named.everywhere, ..named };
    let states = console.meter_states(who, &target).await?;
    let rows = states.into_iter().map(|state| cells(state, lang)).collect();
    let t = meter_states::texts(lang);
    Ok(Listing {
        name: format!("meters-{today}"),
        title: t.title,
        head: t.head.to_vec(),
        total: None,
        rows: stream::iter([Ok(rows)]).boxed(),
    })
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
