//! `dormwatt verify` names what was changed by hand, even where the changed row is sealed again; on both databases.

use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use domain::order::Limits;
use domain::returns::Rules;
use model::audit::AuditAction;
use model::money::Fen;
use model::order::Tender;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::DAY;
use server::tasks::Task;
use server::tasks::anchor::AnchorAudit;
use sqlx::AssertSqlSafe;
use store::audit::{self, Entry};
use store::orders::{self, NewOrder};
use store::returns::{self, NewReturn, ReturnSubject};
use store::seal::SealKey;
use store::{Db, Tx};
use story_support::site::{Site, until};
use story_support::{World, both};
use verify::{Difference, Figure, Rule, verify, verify_within};

const SOON: Duration = Duration::from_secs(20);

/// The rules that a statement breaks; it is undone afterwards.
async fn broken_by(w: &World, sql: &str) -> Vec<Rule> {
    differences_by(w, sql).await.into_iter().map(|difference| difference.rule).collect()
}

async fn differences_by(w: &World, sql: &str) -> Vec<Difference> {
    let mut tx = w.db.begin().await.unwrap();
    let statement = AssertSqlSafe(sql.to_owned());
    match &mut tx {
        Tx::Sqlite(c) => drop(sqlx::raw_sql(statement).execute(&mut **c).await.expect(sql)),
        Tx::Postgres(c) => drop(sqlx::raw_sql(statement).execute(&mut **c).await.expect(sql)),
    }
    verify_within(&mut tx).await.unwrap().differences
}

/// Two sales in the meter, and a return that was paid out.
async fn business(w: World) -> Site {
    let s = Site::new(w, 1, 1).await;
    s.sell(0, 5_000).await;
    s.sell(0, 3_000).await;
    let engine = s.start().await;
    s.settled(SOON).await;
    let held = "SELECT COUNT(*) FROM meter_latest WHERE remaining_fen > 0";
    until(SOON, "a reading", || async { s.w.number(held).await == 1 }).await;
    let (room, now) = (s.rooms[0], SystemClock.now());
    let of = ReturnSubject::Remaining { account: room.account, meter: room.meter, tender: Tender::Cash, amount: Fen(1_000) };
    let new = NewReturn { key: s.w.rng.id(now), of, reason: "住户退宿".into(), by: s.clerk, ip: String::new() };
    let back = returns::ask(&s.w.db, &s.w.rng, now, &Rules::default(), &Limits::default(), &new).await.unwrap();
    engine.wake();
    s.settled(SOON).await;
    until(SOON, "the debit", || async { s.w.number("SELECT COUNT(*) FROM returns WHERE state = 'taken'").await == 1 }).await;
    let who = Who {
        user: s.clerk,
        role: Role::Cashier,
        permissions: Permissions::of(Role::Cashier),
        name: String::new(),
        ip: String::new(),
    };
    returns::pay_out(&s.w.db, &s.w.rng, SystemClock.now(), &who, back.id).await.unwrap();
    engine.stop().await;
    s
}

