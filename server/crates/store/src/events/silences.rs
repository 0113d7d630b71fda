//! Maintenance, for whose time nobody gets messages about alarms.

use model::ids::MeterId;
use model::time::Timestamp;

use super::Subject;
use crate::{Result, Tx, on};

/// Whether an alarm is within a silence now. The query names the event's meter `m` (or nothing), its room `r`, `b` and `t`, and
/// has the event's gateway as `$gateway`; `$at` is the time.
#[macro_export]
macro_rules! silenced {
    ($gateway:literal, $at:literal) => {
        $crate::within_silence!($gateway, " s.ended_at IS NULL AND s.from_at <= ", $at, " AND s.until_at > ", $at)
    };
}

/// The same of a silence `s` of which this holds. A gateway is within a place if all its meters in service are.
#[macro_export]
macro_rules! within_silence {
    ($gateway:literal, $($when:literal),+) => {
        concat!(
            " EXISTS (SELECT 1 FROM alarm_silences s WHERE ",
            $($when,)+
            " AND (s.meter_id = m.id OR s.gateway_id = m.gateway_id OR s.gateway_id = ",
            $gateway,
            " OR s.place_id IN (r.id, b.id, t.id, t.parent_id)
                   OR (m.id IS NULL AND s.place_id IN (SELECT id FROM places WHERE kind = 'site'))
                   OR (SELECT MIN(CASE WHEN s.place_id IN (sr.id, sb.id, st.id, st.parent_id) THEN 1 ELSE 0 END)
                       FROM meters sm JOIN places sr ON sr.id = sm.place_id
                       LEFT JOIN places sb ON sb.id = sr.parent_id LEFT JOIN places st ON st.id = sb.parent_id
                       WHERE sm.retired_at IS NULL AND sm.gateway_id = ",
            $gateway,
            ") = 1)) "
        )
    };
}

/// Whether messages about a meter are silenced now; alarms of other subjects tell no residents.
pub async fn is_silenced(tx: &mut Tx, subject: Subject, at: Timestamp) -> Result<bool> {
    let Subject::Meter(meter) = subject else { return Ok(false) };
    let found: Option<(MeterId,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT m.id FROM meters m LEFT JOIN places r ON r.id = m.place_id",
        crate::above!(),
        "WHERE m.id = $1 AND",
        silenced!("NULL", "$2")
    ))
    .bind(meter)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    Ok(found.is_some())
}
