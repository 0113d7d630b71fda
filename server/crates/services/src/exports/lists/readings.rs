//! The history of a meter: its days, its hours, or its readings, the newest first.

use std::sync::Arc;

use app::api::history::HistoryPort;
use app::i18n::{history as words, room};
use app::pages::operator::history;
use app::ui::mark;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use model::console::{HistoryLines, HistoryQuery, HourEnergy, Reading, RoomDay};
use model::error::AppError;
use model::ids::MeterId;
use model::language::Lang;
use model::person::Who;
use model::reading::ReadingSource;
use model::time::{Date, Timestamp};
use workbook::Cell;

use super::{Fields, Listing, Rows, decimal};
use crate::console::ConsoleService;

/// Readings that are read at once.
const CHUNK: i64 = 500;

/// The meter and the days of an address.
pub fn parse(fields: &Fields, today: Date) -> Result<(MeterId, HistoryQuery), AppError> {
    let meter = fields.get("meter").parse().map_err(|_| AppError::NotFound)?;
    let query = history::query(|name| fields.get(name), today, 0).map_err(|_| AppError::Invalid)?;
    Ok((meter, query))
}

/// Each chunk is limited to the operator's buildings.
pub async fn listing(
    console: &Arc<ConsoleService>,
    who: &Who,
    (meter, query): (MeterId, HistoryQuery),
    lang: Lang,
) -> Result<Listing, AppError> {
    let shown = console.history(who, meter, &query).await?;
    let t = words::texts(lang);
    let (title, head, total, rows): (_, Vec<&'static str>, _, BoxStream<'static, Rows>) = match shown.lines {
        HistoryLines::Days(days) => {
            let rows = days.into_iter().map(day).collect();
            (t.title, vec![t.day, t.energy_kwh, t.note], None, stream::iter([Ok(rows)]).boxed())
        }
        HistoryLines::Hours(hours) => {
            let rows = hours.into_iter().map(hour).collect();
            (t.title, vec![t.hour, t.energy_kwh], None, stream::iter([Ok(rows)]).boxed())
        }
        HistoryLines::Readings(page, _) => {
            let readings = Readings { console: console.clone(), who: who.clone(), meter, from: query.instants().0, lang };
            let rows = stream::try_unfold((readings, Some(query.instants().1)), |(readings, before)| async move {
                let Some(before) = before else { return Ok::<_, AppError>(None) };
                let (rows, next) = readings.chunk(before).await?;
                Ok(Some((rows, (readings, next))))
            });
            (t.readings, head(lang).to_vec(), Some(page.total), rows.boxed())
        }
    };
    let name = format!("readings-{}-{}-{}", shown.serial, query.from, query.until);
    Ok(Listing { name, title, head, total, rows })
}

struct Readings {
    console: Arc<ConsoleService>,
    who: Who,
    meter: MeterId,
    from: Timestamp,
    lang: Lang,
}

impl Readings {
    /// The next chunk before an instant, and the instant to go on before; `None` at the end.
    async fn chunk(&self, before: Timestamp) -> Result<(Vec<Vec<Cell>>, Option<Timestamp>), AppError> {
        let found = self.console.readings(&self.who, self.meter, (self.from, before), CHUNK).await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|length| length == CHUNK);
        let next = found.last().map(|reading| reading.at).filter(|_| is_full);
        Ok((found.iter().map(|reading| cells(reading, self.lang)).collect(), next))
    }
}

fn day(day: RoomDay) -> Vec<Cell> {
    let energy = day.energy.map_or(Cell::Empty, Cell::number);
    vec![Cell::text(day.day.to_string()), energy, Cell::text(mark::sign(day.mark))]
}

fn hour(hour: HourEnergy) -> Vec<Cell> {
    vec![Cell::Time(hour.at), hour.energy.map_or(Cell::Empty, Cell::number)]
}

fn head(lang: Lang) -> [&'static str; 9] {
    let r = room::texts(lang);
    [r.time, r.total_kwh, r.reverse_kwh, r.remaining_yuan, r.power_w, r.voltage_v, r.current_a, r.source, r.quality]
}

fn cells(reading: &Reading, lang: Lang) -> Vec<Cell> {
    // A frozen midnight value has only the counter.
    let frozen = reading.source == ReadingSource::Freeze;
    let scaled = |value: Option<i64>, unit: i64| match value {
        Some(value) => Cell::number(decimal(value, unit)),
        None => Cell::Empty,
    };
    vec![
        Cell::Time(reading.at),
        Cell::number(reading.total),
        reading.reverse.map_or(Cell::Empty, Cell::number),
        if frozen { Cell::Empty } else { Cell::number(reading.remaining) },
        reading.power_w.map_or(Cell::Empty, Cell::number),
        scaled(reading.voltage_dv, 10),
        scaled(reading.current_ca, 100),
        Cell::text(room::source(reading.source, lang)),
        Cell::text(room::quality(reading.quality, lang)),
    ]
}
