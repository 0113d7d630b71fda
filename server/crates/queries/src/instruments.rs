//! The instruments that an operator may see, with the state of each, and their circuits.

use model::energy::Energy;
use model::ids::{CircuitId, GatewayId, InstrumentId, PlaceId, UserId};
use model::instrument::{
    CircuitForm, CircuitView, CountStep, InstrumentForm, InstrumentLine, InstrumentSettings, InstrumentTrouble, InstrumentView,
    Ratio,
};
use model::reading::ReadingQuality;
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{above, within};
use store::{Db, Result, StoreError, read};

#[derive(FromRow)]
struct InstrumentRow {
    id: InstrumentId,
    place_id: PlaceId,
    gateway_id: GatewayId,
    unit: i64,
    number: String,
    name: String,
    profile: String,
    start_register: Option<i64>,
    step_mwh: Option<CountStep>,
    pt_ratio: Ratio,
    interval_s: i64,
    place: String,
    gateway: String,
    read_at: Option<Timestamp>,
    lost_since: Option<Timestamp>,
    trouble: Option<InstrumentTrouble>,
    circuits: i64,
    held: i64,
}

/// Instruments in service with names and state; the condition follows.
macro_rules! select {
    () => {
        concat!(
            "SELECT i.id, i.place_id, i.gateway_id, i.unit, i.number, i.name, i.profile, i.start_register, i.step_mwh, i.pt_ratio,
                    i.interval_s, g.name AS gateway, s.read_at, s.lost_since, s.trouble,
                    CASE WHEN t.kind IN ('building', 'unit') THEN t.name || ' ' ELSE '' END
                    || CASE WHEN b.kind IN ('building', 'unit') THEN b.name || ' ' ELSE '' END || r.name AS place,
                    (SELECT COUNT(*) FROM circuits c WHERE c.instrument_id = i.id) AS circuits,
                    (SELECT COUNT(*) FROM circuits c JOIN circuit_readings x ON x.circuit_id = c.id
                     WHERE c.instrument_id = i.id AND x.quality IN (2, 3, 5)
                       AND x.at = (SELECT MAX(n.at) FROM circuit_readings n WHERE n.circuit_id = c.id)) AS held
             FROM instruments i JOIN gateways g ON g.id = i.gateway_id JOIN places r ON r.id = i.place_id",
            above!(),
            "LEFT JOIN instrument_state s ON s.instrument_id = i.id WHERE i.retired_at IS NULL AND",
            within!()
        )
    };
}

impl InstrumentRow {
    fn settings(&self) -> Result<InstrumentSettings> {
        let wrong = |column| StoreError::Inconsistent { table: "instruments", column };
        Ok(InstrumentSettings {
            number: self.number.clone(),
            name: self.name.clone(),
            place: self.place_id,
            gateway: self.gateway_id,
            unit: u8::try_from(self.unit).map_err(|_| wrong("unit"))?,
            profile: self.profile.clone(),
            start: self.start_register.map(u16::try_from).transpose().map_err(|_| wrong("start_register"))?,
            step: self.step_mwh,
            pt: self.pt_ratio,
            interval_s: u32::try_from(self.interval_s).map_err(|_| wrong("interval_s"))?,
        })
    }

    fn line(self) -> Result<InstrumentLine> {
        let unit = self.settings()?.unit;
        Ok(InstrumentLine {
            id: self.id,
            number: self.number,
            name: self.name,
            place: self.place,
            gateway: self.gateway,
            unit,
            circuits: self.circuits,
            read_at: self.read_at,
            lost: self.lost_since.zip(self.trouble),
            held: self.held,
        })
    }
}

/// All instruments in service, by place and name.
pub async fn instruments(db: &Db, operator: UserId) -> Result<Vec<InstrumentLine>> {
    let rows: Vec<InstrumentRow> = read!(db, |pool| sqlx::query_as(concat!(select!(), "ORDER BY place, i.name, i.number"))
        .bind(operator)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(InstrumentRow::line).collect()
}

/// One instrument in service.
pub async fn instrument(db: &Db, operator: UserId, id: InstrumentId) -> Result<Option<InstrumentView>> {
    let row: Option<InstrumentRow> =
        read!(db, |pool| sqlx::query_as(concat!(select!(), "AND i.id = $2")).bind(operator).bind(id).fetch_optional(pool).await)?;
    let Some(row) = row else { return Ok(None) };
    let form = InstrumentForm::of(&row.settings()?);
    Ok(Some(InstrumentView { form, line: row.line()?, circuits: circuits(db, id).await? }))
}

#[derive(FromRow)]
struct CircuitRow {
    id: CircuitId,
    position: i64,
    name: String,
    ct_ratio: Ratio,
    parent_id: Option<CircuitId>,
    feeds_place_id: Option<PlaceId>,
    at: Option<Timestamp>,
    counter_wh: Option<Energy>,
    quality: Option<ReadingQuality>,
}

/// The circuits of an instrument with their newest readings; the caller has checked that the operator may see it.
pub async fn circuits(db: &Db, instrument: InstrumentId) -> Result<Vec<CircuitView>> {
    let rows: Vec<CircuitRow> = read!(db, |pool| sqlx::query_as(
        "SELECT c.id, c.position, c.name, c.ct_ratio, c.parent_id, c.feeds_place_id, x.at, x.counter_wh, x.quality
         FROM circuits c LEFT JOIN circuit_readings x ON x.circuit_id = c.id
              AND x.at = (SELECT MAX(n.at) FROM circuit_readings n WHERE n.circuit_id = c.id)
         WHERE c.instrument_id = $1 ORDER BY c.position"
    )
    .bind(instrument)
    .fetch_all(pool)
    .await)?;
    let view = |row: CircuitRow| CircuitView {
        id: row.id,
        form: CircuitForm {
            position: row.position.to_string(),
            name: row.name,
            ct: row.ct_ratio.to_string(),
            parent: row.parent_id.map(|id| id.to_string()).unwrap_or_default(),
            feeds: row.feeds_place_id.map(|id| id.to_string()).unwrap_or_default(),
        },
        reading: match (row.at, row.counter_wh, row.quality) {
            (Some(at), Some(counter), Some(quality)) => Some((at, counter, quality)),
            _ => None,
        },
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The circuits that may feed others, named by their instrument.
pub async fn masters(db: &Db, operator: UserId) -> Result<Vec<(CircuitId, String)>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT c.id, CASE WHEN i.name = c.name THEN i.name ELSE i.name || ' · ' || c.name END AS name
         FROM circuits c JOIN instruments i ON i.id = c.instrument_id JOIN places r ON r.id = i.place_id",
        above!(),
        "WHERE i.retired_at IS NULL AND",
        within!(),
        "ORDER BY i.name, i.number, c.position"
    ))
    .bind(operator)
    .fetch_all(pool)
    .await)
}
