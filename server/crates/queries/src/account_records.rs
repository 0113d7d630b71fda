//! What has happened to an account, for its residents. The caller has found the account by the resident.

use model::account_record::{
    AccountRecord, AccountRecordKind, AccountRecordOf, AccountRecordQuery, OrderRecord, OtherRoom, PowerChange, ReturnRecord,
    SaleCorrection, SwitchRecord, SwitchedBy,
};
use model::command::CommandKind;
use model::console::ClosingKind;
use model::event::EventKind;
use model::ids::{AccountId, OrderId, UserId};
use model::issue::Issue;
use model::money::Fen;
use model::notification::{NotificationChannel, NotificationKind, NotificationState, NotificationValues};
use model::order::{CommandState, OrderState, ReturnKind, ReturnState, TakenBack, Tender};
use model::person::masked_name;
use model::refund::RefundState;
use model::time::Timestamp;
use sqlx::FromRow;

use domain::command_args::{CommandArgs, StoredArgs};
use store::{Db, JsonText, Result, StoreError, from_another_room, read};

/// Whose records are read.
#[derive(Clone, Copy, Debug)]
pub struct AccountOfResident {
    pub account: AccountId,
    pub resident: UserId,
    /// What happened to the room before is not theirs; the money is the account's, which all its residents share.
    pub since: Timestamp,
}

/// The money of the account `$1`, as lines `x`. A reversal of a return is the order that it makes; requests that came to nothing
/// are left out; refunds at a channel's console are in the ledger alone.
macro_rules! money_lines {
    () => {
        concat!(
            "SELECT CASE WHEN v.id IS NOT NULL THEN 'correction' WHEN o.tender IN ('carried', 'taken_over') THEN 'balance'
                     ELSE 'recharge' END AS kind,
                o.id, o.created_at AS at, o.id AS order_id, o.tender, o.amount_fen, o.count, o.state AS order_state,
                CAST(COALESCE((SELECT SUM(b.amount_fen) FROM returns b
                               WHERE b.corrects_order = o.id AND b.state IN ('taken', 'done')), 0) AS BIGINT) AS done_fen,
                CAST(COALESCE((SELECT SUM(b.amount_fen) FROM returns b
                               WHERE b.corrects_order = o.id AND b.state IN ('taking', 'case')), 0) AS BIGINT) AS coming_fen,
                v.id IS NOT NULL AS undoes_return, CAST(NULL AS TEXT) AS return_kind, CAST(NULL AS TEXT) AS return_state,
                CAST(NULL AS TEXT) AS reason, CAST(NULL AS TEXT) AS refund_state, CAST(NULL AS TEXT) AS closing,
                CAST(NULL AS TEXT) AS event_kind, CAST(NULL AS BIGINT) AS until_at, CAST(NULL AS TEXT) AS command_kind,
                CAST(NULL AS TEXT) AS args, CAST(NULL AS TEXT) AS switched_by, CAST(NULL AS TEXT) AS command_state,
                CAST(NULL AS TEXT) AS message_kind, CAST(NULL AS TEXT) AS channel, CAST(NULL AS TEXT) AS message_state,
                CAST(NULL AS TEXT) AS contents, CAST(NULL AS TEXT) AS own_text,
                CASE WHEN",
            from_another_room!(),
            "THEN (SELECT u.name FROM users u WHERE u.id = o.created_by AND u.role = 'resident') END AS payer,
                CAST(NULL AS TEXT) AS for_room
         FROM orders o LEFT JOIN returns v ON v.sale_id = o.id WHERE o.account_id = $1
         UNION ALL
         SELECT CASE WHEN v.kind = 'return' THEN 'return' ELSE 'correction' END, v.id, COALESCE(v.taken_at, v.asked_at),
                v.corrects_order, v.tender, v.amount_fen, v.count, NULL, NULL, NULL, NULL, v.kind, v.state, v.reason, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM returns v
         WHERE v.meter_id IN (SELECT j.meter_id FROM account_meters j WHERE j.account_id = $1) AND v.account_id = $1
           AND v.kind <> 'undo_return' AND v.state NOT IN ('waiting', 'refused', 'rejected', 'cancelled', 'expired')
         UNION ALL
         SELECT 'refund', f.id, COALESCE(f.settled_at, f.asked_at), f.order_id, f.tender, f.amount_fen, NULL, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL, f.state, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                NULL, NULL
         FROM refunds f JOIN orders o ON o.id = f.order_id
         WHERE o.account_id = $1 AND f.state IN ('waiting', 'sending', 'payable', 'done')
         UNION ALL
         SELECT 'refund', t.id, t.at, o.id, e.channel, t.amount_e4 / 100, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'done',
                NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM orders o JOIN payment_attempts p ON p.order_id = o.id JOIN payment_events e ON e.attempt_id = p.id
              JOIN ledger_transfers t ON t.operation = 'refund-elsewhere' AND t.reference = e.id
         WHERE o.account_id = $1
         UNION ALL
         SELECT 'balance', a.id, a.opened_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM accounts a WHERE a.id = $1
         UNION ALL
         SELECT 'balance', m.id, m.final_at, NULL, NULL, m.final_fen, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                c.kind, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM account_closures c JOIN account_closure_meters m ON m.closure_id = c.id
         WHERE c.account_id = $1 AND m.final_at IS NOT NULL AND c.withdrawn_by IS NULL"
        )
    };
}

