//! The operator console, on both databases: limited to the operator's buildings, idempotent, closed to residents.

use app::api::accounts::{AccountOpening, AccountsPort, FormRow, OpeningError, ResidentRow};
use app::api::audit::AuditPort;
use app::api::cases::CasesPort;
use app::api::gateways::GatewaysPort;
use app::api::meter_wall::MeterWallPort;
use app::api::rooms::RoomsPort;
use app::api::sales::SalesPort;
use domain::clock::Clock;
use domain::order::Limits;
use domain::wall_layout::Scope;
use model::audit::AuditQuery;
use model::case::{CaseDetail, CaseKind, DeliveryCase, HoldReason, RelayCase};
use model::console::{AccountQuery, CaseQuery, CommandContent, MeterQuery, Once, RecordKind, RecordQuery, Sale};
use model::energy::Energy;
use model::error::AppError;
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::{ControlMode, Latest, StatusWord};
use model::money::Fen;
use model::order::{CommandState, Tender};
use model::permission::Permissions;
use model::person::{Role, Who};
use queries::RecordFilter;
use services::Context;
use services::auth::Passwords;
use services::cash_desk::CashDeskService;
use services::console::ConsoleService;
use store::energy::{self, Hour};
use store::{audit, cases};
use story_support::{World, both};
use uuid::Uuid;

/// Two buildings with a room each; the clerk may see the first only.
pub struct Estate {
    pub w: World,
    pub console: ConsoleService,
    cash_desk: CashDeskService,
    context: Context,
    pub clerk: Who,
    pub boss: Who,
    pub here: MeterId,
    pub there: MeterId,
    first: PlaceId,
}

pub async fn run(w: &World, sql: &'static str, ids: &[Uuid]) {
    macro_rules! go {
        ($pool:expr) => {{
            let mut query = sqlx::query(sql);
            for id in ids {
                query = query.bind(*id);
            }
            let _ = query.execute(&mut **$pool).await.unwrap();
        }};
    }
    let mut tx = w.db.begin().await.unwrap();
    match &mut tx {
        store::Tx::Sqlite(c) => go!(c),
        store::Tx::Postgres(c) => go!(c),
    }
    tx.commit().await.unwrap();
}

async fn into_building(w: &World, meter: MeterId, n: u8) -> PlaceId {
    let (building, floor) = (w.rng.id(w.clock.now()), w.rng.id(w.clock.now()));
    let named = if n == 1 {
        "INSERT INTO places (id, kind, name, sort) VALUES ($1, 'building', '1号楼', 1)"
    } else {
        "INSERT INTO places (id, kind, name, sort) VALUES ($1, 'building', '2号楼', 2)"
    };
    run(w, named, &[building]).await;
    run(w, "INSERT INTO places (id, parent_id, kind, name, sort) VALUES ($1, $2, 'unit', '3层', 3)", &[floor, building]).await;
    let moved = "UPDATE places SET parent_id = $1, name = '301' WHERE id = (SELECT place_id FROM meters WHERE id = $2)";
    run(w, moved, &[floor, meter.0]).await;
    PlaceId(building)
}

impl Estate {
    pub async fn new(w: World) -> Self {
        let (here, there) = (w.room(1).await.meter, w.meter(2).await);
        let first = into_building(&w, here, 1).await;
        into_building(&w, there, 2).await;
        let clerk = Who {
            user: w.clerk().await,
            role: Role::Cashier,
            permissions: Permissions::of(Role::Cashier),
            name: "clerk".into(),
            ip: "10.0.0.5".into(),
        };
        run(&w, "INSERT INTO operator_buildings (user_id, place_id) VALUES ($1, $2)", &[clerk.user.0, first.0]).await;
        w.limit("clerk").await;
        let boss = UserId(w.rng.id(w.clock.now()));
        let sql = "INSERT INTO users (id, role, login, name, password_hash, created_at, all_buildings)
             VALUES ($1, 'admin', 'boss', 'boss', 'x', 0, TRUE)";
        run(&w, sql, &[boss.0]).await;
        let boss = Who {
            user: boss,
            role: Role::Admin,
            permissions: Permissions::of(Role::Admin),
            name: "boss".into(),
            ip: String::new(),
        };
        let context = w.context().await;
        let passwords = Passwords::new(w.rng.clone()).unwrap();
        let console = ConsoleService::new(context.clone(), passwords, Limits::default(), domain::returns::Rules::default());
        let (rules, refund_rules) = (Default::default(), Default::default());
        let cash_desk = CashDeskService::new(context.clone(), Limits::default(), rules, refund_rules);
        Self { w, console, cash_desk, context, clerk, boss, here, there, first }
    }