both!(each_edit_by_hand_breaks_its_rule, |w: World| async move {
    let s = business(w).await;
    assert_eq!(verify(&s.w.db).await.unwrap().differences, []);
    let drop_guard = match s.w.db {
        Db::Sqlite { .. } => "DROP TRIGGER audit_no_delete",
        Db::Postgres { .. } => "ALTER TABLE audit DISABLE TRIGGER audit_append_only",
    };
    for (sql, rule) in [
        ("DELETE FROM ledger_balances WHERE account = 'cash'", Rule::LedgerBalance),
        (
            "INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at)
             SELECT id, 'gift', id, 'cash', 'bank', 100, 1 FROM meters",
            Rule::LedgerOperation,
        ),
        ("UPDATE orders SET tender = 'card' WHERE amount_fen = 5000", Rule::PaymentTender),
        ("UPDATE returns SET tender = 'card'", Rule::PayoutTender),
        ("UPDATE orders SET count = 9 WHERE amount_fen = 5000", Rule::OrderCount),
        ("UPDATE orders SET state = 'pending'", Rule::SealedRow),
        ("UPDATE orders SET number = number + 1", Rule::SealedRow),
        ("UPDATE orders SET paid_at = paid_at + 1", Rule::SealedRow),
        ("UPDATE commands SET args = REPLACE(args, '5000', '500')", Rule::CommandAmount),
        ("UPDATE commands SET count = count + 1 WHERE kind = 'debit'", Rule::CommandCounts),
        (
            "UPDATE commands SET count = count + 1 WHERE kind = 'debit'; UPDATE account_meters SET count = count + 1;
             UPDATE meter_latest SET count = count + 1",
            Rule::CommandCounts,
        ),
        ("UPDATE account_meters SET to_at = from_at + 1", Rule::MeterBalance),
        ("UPDATE meters SET serial = '000000000099'", Rule::SealedRow),
        ("DELETE FROM receipts WHERE order_id IS NOT NULL", Rule::SaleReceipt),
        ("DELETE FROM receipts WHERE return_id IS NOT NULL", Rule::ReturnReceipt),
        ("DELETE FROM receipts WHERE number = 2", Rule::ReceiptNumbers),
        ("UPDATE receipt_numbers SET last = last - 1", Rule::ReceiptNumbers),
        ("DELETE FROM account_residents", Rule::SealedRow),
        ("DELETE FROM seals", Rule::SealSum),
        (drop_guard, Rule::Schema),
    ] {
        let broken = broken_by(&s.w, sql).await;
        assert!(broken.contains(&rule), "{sql}: {broken:?}");
    }
    assert_eq!(verify(&s.w.db).await.unwrap().differences, [], "each was undone");
});

both!(missing_receipts_are_named_by_their_numbers, |w: World| async move {
    let (room, by, now) = (w.room(1).await, w.clerk().await, w.clock.now());
    for _ in 0..7 {
        let (key, ip) = (w.rng.id(now), String::new());
        let (account, meter, tender, amount) = (room.account, room.meter, Tender::Cash, Fen(1_000));
        let sale = NewOrder { key, account, meter, tender, amount, by, ip };
        orders::sell(&w.db, &w.rng, now, &Limits::default(), &sale).await.unwrap();
    }
    let found = async |sql| {
        let found = differences_by(&w, sql).await.into_iter().filter(|one| one.rule == Rule::ReceiptNumbers);
        found.map(|one| (one.subject, one.expected, one.found)).collect::<Vec<_>>()
    };
    let of = |subject: &str, expected, found| (subject.to_owned(), Figure::Count(expected), Figure::Count(found));
    let gaps = [of("2026-000001", 1, 0), of("2026-000003 to 2026-000005", 3, 0), of("2026-000007", 1, 0)];
    assert_eq!(found("DELETE FROM receipts WHERE series = 'cash_desk' AND number IN (1, 3, 4, 5, 7)").await, gaps);
    let never_given_out = [of("2026-000006 to 2026-000007", 0, 2)];
    assert_eq!(found("UPDATE receipt_numbers SET last = 5 WHERE series = 'cash_desk'").await, never_given_out);
    assert_eq!(verify(&w.db).await.unwrap().differences, [], "each was undone");
});

async fn lines(w: &World, db: &Db, count: usize) {
    for n in 0..count {
        let mut tx = db.begin().await.unwrap();
        let subject = format!("order:{n}");
        let entry = Entry { actor: "system", ip: "", action: AuditAction::OrderCreate, subject: &subject, detail: "{}" };
        audit::append(&mut tx, w.clock.now(), &entry).await.unwrap();
        tx.commit().await.unwrap();
    }
}

