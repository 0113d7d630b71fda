//! Everything about a person, for themselves: what the law calls a copy of personal data.

use model::energy::Energy;
use model::money::Fen;
use model::notification::{NotificationChannel, NotificationKind, NotificationState};
use model::order::{OrderState, ReturnState, Tender};
use model::person::Who;
use model::text_request::{TextOutcome, TextRequest};
use model::time::{Date, Timestamp};
use serde_json::{Value, json};
use sqlx::FromRow;
use store::{Db, Result, from_another_room, read};

use log_ins::{sessions, tokens, wechat};

/// The newest rows of each list; years of a person's life in a dormitory are fewer.
const MOST: i64 = 10_000;

#[derive(FromRow)]
struct ProfileRow {
    login: String,
    name: String,
    created_at: Timestamp,
    logged_in_at: Option<Timestamp>,
    second_factor_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct AccountRow {
    number: String,
    place: String,
    from_at: Timestamp,
    to_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct OrderRow {
    number: i64,
    account: Option<String>,
    tender: Tender,
    amount_fen: Fen,
    state: OrderState,
    created_at: Timestamp,
    paid_at: Option<Timestamp>,
    credited_at: Option<Timestamp>,
    is_own: bool,
}

#[derive(FromRow)]
struct ReturnRow {
    number: i64,
    account: String,
    tender: Tender,
    amount_fen: Fen,
    state: ReturnState,
    asked_at: Timestamp,
    settled_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct DayRow {
    day: Date,
    serial: String,
    wh: Energy,
}

#[derive(FromRow)]
struct MessageRow {
    kind: NotificationKind,
    channel: NotificationChannel,
    address: String,
    state: NotificationState,
    contents: String,
    asked_at: Timestamp,
    finished_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct AddressRow {
    channel: NotificationChannel,
    address: String,
    verified_at: Timestamp,
}

#[derive(FromRow)]
struct PreferencesRow {
    is_off: bool,
    alarm1: bool,
    alarm2: bool,
    tonight: bool,
    recharge: bool,
    quiet_from: i64,
    quiet_until: i64,
    language: String,
}

#[derive(FromRow)]
struct TextRow {
    request: TextRequest,
    outcome: TextOutcome,
    received_at: Timestamp,
}

#[derive(FromRow)]
struct ScheduleRow {
    weekdays: i64,
    off_minute: i64,
    on_minute: i64,
    created_at: Timestamp,
}

#[derive(FromRow)]
struct ReminderRow {
    below_fen: Fen,
    chosen_at: Timestamp,
}

#[derive(FromRow)]
struct EmergencyCreditRow {
    account: String,
    amount_fen: Fen,
    taken_at: Timestamp,
    repaid_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct RoommateLinkRow {
    account: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    withdrawn_at: Option<Timestamp>,
}

/// A list of rows as JSON.
macro_rules! list {
    ($db:expr, $who:expr, $row:ty, $sql:expr, |$one:ident| $value:expr) => {{
        let rows: Vec<$row> = read!($db, |pool| sqlx::query_as($sql).bind($who.user).bind(MOST).fetch_all(pool).await)?;
        rows.into_iter().map(|$one| $value).collect::<Vec<Value>>()
    }};
}

// After the macro that it uses.
mod log_ins;

fn time(at: Timestamp) -> String {
    at.to_string()
}

fn maybe(at: Option<Timestamp>) -> Option<String> {
    at.map(time)
}

/// A person's data, times in the zone of the site, and money in yuan.
pub async fn of_person(db: &Db, who: &Who) -> Result<Value> {
    let profile: Option<ProfileRow> = read!(db, |pool| sqlx::query_as(
        "SELECT u.login, u.name, u.created_at, u.logged_in_at, f.confirmed_at AS second_factor_at
         FROM users u LEFT JOIN second_factors f ON f.user_id = u.id WHERE u.id = $1"
    )
    .bind(who.user)
    .fetch_optional(pool)
    .await)?;
    let profile = profile.map(|one| {
        json!({ "login": one.login, "name": one.name, "created_at": time(one.created_at),
                "logged_in_at": maybe(one.logged_in_at), "second_factor_since": maybe(one.second_factor_at) })
    });
    let accounts = list!(
        db,
        who,
        AccountRow,
        "SELECT a.number, COALESCE(t.name || ' ', '') || COALESCE(p.name || ' ', '') || r.name AS place, ar.from_at, ar.to_at
         FROM account_residents ar JOIN accounts a ON a.id = ar.account_id JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
         LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
         WHERE ar.user_id = $1 ORDER BY ar.from_at LIMIT $2",
        |one| json!({ "number": one.number, "room": one.place, "from": time(one.from_at), "to": maybe(one.to_at) })
    );
    Ok(json!({
        "profile": profile,
        "accounts": accounts,
        "orders": orders(db, who).await?,
        "returns": returns(db, who).await?,
        "use_by_day": days(db, who).await?,
        "alert_addresses": addresses(db, who).await?,
        "alert_preferences": preferences(db, who).await?,
        "messages": messages(db, who).await?,
        "text_requests": text_requests(db, who).await?,
        "switch_schedules": schedules(db, who).await?,
        "top_up_reminders": reminders(db, who).await?,
        "wechat_log_in": wechat(db, who).await?,
        "emergency_credits": emergency_credits(db, who).await?,
        "roommate_links": roommate_links(db, who).await?,
        "sessions": sessions(db, who).await?,
        "tokens": tokens(db, who).await?,
    }))
}

/// Their own orders, also for another room, which is named instead of its account, and those that the office sold or somebody
/// from another room paid to theirs while they lived there; not those of their roommates.
async fn orders(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        OrderRow,
        concat!(
            // SQLite orders a union by names that are given.
            "SELECT o.number AS number, a.number AS account, o.tender, o.amount_fen, o.state, o.created_at AS created_at,
                o.paid_at, o.credited_at, o.created_by = $1 AS is_own
         FROM account_residents ar JOIN accounts a ON a.id = ar.account_id
         JOIN orders o ON o.account_id = ar.account_id AND o.created_at >= ar.from_at
              AND (ar.to_at IS NULL OR o.created_at < ar.to_at)
         JOIN users c ON c.id = o.created_by
         WHERE ar.user_id = $1 AND (o.created_by = $1 OR c.role <> 'resident' OR (",
            from_another_room!(),
            "))
         UNION
         SELECT o.number, COALESCE(t.name || ' ', '') || COALESCE(p.name || ' ', '') || r.name, o.tender, o.amount_fen, o.state,
                o.created_at, o.paid_at, o.credited_at, TRUE
         FROM orders o JOIN accounts a ON a.id = o.account_id JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
         LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
         WHERE o.created_by = $1 AND",
            from_another_room!(),
            "ORDER BY created_at DESC, number LIMIT $2"
        ),
        |one| json!({
            "number": one.number.to_string(), "account": one.account, "paid_with": one.tender.as_str(),
            "amount_yuan": one.amount_fen.to_string(), "state": one.state.as_str(), "own": one.is_own,
            "created_at": time(one.created_at), "paid_at": maybe(one.paid_at), "credited_at": maybe(one.credited_at),
        })
    ))
}

async fn returns(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        ReturnRow,
        "SELECT b.number, a.number AS account, b.tender, b.amount_fen, b.state, b.asked_at, b.settled_at
         FROM account_residents ar JOIN accounts a ON a.id = ar.account_id
         JOIN returns b ON b.account_id = ar.account_id AND b.asked_at >= ar.from_at
              AND (ar.to_at IS NULL OR b.asked_at <= ar.to_at)
         WHERE ar.user_id = $1 ORDER BY b.asked_at DESC, b.number LIMIT $2",
        |one| json!({
            "number": one.number.to_string(), "account": one.account, "paid_out_by": one.tender.as_str(),
            "amount_yuan": one.amount_fen.to_string(), "state": one.state.as_str(), "requested_at": time(one.asked_at),
            "settled_at": maybe(one.settled_at),
        })
    ))
}

/// Energy of the days on which they lived there, whole days.
async fn days(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        DayRow,
        "SELECT d.day, m.serial, d.wh
         FROM account_residents ar
         JOIN account_meters am ON am.account_id = ar.account_id
         JOIN meters m ON m.id = am.meter_id
         JOIN energy_daily d ON d.meter_id = am.meter_id AND d.day * 86400000 + 57600000 > ar.from_at
              AND d.day * 86400000 + 57600000 > am.from_at
              AND (ar.to_at IS NULL OR d.day * 86400000 - 28800000 < ar.to_at)
              AND (am.to_at IS NULL OR d.day * 86400000 - 28800000 < am.to_at)
         WHERE ar.user_id = $1 ORDER BY d.day DESC, m.serial LIMIT $2",
        |one| json!({ "day": one.day.to_string(), "meter": one.serial, "energy_kwh": one.wh.to_string() })
    ))
}

async fn addresses(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        AddressRow,
        "SELECT channel, address, verified_at FROM alert_addresses WHERE user_id = $1 ORDER BY channel LIMIT $2",
        |one| json!({ "channel": one.channel.as_str(), "address": one.address, "verified_at": time(one.verified_at) })
    ))
}

