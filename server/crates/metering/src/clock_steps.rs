//! What follows when the server's clock was set: nothing that is stored may lie in the future, where it would hide what is read
//! from now on.

use model::event::EventKind;
use model::time::{DAY, HOUR, Timestamp};

use domain::clock::STEP_MS;
use domain::rng::Rng;
use store::events::{self, Subject};
use store::{Db, Result, Tx, on, place_energy, read};

/// The largest step back that is followed, ms. A machine that lost its time shows a day long past: all that was stored since then
/// would be moved there.
pub const MOST_BACK: i64 = 7 * DAY;
/// The largest step ahead that is followed, ms: energy is spread over all hours between two readings.
pub const MOST_AHEAD: i64 = 31 * DAY;

const NEWEST: &str = "SELECT MAX(at) FROM (SELECT MAX(observed_at) AS at FROM meter_latest
                      UNION ALL SELECT MAX(read_at) FROM instrument_state) AS newest";

/// How far in the future the newest observation of a meter or instrument lies, ms; `None` if none does.
pub async fn ahead(db: &Db, now: Timestamp) -> Result<Option<i64>> {
    let row: Option<(Option<Timestamp>,)> = read!(db, |pool| sqlx::query_as(NEWEST).fetch_optional(pool).await)?;
    Ok(row.and_then(|(newest,)| newest).map(|at| at.since(now)).filter(|ahead| *ahead >= STEP_MS))
}

/// Whether the alarm of an earlier step is open.
pub async fn is_alarm_open(db: &Db) -> Result<bool> {
    let open: Option<(EventKind,)> =
        read!(db, |pool| sqlx::query_as("SELECT kind FROM events WHERE kind = $1 AND until_at IS NULL")
            .bind(EventKind::ClockStepped)
            .fetch_optional(pool)
            .await)?;
    Ok(open.is_some())
}

/// The clock was set by `step` ms, and it is `now`: one alarm, and what lies in the future is brought to the present.
pub async fn follow(db: &Db, rng: &Rng, now: Timestamp, step: i64) -> Result<()> {
    if step < 0 {
        queues(db, now, step).await?;
    }
    let mut tx = db.begin_fenced().await?;
    if step < 0 {
        for texts in [READINGS, CIRCUIT_READINGS] {
            readings(&mut tx, now, step, texts).await?;
        }
        energy(&mut tx, now).await?;
        instants(&mut tx, now, step).await?;
    }
    let detail = serde_json::json!({ "step_s": step / 1_000 }).to_string();
    events::raise(&mut tx, rng, EventKind::ClockStepped, Subject::Site, now, &detail).await?;
    tx.commit().await
}

/// Ends the alarm.
pub async fn settled(db: &Db, rng: &Rng, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    events::clear(&mut tx, rng, EventKind::ClockStepped, Subject::Site, now).await?;
    tx.commit().await
}

