//! `/readings.csv` and `/readings.xlsx`: the history of a meter as a file.

use app::i18n::{history as words, room};
use app::pages::operator::history;
use app::ui::mark;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use futures::stream;
use model::console::{HistoryKind, HistoryLines, HistoryQuery, Reading};
use model::error::AppError;
use model::ids::MeterId;
use model::language::Lang;
use model::person::Who;
use model::reading::ReadingSource;
use model::time::Timestamp;
use serde::Deserialize;
use workbook::Cell;

use super::listing::{FileKind, XLSX_ROWS, XlsxFile, csv_file, csv_head, csv_rows, file, refusal, rows_channel};
use crate::http::{AppState, RequestInfo};

/// Readings that are read at once.
const CHUNK: i64 = 500;

#[derive(Deserialize)]
pub struct HistoryFields {
    #[serde(default)]
    meter: String,
    #[serde(default)]
    kind: Option<HistoryKind>,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
}

/// The access table allows only who may watch; the port limits them to their buildings.
pub async fn readings_csv(
    State(state): State<AppState>,
    Query(fields): Query<HistoryFields>,
    Extension(info): Extension<RequestInfo>,
) -> Response {
    download(state, &fields, &info, FileKind::Csv).await.unwrap_or_else(refusal)
}

/// As [`readings_csv`].
pub async fn readings_xlsx(
    State(state): State<AppState>,
    Query(fields): Query<HistoryFields>,
    Extension(info): Extension<RequestInfo>,
) -> Response {
    download(state, &fields, &info, FileKind::Xlsx).await.unwrap_or_else(refusal)
}

async fn download(state: AppState, fields: &HistoryFields, info: &RequestInfo, kind: FileKind) -> Result<Response, AppError> {
    let who = info.who.clone().ok_or(AppError::NotLoggedIn)?;
    let meter: MeterId = fields.meter.parse().map_err(|_| AppError::NotFound)?;
    let field = |name: &'static str| match name {
        "kind" => fields.kind.map_or("", HistoryKind::as_str).to_owned(),
        "from" => fields.from.clone(),
        _ => fields.until.clone(),
    };
    let query = history::query(field, state.context.now().date(), 0).map_err(|_| AppError::Invalid)?;
    let shown = state.ports.history.history(&who, meter, &query).await?;
    let t = words::texts(info.lang);
    let name = format!("readings-{}-{}-{}", shown.serial, query.from, query.until);
    let (head, rows): (Vec<&'static str>, _) = match shown.lines {
        HistoryLines::Days(days) => {
            let cells = |day: model::console::RoomDay| {
                let energy = day.energy.map_or(Cell::Empty, Cell::number);
                vec![Cell::text(day.day.to_string()), energy, Cell::text(mark::sign(day.mark))]
            };
            (vec![t.day, t.energy_kwh, t.note], days.into_iter().map(cells).collect())
        }
        HistoryLines::Hours(hours) => {
            let cells =
                |hour: model::console::HourEnergy| vec![Cell::Time(hour.at), hour.energy.map_or(Cell::Empty, Cell::number)];
            (vec![t.hour, t.energy_kwh], hours.into_iter().map(cells).collect::<Vec<_>>())
        }
        HistoryLines::Readings(page, _) => {
            let readings = Readings { state, who, meter, query, lang: info.lang };
            return match kind {
                FileKind::Csv => Ok(readings.csv(&name)),
                FileKind::Xlsx if page.total > XLSX_ROWS => Err(AppError::TooManyRows),
                FileKind::Xlsx => readings.xlsx(&name).await,
            };
        }
    };
    Ok(file(kind, &name, t.title, &head, rows).await)
}

/// Readings, read in chunks, the newest first.
struct Readings {
    state: AppState,
    who: Who,
    meter: MeterId,
    query: HistoryQuery,
    lang: Lang,
}

impl Readings {
    /// The next chunk before an instant, and the instant to go on before; `None` at the end.
    async fn chunk(&self, before: Timestamp) -> Result<(Vec<Vec<Cell>>, Option<Timestamp>), AppError> {
        let range = (self.query.instants().0, before);
        let found = self.state.ports.history.readings(&self.who, self.meter, range, CHUNK).await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|length| length == CHUNK);
        let next = found.last().map(|reading| reading.at).filter(|_| is_full);
        Ok((found.iter().map(|reading| cells(reading, self.lang)).collect(), next))
    }

    fn csv(self, name: &str) -> Response {
        let end = self.query.instants().1;
        let head = csv_head(&reading_head(self.lang));
        let pieces = stream::try_unfold((self, head, Some(end)), |(readings, head, before)| async move {
            let Some(before) = before else { return Ok::<_, AppError>(None) };
            let (rows, next) = readings.chunk(before).await?;
            Ok(Some((Bytes::from(head + &csv_rows(rows)), (readings, String::new(), next))))
        });
        csv_file(name, pieces)
    }

    async fn xlsx(self, name: &str) -> Result<Response, AppError> {
        let (send, receive) = rows_channel();
        let title = words::texts(self.lang).readings;
        let written = XlsxFile::begin(name, title, &reading_head(self.lang), receive);
        let mut before = Some(self.query.instants().1);
        while let Some(at) = before {
            let (rows, next) = self.chunk(at).await?;
            if send.send(rows).await.is_err() {
                break;
            }
            before = next;
        }
        drop(send);
        Ok(written.finish().await)
    }
}

fn reading_head(lang: Lang) -> [&'static str; 9] {
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

/// A number of tenths or hundredths in decimal notation.
pub(super) fn decimal(value: i64, unit: i64) -> String {
    let digits = if unit == 10 { 1 } else { 2 };
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.abs() / unit, value.abs() % unit);
    format!("{sign}{whole}.{rest:0digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_values_keep_their_decimals() {
        assert_eq!((decimal(2_301, 10), decimal(-5, 100), decimal(1_234, 100)), ("230.1".into(), "-0.05".into(), "12.34".into()));
    }
}