both!(a_chain_that_was_cut_is_noticed, |w: World| async move {
    lines(&w, &w.db, 2).await;
    w.by_hand("CREATE TABLE kept AS SELECT * FROM audit_head").await.unwrap();
    lines(&w, &w.db, 1).await;
    let anchor = audit::anchor_before(&w.db, model::time::Timestamp(i64::MAX)).await.unwrap().unwrap();
    let anchors = [(anchor.seq, anchor.hash)];
    assert_eq!((anchors[0].0, audit::missing_anchors(&w.db, &anchors).await.unwrap()), (3, vec![]));
    let guard = match w.db {
        Db::Sqlite { .. } => "DROP TRIGGER audit_no_delete",
        Db::Postgres { .. } => "DROP TRIGGER audit_append_only ON audit",
    };
    w.by_hand(guard).await.unwrap();
    w.by_hand("DELETE FROM audit WHERE seq = 3").await.unwrap();
    assert_eq!(audit::verify(&w.db).await.unwrap().broken_at, Some(3), "the head knows of the third line");
    let set_back = "UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit WHERE seq = 2)";
    w.by_hand(set_back).await.unwrap();
    assert_eq!(audit::verify(&w.db).await.unwrap().broken_at, Some(3), "nobody else can write the head");
    // An old head that was kept fits; only what is outside the database knows better.
    let old = "UPDATE audit_head SET seq = k.seq, hash = k.hash, mac = k.mac FROM kept k";
    w.by_hand(old).await.unwrap();
    assert_eq!(audit::verify(&w.db).await.unwrap().broken_at, None);
    assert_eq!(audit::missing_anchors(&w.db, &anchors).await.unwrap(), [3]);
});

both!(a_file_of_anchors_that_does_not_fit_is_refused, |w: World| async move {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("anchors.txt");
    let task = AnchorAudit { context: w.context().await, file: file.clone() };
    lines(&w, &w.db, 2).await;
    assert_eq!(task.run().await.unwrap().summary, "line 2");
    assert_eq!(task.run().await.unwrap().summary, "line 2, as before");
    lines(&w, &w.db, 1).await;
    assert_eq!(task.run().await.unwrap().summary, "line 3");
    let whole = std::fs::read_to_string(&file).unwrap();
    // Of a chain that went on, or was changed, elsewhere.
    let last = whole.lines().last().unwrap();
    let (before, hash) = last.rsplit_once(' ').unwrap();
    for foreign in [last.replace(" 3 ", " 4 "), format!("{before} {}", "00".repeat(hash.len() / 2))] {
        let text = whole.replace(last, &foreign);
        std::fs::write(&file, &text).unwrap();
        let said = task.run().await.unwrap_err().to_string();
        assert!(said.contains("of the audit chain is missing in the database or another one there"), "{said}");
        lines(&w, &w.db, 2).await;
        assert!(task.run().await.is_err(), "a chain that has grown past it does not fit either");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "nothing is added");
    }
    std::fs::write(&file, whole).unwrap();
    assert_eq!(task.run().await.unwrap().summary, "line 7");
});

both!(another_key_does_not_fit, |w: World| async move {
    let key = || SealKey::parse(&"5a".repeat(32)).unwrap();
    let keyed = Db::open_with_key(&w.url, key()).await.unwrap();
    assert!(audit::key_fits(&w.db).await.unwrap(), "nothing was written yet");
    lines(&w, &keyed, 2).await;
    assert!(audit::key_fits(&keyed).await.unwrap() && !audit::key_fits(&w.db).await.unwrap());
    assert_eq!(audit::verify(&keyed).await.unwrap().broken_at, None);
    // Whoever has not got the key cannot append either.
    lines(&w, &w.db, 1).await;
    assert_eq!(audit::verify(&keyed).await.unwrap().broken_at, Some(3));
    keyed.close().await;
});

both!(meters_with_an_open_case_are_listed, |w: World| async move {
    let room = w.room(1).await;
    assert_eq!(verify(&w.db).await.unwrap().set_aside, []);
    let sql = "INSERT INTO cases (id, kind, meter_id, detail, opened_at, due_at) VALUES ($1, 'reading', $1, '{}', $2, $2)";
    story_support::bind(&w.db, sql, room.meter.0, &[w.clock.now().0]).await;
    let listed = verify(&w.db).await.unwrap().set_aside;
    assert_eq!(listed.iter().map(|one| (one.serial.as_str(), one.kind.as_str())).collect::<Vec<_>>(), [("1", "reading")]);
});