    fn sale(&self, meter: MeterId, fen: i64) -> Sale {
        Sale { meter, amount: Fen(fen), tender: Tender::Cash, key: self.context.form_key(), seen: None }
    }

    pub fn opening(&self, meter: MeterId) -> AccountOpening {
        AccountOpening {
            meter,
            number: None,
            also: Vec::new(),
            residents: vec![resident_to_add("张三", "zhangsan")],
            first: Some(self.sale(meter, 5_000)),
        }
    }
}

fn resident_to_add(name: &str, login: &str) -> ResidentRow {
    ResidentRow { name: name.into(), login: login.into(), password: "long enough".into() }
}

both!(the_wall_layout_follows_the_place_tree, |w: World| async move {
    let e = Estate::new(w).await;
    let all: Vec<String> = e.console.wall(&e.boss, "").await.unwrap().meters.iter().map(|seat| seat.name.to_string()).collect();
    assert_eq!(all, ["1号楼 3层 301", "2号楼 3层 301"]);
    assert_eq!(queries::scope(&e.w.db, e.clerk.user).await.unwrap(), Scope::Buildings([e.first].into()));
    assert_eq!(queries::scope(&e.w.db, e.boss.user).await.unwrap(), Scope::All);
});

both!(the_power_of_the_day_is_that_of_the_operators_buildings, |w: World| async move {
    let e = Estate::new(w).await;
    let now = e.w.clock.now().hour();
    let mut tx = e.w.db.begin().await.unwrap();
    let hour = |meter, ago, wh| Hour { meter, hour: now - ago, energy: Energy(wh) };
    let hours = [hour(e.here, 0, 7), hour(e.here, 1, 400), hour(e.there, 1, 50), hour(e.here, 24, 30), hour(e.here, 25, 9)];
    energy::add(&mut tx, &hours, &[], None).await.unwrap();
    tx.commit().await.unwrap();
    let seen = async |who| {
        let hours = e.console.site_hours(who).await.unwrap();
        hours.into_iter().map(|(at, energy)| (now - at.hour(), energy.0)).collect::<Vec<_>>()
    };
    assert_eq!(seen(&e.boss).await, [(24, 30), (1, 450)], "whole hours of the last day");
    assert_eq!(seen(&e.clerk).await, [(24, 30), (1, 400)]);
});