/// Quiet hours are hours of the day.
async fn preferences(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        PreferencesRow,
        "SELECT is_off, alarm1, alarm2, tonight, recharge, quiet_from, quiet_until, language FROM alert_preferences
         WHERE user_id = $1 LIMIT $2",
        |one| json!({
            "all_off": one.is_off, "alarm1": one.alarm1, "alarm2": one.alarm2, "may_run_out_tonight": one.tonight,
            "top_up": one.recharge, "quiet_from": one.quiet_from, "quiet_until": one.quiet_until, "language": one.language,
        })
    ))
}

async fn messages(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        MessageRow,
        "SELECT kind, channel, address, state, contents, asked_at, finished_at FROM notifications
         WHERE user_id = $1 AND kind NOT IN ('address-code', 'log-in-code') ORDER BY asked_at DESC, id LIMIT $2",
        |one| json!({
            "kind": one.kind.as_str(), "channel": one.channel.as_str(), "address": one.address, "state": one.state.as_str(),
            "values": serde_json::from_str::<Value>(&one.contents).unwrap_or(Value::Null),
            "requested_at": time(one.asked_at), "finished_at": maybe(one.finished_at),
        })
    ))
}

async fn text_requests(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        TextRow,
        "SELECT request, outcome, received_at FROM text_requests WHERE user_id = $1 ORDER BY received_at DESC, id LIMIT $2",
        |one| json!({
            "request": one.request.as_str(), "outcome": one.outcome.as_str(), "received_at": time(one.received_at),
        })
    ))
}