/// Readings of the future move and stay in their order, behind those that stay: the newest one must stay the newest that is
/// stored, and one that is on its way comes after it. They move by the step where that keeps the order; otherwise they, and what
/// was read in the last minute, follow each other by a millisecond up to now. They are written before the epoch first: an
/// instant may be taken by one that moves as well.
macro_rules! moves {
    ($table:literal, $id:literal, $ids:literal, $columns:literal) => {
        [
            concat!(
                "INSERT INTO ",
                $table,
                " (",
                $id,
                ", at, ",
                $columns,
                ")
                 SELECT ",
                $id,
                ",
                        CASE WHEN first_at + $2 <= stays_at OR last_at + $2 > $1 THEN $1 - 1 - number + place
                             WHEN at > $1 THEN at + $2
                             ELSE at END - 1000000000000000, ",
                $columns,
                "
                 FROM (SELECT r.*, MIN(CASE WHEN r.at > $1 THEN r.at END) OVER (PARTITION BY r.",
                $id,
                ") AS first_at,
                              MAX(r.at) OVER (PARTITION BY r.",
                $id,
                ") AS last_at,
                              COUNT(*) OVER (PARTITION BY r.",
                $id,
                ") AS number,
                              ROW_NUMBER() OVER (PARTITION BY r.",
                $id,
                " ORDER BY r.at) AS place,
                              COALESCE((SELECT MAX(s.at) FROM ",
                $table,
                " s WHERE s.",
                $id,
                " = r.",
                $id,
                " AND s.at <= $1), 0)
                                  AS stays_at
                       FROM ",
                $table,
                " r WHERE r.",
                $id,
                " IN (SELECT id FROM ",
                $ids,
                ") AND r.at > $1 - 60000) AS moving
                 WHERE last_at > $1"
            ),
            concat!(
                "DELETE FROM ",
                $table,
                " WHERE at > $1 - 60000 AND ",
                $id,
                " IN (SELECT r.",
                $id,
                " FROM ",
                $table,
                " r
                 WHERE r.",
                $id,
                " IN (SELECT id FROM ",
                $ids,
                ") AND r.at > $1)"
            ),
            concat!(
                "UPDATE ",
                $table,
                " SET at = at + 1000000000000000 WHERE ",
                $id,
                " IN (SELECT id FROM ",
                $ids,
                ") AND at < 0"
            ),
        ]
    };
}

/// Three texts: from the future to before the epoch, away from the future, and to the present.
type Moves = [&'static str; 3];

const READINGS: Moves = moves!(
    "readings",
    "meter_id",
    "meters",
    "quality, source, status, total_wh, reverse_wh, remaining_fen, power_w, voltage_dv, current_ca, power_factor, spike_wh,
     peak_wh, flat_wh, valley_wh, sequence"
);
const CIRCUIT_READINGS: Moves =
    moves!("circuit_readings", "circuit_id", "circuits", "quality, counter_wh, reverse_wh, ratio, energy_wh");

async fn readings(tx: &mut Tx, now: Timestamp, step: i64, [copy, remove, arrive]: Moves) -> Result<()> {
    on!(tx, |c| sqlx::query(copy).bind(now).bind(step).execute(c).await)?;
    on!(tx, |c| sqlx::query(remove).bind(now).execute(c).await)?;
    on!(tx, |c| sqlx::query(arrive).execute(c).await)?;
    Ok(())
}

/// Energy of hours and days to come moves to this hour and this day.
async fn energy(tx: &mut Tx, now: Timestamp) -> Result<()> {
    let (hour, day) = (now.0.div_euclid(HOUR), now.date());
    on!(tx, |c| sqlx::query(
        "INSERT INTO energy_hourly (meter_id, hour, wh)
         SELECT meter_id, $1, CAST(SUM(wh) AS BIGINT) FROM energy_hourly
         WHERE meter_id IN (SELECT id FROM meters) AND hour > $1 GROUP BY meter_id
         ON CONFLICT (meter_id, hour) DO UPDATE SET wh = energy_hourly.wh + excluded.wh"
    )
    .bind(hour)
    .execute(c)
    .await)?;
    on!(tx, |c| sqlx::query("DELETE FROM energy_hourly WHERE meter_id IN (SELECT id FROM meters) AND hour > $1")
        .bind(hour)
        .execute(c)
        .await)?;
    on!(tx, |c| sqlx::query(
        "INSERT INTO energy_daily (meter_id, day, wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh)
         SELECT meter_id, $1, CAST(SUM(wh) AS BIGINT), CAST(SUM(reverse_wh) AS BIGINT), CAST(SUM(spike_wh) AS BIGINT),
                CAST(SUM(peak_wh) AS BIGINT), CAST(SUM(flat_wh) AS BIGINT), CAST(SUM(valley_wh) AS BIGINT)
         FROM energy_daily WHERE meter_id IN (SELECT id FROM meters) AND day > $1 GROUP BY meter_id
         ON CONFLICT (meter_id, day) DO UPDATE SET wh = energy_daily.wh + excluded.wh,
             reverse_wh = energy_daily.reverse_wh + excluded.reverse_wh, spike_wh = energy_daily.spike_wh + excluded.spike_wh,
             peak_wh = energy_daily.peak_wh + excluded.peak_wh, flat_wh = energy_daily.flat_wh + excluded.flat_wh,
             valley_wh = energy_daily.valley_wh + excluded.valley_wh"
    )
    .bind(day)
    .execute(c)
    .await)?;
    on!(tx, |c| sqlx::query("DELETE FROM energy_daily WHERE meter_id IN (SELECT id FROM meters) AND day > $1")
        .bind(day)
        .execute(c)
        .await)?;
    place_energy::invalidate(tx).await
}

/// A time that is past, moved by the step.
macro_rules! past {
    ($column:literal) => {
        concat!("CASE WHEN ", $column, " + $2 <= $1 THEN ", $column, " + $2 ELSE $1 END")
    };
}

/// A time at which something is due, moved by the step.
macro_rules! due {
    ($column:literal) => {
        concat!("CASE WHEN ", $column, " + $2 > $1 THEN ", $column, " + $2 ELSE $1 END")
    };
}

/// What waits for a provider, a channel or a printer would wait until the clock shows the time again at which it was tried, and a
/// message channel that counts what it tried in the last minute would send nothing until then.
const QUEUES: [&str; 7] = [
    concat!(
        "UPDATE notifications SET next_at = CASE WHEN next_at > $1 AND state = 'waiting' THEN ",
        due!("next_at"),
        " ELSE next_at END, stale_at = CASE WHEN asked_at > $1 THEN stale_at + $2 ELSE stale_at END,
             tried_at = CASE WHEN tried_at > $1 THEN ",
        past!("tried_at"),
        " ELSE tried_at END, asked_at = CASE WHEN asked_at > $1 THEN ",
        past!("asked_at"),
        " ELSE asked_at END WHERE asked_at > $1 OR tried_at > $1"
    ),
    concat!(
        "UPDATE mails SET asked_at = CASE WHEN asked_at > $1 THEN ",
        past!("asked_at"),
        " ELSE asked_at END, next_at = ",
        due!("next_at"),
        " WHERE state = 'waiting' AND next_at > $1"
    ),
    concat!("UPDATE text_requests SET received_at = ", past!("received_at"), " WHERE received_at > $1"),
    concat!("UPDATE print_jobs SET next_at = ", due!("next_at"), " WHERE state = 'queued' AND next_at > $1"),
    concat!(
        "UPDATE payment_attempts SET next_query_at = ",
        due!("next_query_at"),
        " WHERE state IN ('pending', 'closing', 'held') AND next_query_at > $1"
    ),
    concat!("UPDATE refunds SET next_at = ", due!("next_at"), " WHERE state = 'sending' AND next_at > $1"),
    // What was switched in the future is not due again before that: an hour ago is too late for a switching, so it is left out,
    // and the next one follows from now.
    concat!("UPDATE switch_schedules SET next_at = ", past!("last_at"), " - 3600000 WHERE last_at > $1"),
];

/// In a transaction of its own: others lock these rows before those of meters. A crash after it loses nothing, because what was
/// read in the future still lies there, and the step is followed again.
async fn queues(db: &Db, now: Timestamp, step: i64) -> Result<()> {
    let mut tx = db.begin_fenced().await?;
    for sql in QUEUES {
        on!(&mut tx, |c| sqlx::query(sql).bind(now).bind(step).execute(c).await)?;
    }
    tx.commit().await
}

/// What was seen, charged or done in the future was so just now, and what waits for a try waits no longer. Checks of planned
/// prices keep their own instant.
async fn instants(tx: &mut Tx, now: Timestamp, step: i64) -> Result<()> {
    // What the next reading is compared with moves as the readings do.
    for sql in [
        "UPDATE meter_latest SET observed_at = CASE WHEN observed_at + $2 <= $1 THEN observed_at + $2 ELSE $1 END
         WHERE observed_at > $1",
        "UPDATE instrument_state SET read_at = CASE WHEN read_at + $2 <= $1 THEN read_at + $2 ELSE $1 END WHERE read_at > $1",
        "UPDATE wallets SET counted_at = CASE WHEN counted_at + $2 <= $1 THEN counted_at + $2 ELSE $1 END WHERE counted_at > $1",
        "UPDATE wallets SET started_at = CASE WHEN started_at + $2 <= $1 THEN started_at + $2 ELSE $1 END WHERE started_at > $1",
    ] {
        on!(tx, |c| sqlx::query(sql).bind(now).bind(step).execute(c).await)?;
    }
    for sql in [
        "UPDATE meter_latest SET lost_since = $1 WHERE lost_since > $1",
        "UPDATE instrument_state SET lost_since = $1 WHERE lost_since > $1",
        "UPDATE wallets SET changed_at = $1 WHERE changed_at > $1",
        // Commands that are done later are compared with these.
        "UPDATE meter_parameters SET read_at = $1 WHERE read_at > $1",
        "UPDATE meter_overdrafts SET before_at = $1 WHERE before_at > $1",
        "UPDATE meter_overdrafts SET since = $1 WHERE since > $1",
        "UPDATE commands SET decided_at = $1 WHERE decided_at > $1 AND state IN ('queued', 'sending')",
        "UPDATE commands SET next_at = $1 WHERE next_at > $1 AND state IN ('queued', 'sending') AND kind <> 'in_force'",
        "UPDATE commands SET finished_at = $1 WHERE finished_at > $1",
        "UPDATE events SET since = $1 WHERE since > $1",
        "UPDATE events SET until_at = $1 WHERE until_at > $1",
        "UPDATE alarm_waits SET since = $1 WHERE since > $1",
        // Looked at again at once, which finds when it is due now.
        "UPDATE alarm_waits SET due_at = $1 WHERE due_at > $1",
    ] {
        on!(tx, |c| sqlx::query(sql).bind(now).execute(c).await)?;
    }
    Ok(())
}