both!(an_operator_sees_only_their_buildings, |w: World| async move {
    let e = Estate::new(w).await;
    e.cash_desk.sell(&e.boss, &e.sale(e.here, 5_000)).await.unwrap();
    e.console.open_account(&e.boss, &e.opening(e.there)).await.unwrap();
    let mut tx = e.w.db.begin().await.unwrap();
    for meter in [e.here, e.there] {
        cases::open(&mut tx, &e.w.rng, e.w.clock.now(), Some(meter), None, &CaseDetail::Clock { off_s: Some(400), sets: 2 })
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();

    for (who, rooms) in [(&e.clerk, 1), (&e.boss, 2)] {
        let (all, none) = (AccountQuery::default(), AccountQuery { text: "2号楼".into(), ..AccountQuery::default() });
        assert_eq!(e.console.wall(who, "").await.unwrap().meters.len(), rooms);
        assert_eq!(e.console.meters(who, &MeterQuery::default()).await.unwrap().lines.len(), rooms);
        assert_eq!(e.console.accounts(who, &all).await.unwrap().total, rooms as i64);
        assert_eq!(e.console.cases(who, &CaseQuery::default()).await.unwrap().total, rooms as i64);
        assert_eq!(e.console.search(who, "2号楼 301", 0).await.unwrap().lines.len(), rooms - 1);
        assert_eq!(e.console.accounts(who, &none).await.unwrap().lines.len(), rooms - 1);
        assert_eq!(e.console.gateways(who).await.unwrap()[0].meters, rooms as i64);
    }
    for text in ["1号楼 301", "1号楼301", "1号楼3层301", "1-301"].map(str::to_owned) {
        let query = RecordQuery { kind: Some(RecordKind::Sale), text, ..RecordQuery::default() };
        let found = queries::records(&e.w.db, &RecordFilter::new(e.boss.user, &query), None, 10, 0).await.unwrap();
        assert_eq!(found.iter().map(|line| line.meter).collect::<Vec<_>>(), [Some(e.here)], "{}", query.text);
    }
    let gone = AppError::NotFound;
    assert_eq!(e.console.room(&e.clerk, e.there).await.unwrap_err(), gone);
    assert_eq!(e.cash_desk.sell(&e.clerk, &e.sale(e.there, 5_000)).await.unwrap_err(), gone);
    assert_eq!(e.console.read_now(&e.clerk, e.there).await.unwrap_err(), gone);
    let key = e.context.form_key();
    assert_eq!(e.console.set_mode(&e.clerk, e.there, ControlMode::ForcedOff, key).await.unwrap_err(), gone);
    let theirs = e.console.cases(&e.boss, &CaseQuery::default()).await.unwrap();
    let theirs = theirs.lines.iter().find(|case| case.meter == Some(e.there)).unwrap();
    assert_eq!(e.console.close_case(&e.clerk, theirs.id.into(), "looked").await.unwrap_err(), gone);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'mode'").await, 0);
});

both!(a_sale_sent_twice_is_one_sale, |w: World| async move {
    let e = Estate::new(w).await;
    let sale = e.sale(e.here, 6_320);
    let first = e.cash_desk.sell(&e.clerk, &sale).await.unwrap();
    assert_eq!(e.cash_desk.sell(&e.clerk, &sale).await.unwrap(), Once { is_repeated: true, ..first });
    assert_eq!(e.w.number("SELECT COUNT(*) FROM orders").await, 1);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'credit'").await, 1);

    let other = Sale { amount: Fen(100), ..sale };
    assert_eq!(e.cash_desk.sell(&e.clerk, &other).await.unwrap_err(), AppError::Conflict);
});

both!(sale_on_an_amount_that_moved_is_asked_again, |w: World| async move {
    let e = Estate::new(w).await;
    let seen = e.console.room(&e.clerk, e.here).await.unwrap().money_operations;
    let mine = Sale { seen: Some(seen), ..e.sale(e.here, 6_320) };
    let theirs = Sale { seen: Some(seen), ..e.sale(e.here, 1_000) };
    e.cash_desk.sell(&e.boss, &theirs).await.unwrap();
    assert_eq!(e.cash_desk.sell(&e.clerk, &mine).await.unwrap_err(), AppError::MoneyMoved);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM orders").await, 1, "nothing was sold on a figure that no longer held");
    e.cash_desk.sell(&e.boss, &theirs).await.expect("the same form sent twice is still one sale");

    let seen = e.console.room(&e.clerk, e.here).await.unwrap().money_operations;
    e.cash_desk.sell(&e.clerk, &Sale { seen: Some(seen), ..mine }).await.unwrap();
    assert_eq!(e.w.number("SELECT COUNT(*) FROM orders").await, 2);
});

both!(of_two_sales_confirmed_at_once_one_is_asked_again, |w: World| async move {
    let e = Estate::new(w).await;
    let seen = e.console.room(&e.clerk, e.here).await.unwrap().money_operations;
    let sale = |fen| Sale { seen: Some(seen), ..e.sale(e.here, fen) };
    let (mine, theirs) = (sale(6_320), sale(1_000));
    let (one, other) = tokio::join!(e.cash_desk.sell(&e.clerk, &mine), e.cash_desk.sell(&e.boss, &theirs));
    let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert_eq!(refused, [AppError::MoneyMoved]);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM orders").await, 1);
});

both!(a_form_sent_twice_at_once_is_one_sale, |w: World| async move {
    let e = Estate::new(w).await;
    let seen = e.console.room(&e.clerk, e.here).await.unwrap().money_operations;
    let sale = Sale { seen: Some(seen), ..e.sale(e.here, 6_320) };
    let (one, other) = tokio::join!(e.cash_desk.sell(&e.clerk, &sale), e.cash_desk.sell(&e.clerk, &sale));
    assert_eq!(one.expect("sold").id, other.expect("the same sale").id);
});

both!(a_mode_command_is_stored_once_and_its_progress_is_shown, |w: World| async move {
    let e = Estate::new(w).await;
    let key = e.context.form_key();
    e.console.set_mode(&e.clerk, e.here, ControlMode::ForcedOff, key).await.unwrap();
    e.console.set_mode(&e.clerk, e.here, ControlMode::ForcedOff, key).await.unwrap();
    let progress = e.console.room(&e.clerk, e.here).await.unwrap().progress;
    assert!(progress.is_moving());
    let [command] = &progress.commands[..] else { panic!("one decision: {progress:?}") };
    assert_eq!(command.what, CommandContent::Mode(ControlMode::ForcedOff));
    assert_eq!((command.state, command.by.as_deref()), (CommandState::Queued, Some("clerk")));
    assert_eq!(e.console.set_mode(&e.boss, e.there, ControlMode::Prepaid, key).await.unwrap_err(), AppError::Conflict);

    e.console.set_mode(&e.clerk, e.here, ControlMode::Prepaid, e.context.form_key()).await.unwrap();
    let progress = e.console.room(&e.clerk, e.here).await.unwrap().progress;
    assert_eq!(progress.commands[1].state, CommandState::Superseded, "superseded by the newer command");

    let lines = e.console.audit(&e.clerk, &AuditQuery { action: "meter.mode".into(), ..AuditQuery::default() }).await.unwrap();
    let (lines, names) = (lines.page, lines.names);
    assert_eq!(lines.total, 2, "a form sent twice is written down once");
    assert_eq!((names[&lines.lines[0].actor].as_str(), lines.lines[0].ip.as_str()), ("clerk", "10.0.0.5"));
    assert_eq!(lines.lines[0].place.as_ref().unwrap().1.to_string(), "1号楼 3层 301");
    assert!(audit::verify(&e.w.db).await.unwrap().broken_at.is_none());
});

both!(opening_an_account_sells_the_first_purchase, |w: World| async move {
    let e = Estate::new(w).await;
    let weak = ResidentRow { password: "short".into(), ..resident_to_add("张三", "zhangsan") };
    let weak = AccountOpening { residents: vec![weak], ..e.opening(e.there) };
    assert_eq!(e.console.open_account(&e.boss, &weak).await, Err(OpeningError::of(0, AppError::WeakPassword)));
    let opening = e.opening(e.there);
    e.console.open_account(&e.boss, &opening).await.unwrap();
    // Sent again, as after a crash that kept the answer back, it succeeded; anything else is another account.
    assert_eq!(e.console.open_account(&e.boss, &opening).await, Ok(()));
    let others = [
        AccountOpening { residents: vec![resident_to_add("李四", "lisi")], ..opening.clone() },
        AccountOpening {
            residents: vec![ResidentRow { password: "another one".into(), ..opening.residents[0].clone() }],
            ..opening.clone()
        },
        AccountOpening { first: Some(e.sale(e.there, 5_000)), ..opening.clone() },
        AccountOpening { first: None, ..opening.clone() },
    ];
    for other in others {
        assert_eq!(
            e.console.open_account(&e.boss, &other).await.map_err(|refused| refused.error),
            Err(AppError::AccountAlreadyOpen)
        );
    }
    assert_eq!(e.w.number("SELECT COUNT(*) FROM orders").await, 1);
    let room = e.console.room(&e.boss, e.there).await.unwrap();
    assert_eq!(room.account.unwrap().residents[0].login, "zhangsan");
    let kinds: Vec<_> = room.progress.commands.iter().map(|command| command.what.clone()).collect();
    assert_eq!(kinds, [CommandContent::Credit(Fen(5_000)), CommandContent::Open]);
    assert_eq!(room.days.len(), 14);
});

both!(opening_takes_several_meters_or_names_the_wrong_row, |w: World| async move {
    let e = Estate::new(w).await;
    let (second, far) = (e.w.meter(3).await, e.w.meter(4).await);
    run(&e.w, "UPDATE meters SET place_id = (SELECT place_id FROM meters WHERE id = $1) WHERE id = $2", &[e.there.0, second.0])
        .await;
    let opening = AccountOpening {
        also: vec![second],
        residents: vec![resident_to_add("张三", "zhangsan"), resident_to_add("李四", "lisi"), resident_to_add("王五", "wangwu")],
        ..e.opening(e.there)
    };
    // A meter of another room, and a login name that somebody has: nothing of it is stored.
    let elsewhere = AccountOpening { also: vec![second, far], ..opening.clone() };
    let taken = Some(FormRow::Meter(far));
    let refused = e.console.open_account(&e.boss, &elsewhere).await;
    assert_eq!(refused, Err(OpeningError { error: AppError::AccountAlreadyOpen, row: taken }));
    let mut double = opening.clone();
    double.residents[1].login = "resident1".into();
    assert_eq!(e.console.open_account(&e.boss, &double).await, Err(OpeningError::of(1, AppError::LoginTaken)));
    assert_eq!(e.w.number("SELECT COUNT(*) FROM accounts").await, 1, "the room that was there");

    e.console.open_account(&e.boss, &opening).await.unwrap();
    let account = e.console.room(&e.boss, second).await.unwrap().account.unwrap();
    assert_eq!(account.residents.len(), 3);
    assert_eq!(account.number, e.console.room(&e.boss, e.there).await.unwrap().account.unwrap().number);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'open'").await, 2, "each meter is told");
    let told = e.console.audit(&e.boss, &AuditQuery { action: "account.open".into(), ..AuditQuery::default() }).await.unwrap();
    let told = told.page;
    assert!(told.lines[0].detail.contains("wangwu") && told.lines[0].detail.contains(&second.0.to_string()), "{told:?}");
});

both!(the_audit_log_names_the_room_of_a_sale, |w: World| async move {
    let e = Estate::new(w).await;
    e.cash_desk.sell(&e.clerk, &e.sale(e.here, 5_000)).await.unwrap();
    let line = e
        .console
        .audit(&e.clerk, &AuditQuery { action: "sale".into(), ..AuditQuery::default() })
        .await
        .unwrap()
        .page
        .lines
        .remove(0);
    assert_eq!(line.place.unwrap().0, e.here);
    assert!(line.subject.starts_with("order:"));
});

both!(the_console_shows_the_latest_reading, |w: World| async move {
    let e = Estate::new(w).await;
    let now = e.w.clock.now();
    e.context.live.publish(Latest {
        observed_at: Some(now),
        status: StatusWord(0b11),
        remaining: Fen(777),
        ..Latest::unseen(e.here)
    });
    assert_eq!(e.console.room(&e.clerk, e.here).await.unwrap().progress.latest.remaining, Fen(777));
    assert_eq!(
        e.console.accounts(&e.clerk, &AccountQuery::default()).await.unwrap().lines[0].latest.as_ref().unwrap().remaining,
        Fen(777)
    );
    assert_eq!(e.console.meters(&e.clerk, &MeterQuery::default()).await.unwrap().lines[0].latest.observed_at, Some(now));
});

both!(a_case_keeps_its_resolution, |w: World| async move {
    let e = Estate::new(w).await;
    let order = e.cash_desk.sell(&e.clerk, &e.sale(e.here, 5_000)).await.unwrap().id;
    let mut tx = e.w.db.begin().await.unwrap();
    let at = e.w.clock.now();
    let (relay, delivery) = (RelayCase::default(), Box::new(DeliveryCase::new(HoldReason::Count)));
    cases::open(&mut tx, &e.w.rng, at, Some(e.here), None, &CaseDetail::Relay(relay)).await.unwrap();
    cases::open(&mut tx, &e.w.rng, at, Some(e.here), Some(order), &CaseDetail::Delivery(delivery)).await.unwrap();
    tx.commit().await.unwrap();
    run(&e.w, "UPDATE orders SET state = 'case' WHERE id = $1", &[order.0]).await;

    let open = e.console.room(&e.clerk, e.here).await.unwrap().cases;
    let of = |kind| open.iter().find(|case| case.detail.kind() == kind).unwrap().id;
    let closable: Vec<_> = open.iter().map(|case| (case.detail.kind(), case.closable)).collect();
    assert!(closable.contains(&(CaseKind::Relay, true)) && closable.contains(&(CaseKind::Delivery, false)), "{closable:?}");
    assert_eq!(e.console.close_case(&e.clerk, of(CaseKind::Relay).into(), "  ").await.unwrap_err(), AppError::Invalid);
    e.console.close_case(&e.clerk, of(CaseKind::Relay).into(), "换了继电器").await.unwrap();
    assert_eq!(e.console.close_case(&e.clerk, of(CaseKind::Relay).into(), "again").await.unwrap_err(), AppError::Conflict);
    assert_eq!(
        e.console.close_case(&e.clerk, of(CaseKind::Delivery).into(), "done").await.unwrap_err(),
        AppError::MoneyOpen,
        "money that waits for a person keeps its case"
    );
    assert_eq!(e.console.try_again(&e.clerk, of(CaseKind::Relay).into()).await.unwrap_err(), AppError::NotFound);
    run(&e.w, "UPDATE commands SET state = 'case' WHERE order_id = $1", &[order.0]).await;
    assert!(e.console.room(&e.clerk, e.here).await.unwrap().cases[0].held);
    e.console.try_again(&e.clerk, of(CaseKind::Delivery).into()).await.unwrap();
    assert_eq!(e.w.word("SELECT state FROM orders").await, "paid", "the money rule decides anew");
    assert_eq!(e.console.try_again(&e.clerk, of(CaseKind::Delivery).into()).await.unwrap_err(), AppError::NotFound);
    let closed = e.console.cases(&e.clerk, &CaseQuery { closed: true, ..CaseQuery::default() }).await.unwrap();
    let relay = closed.lines.iter().find(|case| case.detail.kind() == CaseKind::Relay).unwrap();
    assert_eq!((relay.resolution.as_deref(), relay.closed_by.as_deref()), (Some("换了继电器"), Some("clerk")));
});