/// Minutes are counted from midnight; the days are a bit each, and Monday is 1.
async fn schedules(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        ScheduleRow,
        "SELECT weekdays, off_minute, on_minute, created_at FROM switch_schedules WHERE created_by = $1
         ORDER BY created_at LIMIT $2",
        |one| json!({
            "weekdays": one.weekdays, "off_minute": one.off_minute, "on_minute": one.on_minute,
            "created_at": time(one.created_at),
        })
    ))
}

/// The balance below which they are reminded.
async fn reminders(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        ReminderRow,
        "SELECT below_fen, chosen_at FROM top_up_reminders WHERE user_id = $1 LIMIT $2",
        |one| json!({ "below": one.below_fen.to_string(), "chosen_at": time(one.chosen_at) })
    ))
}

async fn emergency_credits(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        EmergencyCreditRow,
        "SELECT a.number AS account, e.amount_fen, e.taken_at, e.repaid_at
         FROM emergency_credits e JOIN accounts a ON a.id = e.account_id
         WHERE e.taken_by = $1 ORDER BY e.taken_at DESC, e.id LIMIT $2",
        |one| json!({
            "account": one.account, "amount_yuan": one.amount_fen.to_string(), "taken_at": time(one.taken_at),
            "repaid_at": maybe(one.repaid_at),
        })
    ))
}

/// The links that they made; the links themselves are not stored.
async fn roommate_links(db: &Db, who: &Who) -> Result<Vec<Value>> {
    Ok(list!(
        db,
        who,
        RoommateLinkRow,
        "SELECT a.number AS account, l.created_at, l.expires_at, l.used_at, l.withdrawn_at
         FROM roommate_links l JOIN accounts a ON a.id = l.account_id
         WHERE l.created_by = $1 ORDER BY l.created_at DESC, l.code_hash LIMIT $2",
        |one| json!({
            "account": one.account, "created_at": time(one.created_at), "expires_at": time(one.expires_at),
            "used_at": maybe(one.used_at), "withdrawn_at": maybe(one.withdrawn_at),
        })
    ))
}