both!(readings_and_energy_that_disagree_are_noticed, |w: World| async move {
    let room = w.room(1).await;
    let insert = "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen, sequence)
                  VALUES ($1, $2, 0, 0, 0, $3, 0, $4)";
    // The first day is not compared; then 7 Wh in one hour.
    for (at, total, sequence) in [(0, 100, 1), (90_000_000, 100, 2), (90_500_000, 103, 3), (91_000_000, 107, 4)] {
        story_support::bind(&w.db, insert, room.meter.0, &[at, total, sequence]).await;
    }
    let rules = |found: Vec<verify::Difference>| found.into_iter().map(|one| one.rule).collect::<Vec<_>>();
    assert_eq!(rules(verify(&w.db).await.unwrap().differences), [Rule::EnergyOfDay, Rule::EnergyOfHour]);
    story_support::bind(&w.db, "INSERT INTO energy_daily (meter_id, day, wh) VALUES ($1, 1, 7)", room.meter.0, &[]).await;
    story_support::bind(&w.db, "INSERT INTO energy_hourly (meter_id, hour, wh) VALUES ($1, 25, 7)", room.meter.0, &[]).await;
    assert_eq!(verify(&w.db).await.unwrap().differences, []);
    w.execute("UPDATE energy_daily SET wh = 8").await;
    assert_eq!(rules(verify(&w.db).await.unwrap().differences), [Rule::EnergyOfDay]);
    w.execute("UPDATE energy_daily SET wh = 7").await;
    w.execute("DELETE FROM readings WHERE at = 90500000").await;
    let found = verify(&w.db).await.unwrap().differences;
    assert!(found[0].subject.ends_with(", number 3"), "{found:?}");
    assert_eq!(rules(found), [Rule::ReadingSequence], "the energy of its hour is the same");
    w.execute("DELETE FROM readings WHERE at < 91000000").await;
    assert_eq!(verify(&w.db).await.unwrap().differences, [], "old readings may be removed");
});

both!(days_before_the_first_reading_are_sums_of_their_hours, |w: World| async move {
    let room = w.room(1).await;
    let reading = "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen)
                   VALUES ($1, $2, 0, 0, 0, 0, 0)";
    story_support::bind(&w.db, reading, room.meter.0, &[10 * DAY]).await;
    // The last hour of a day of Shanghai, and the first of the next.
    let hour = "INSERT INTO energy_hourly (meter_id, hour, wh) VALUES ($1, $2, $3)";
    let day = "INSERT INTO energy_daily (meter_id, day, wh) VALUES ($1, $2, $3)";
    for (of, slot, wh) in [(hour, 5 * 24 + 14, 1), (hour, 5 * 24 + 15, 2), (hour, 5 * 24 + 16, 4), (day, 5, 3), (day, 6, 4)] {
        story_support::bind(&w.db, of, room.meter.0, &[slot, wh]).await;
    }
    assert_eq!(verify(&w.db).await.unwrap().differences, []);
    w.execute("UPDATE energy_daily SET wh = wh + 1 WHERE day = 5").await;
    let found = verify(&w.db).await.unwrap().differences;
    assert_eq!(found.iter().map(|one| one.rule).collect::<Vec<_>>(), [Rule::EnergyOfDay]);
    assert!(found[0].subject.ends_with("1970-01-06"), "{found:?}");
});

both!(a_state_older_than_its_newest_reading_is_no_difference, |w: World| async move {
    let (room, now) = (w.room(1).await, w.clock.now().0);
    w.shows(room.meter, 0, 0, 0).await;
    let reading = "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, reverse_wh, remaining_fen)
                   VALUES ($1, $2, 0, 0, 3, 5, 0, 0)";
    story_support::bind(&w.db, reading, room.meter.0, &[now]).await;
    let found = verify(&w.db).await.unwrap().differences;
    assert_eq!(found.iter().map(|one| one.rule).collect::<Vec<_>>(), [Rule::NewestReading]);
    story_support::bind(&w.db, reading, room.meter.0, &[now + 1]).await;
    assert_eq!(verify(&w.db).await.unwrap().differences, [], "the state follows with the next reading");
});