/// Further lines: what the meters of the account showed and were told while they were its own and the resident's, from `$3` on,
/// the messages to the resident `$2`, with those about no account since then, and what that one paid for other rooms. Codes are
/// secrets, and no messages.
macro_rules! other_lines {
    () => {
        concat!(
            " UNION ALL
         SELECT 'alarm', e.id, e.since, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, e.kind,
                e.until_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM account_meters j JOIN events e ON e.meter_id = j.meter_id
         WHERE j.account_id = $1 AND e.since >= j.from_at AND (j.to_at IS NULL OR e.since < j.to_at) AND e.since >= $3
           AND e.kind IN ('relay-fault', 'overload', 'malignant-load', 'arrears', 'tripped', 'alarm-2', 'alarm-1', 'meter-lost',
                          'meter-unreadable')
         UNION ALL
         SELECT 'switch', c.id, c.decided_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                NULL, c.kind, c.args,
                CASE WHEN c.decided_by IS NULL THEN 'server'
                     WHEN EXISTS (SELECT 1 FROM account_residents h WHERE h.account_id = $1 AND h.user_id = c.decided_by)
                     THEN 'resident' ELSE 'operator' END,
                c.state, NULL, NULL, NULL, NULL, NULL, NULL, NULL
         FROM account_meters j JOIN commands c ON c.meter_id = j.meter_id
         WHERE j.account_id = $1 AND c.decided_at >= j.from_at AND (j.to_at IS NULL OR c.decided_at < j.to_at)
           AND c.decided_at >= $3 AND c.kind IN ('switch', 'relay', 'mode') AND NOT (c.kind = 'relay' AND c.state = 'superseded')
         UNION ALL
         SELECT 'message', n.id, n.asked_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, n.kind, n.channel, n.state, n.contents,
                (SELECT o.text FROM notification_texts o
                 WHERE o.kind = n.kind AND o.language = n.language AND o.changed_at <= n.asked_at
                 ORDER BY o.version DESC LIMIT 1),
                NULL, NULL
         FROM notifications n
         WHERE n.user_id = $2 AND (n.account_id = $1 OR (n.account_id IS NULL AND n.asked_at >= $3))
           AND n.kind NOT IN ('address-code', 'log-in-code')
         UNION ALL
         SELECT 'recharge', o.id, o.created_at, o.id, o.tender, o.amount_fen, NULL, o.state, 0, 0, FALSE, NULL, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                COALESCE(t.name || ' ', '') || COALESCE(p.name || ' ', '') || r.name
         FROM orders o JOIN accounts a ON a.id = o.account_id JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
         LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
         WHERE o.created_by = $2 AND",
            from_another_room!()
        )
    };
}

#[derive(FromRow)]
struct RecordRow {
    kind: AccountRecordKind,
    at: Timestamp,
    order_id: Option<OrderId>,
    tender: Option<Tender>,
    amount_fen: Option<Fen>,
    count: Option<i64>,
    order_state: Option<OrderState>,
    done_fen: Option<Fen>,
    coming_fen: Option<Fen>,
    undoes_return: Option<bool>,
    return_kind: Option<ReturnKind>,
    return_state: Option<ReturnState>,
    reason: Option<String>,
    refund_state: Option<RefundState>,
    closing: Option<ClosingKind>,
    event_kind: Option<EventKind>,
    until_at: Option<Timestamp>,
    command_kind: Option<CommandKind>,
    args: Option<JsonText<StoredArgs>>,
    switched_by: Option<SwitchedBy>,
    command_state: Option<CommandState>,
    message_kind: Option<NotificationKind>,
    channel: Option<NotificationChannel>,
    message_state: Option<NotificationState>,
    contents: Option<String>,
    own_text: Option<String>,
    /// Who paid from another room.
    payer: Option<String>,
    /// The other room that was paid for.
    for_room: Option<String>,
}

/// A page of the records, newest first, and one more where there are older ones.
pub async fn account_records(db: &Db, of: &AccountOfResident, query: &AccountRecordQuery) -> Result<Vec<AccountRecord>> {
    let (from, until) = query.instants();
    let rows: Vec<RecordRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT x.* FROM (",
        money_lines!(),
        other_lines!(),
        ") AS x WHERE ($4 = '' OR x.kind = $4) AND x.at >= $5 AND x.at < $6 ORDER BY x.at DESC, x.id DESC LIMIT $7 OFFSET $8"
    ))
    .bind(of.account)
    .bind(of.resident)
    .bind(of.since)
    .bind(query.kind.map_or("", AccountRecordKind::as_str))
    .bind(from)
    .bind(until)
    .bind(AccountRecordQuery::SIZE + 1)
    .bind(query.skipped())
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(RecordRow::record).collect()
}

/// The newest records of money.
pub async fn money_records(db: &Db, account: AccountId, limit: i64) -> Result<Vec<AccountRecord>> {
    let rows: Vec<RecordRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT x.* FROM (",
        money_lines!(),
        ") AS x ORDER BY x.at DESC, x.id DESC LIMIT $2"
    ))
    .bind(account)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(RecordRow::record).collect()
}

#[derive(FromRow)]
struct CorrectionRow {
    amount_fen: Fen,
    tender: Tender,
    state: ReturnState,
    asked_at: Timestamp,
    taken_at: Option<Timestamp>,
    settled_at: Option<Timestamp>,
    reason: String,
}

/// What was or is being taken back of a sale, oldest first.
pub async fn sale_corrections(db: &Db, order: OrderId) -> Result<Vec<SaleCorrection>> {
    const MOST: i64 = 50;
    let rows: Vec<CorrectionRow> = read!(db, |pool| sqlx::query_as(
        "SELECT amount_fen, tender, state, asked_at, taken_at, settled_at, reason FROM returns
         WHERE corrects_order = $1 AND state IN ('taking', 'taken', 'case', 'done') ORDER BY asked_at, id LIMIT $2"
    )
    .bind(order)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let correction = |row: CorrectionRow| SaleCorrection {
        amount: row.amount_fen,
        tender: row.tender,
        state: row.state,
        at: row.asked_at,
        taken_at: row.taken_at,
        settled_at: row.settled_at,
        reason: row.reason,
    };
    Ok(rows.into_iter().map(correction).collect())
}

impl RecordRow {
    fn record(self) -> Result<AccountRecord> {
        let (at, unknown) = (self.at, StoreError::Inconsistent { table: "account_records", column: "kind" });
        let of = match self.kind {
            AccountRecordKind::Alarm => self.alarm(),
            AccountRecordKind::Switch => self.switch(),
            AccountRecordKind::Message => self.message(),
            AccountRecordKind::Refund => self.refund(),
            AccountRecordKind::Recharge => self.order(),
            AccountRecordKind::Return => self.back(),
            AccountRecordKind::Correction => self.order().or_else(|| self.back()),
            AccountRecordKind::Balance => self.order().or_else(|| Some(self.balance())),
        };
        Ok(AccountRecord { at, of: of.ok_or(unknown)? })
    }

    fn order(&self) -> Option<AccountRecordOf> {
        Some(AccountRecordOf::Order(OrderRecord {
            state: self.order_state?,
            order: self.order_id?,
            tender: self.tender?,
            amount: self.amount_fen?,
            count: self.count,
            taken_back: TakenBack { done: self.done_fen?, coming: self.coming_fen? },
            undoes_return: self.undoes_return?,
            other_room: self.other_room(),
        }))
    }

    fn other_room(&self) -> Option<OtherRoom> {
        let paid_by = self.payer.as_ref().map(|name| OtherRoom::PaidBy(masked_name(name)));
        paid_by.or_else(|| self.for_room.clone().map(OtherRoom::PaidFor))
    }

    fn back(&self) -> Option<AccountRecordOf> {
        Some(AccountRecordOf::Back(ReturnRecord {
            kind: self.return_kind?,
            state: self.return_state?,
            corrects: self.order_id,
            tender: self.tender?,
            amount: self.amount_fen?,
            count: self.count,
            reason: self.reason.clone()?,
        }))
    }

    fn balance(&self) -> AccountRecordOf {
        let left = self.closing.zip(self.amount_fen);
        left.map_or(AccountRecordOf::Opened, |(closing, amount)| AccountRecordOf::FinalBalance { closing, amount })
    }

    fn refund(&self) -> Option<AccountRecordOf> {
        let (order, tender, amount) = (self.order_id?, self.tender?, self.amount_fen?);
        Some(AccountRecordOf::Refund { order, tender, amount, state: self.refund_state? })
    }

    fn alarm(&self) -> Option<AccountRecordOf> {
        Some(AccountRecordOf::Alarm { kind: self.event_kind?, until: self.until_at })
    }

    fn switch(&self) -> Option<AccountRecordOf> {
        let JsonText(args) = self.args.as_ref()?;
        let change = match args.readable() {
            Some(CommandArgs::Issue(Issue::Mode(mode))) => PowerChange::Mode(*mode),
            Some(args) => match args.switches_on() {
                Some(true) => PowerChange::On,
                Some(false) => PowerChange::Off,
                None => PowerChange::Unreadable(self.command_kind?),
            },
            None => PowerChange::Unreadable(self.command_kind?),
        };
        Some(AccountRecordOf::Switch(SwitchRecord { change, by: self.switched_by?, state: self.command_state? }))
    }

    fn message(&self) -> Option<AccountRecordOf> {
        Some(AccountRecordOf::Message {
            kind: self.message_kind?,
            channel: self.channel?,
            state: self.message_state?,
            values: NotificationValues::from_json(self.contents.as_deref()?),
            own_text: self.own_text.clone(),
        })
    }
}
