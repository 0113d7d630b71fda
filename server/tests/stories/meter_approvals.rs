//! Dead ends about a meter end with a second person: a foreign account is closed, and the books are corrected; on both databases.

use std::time::Duration;

use crate::readings::state;
use domain::clock::{Clock, SystemClock};
use domain::meter_state::StateBlock;
use domain::order::Limits;
use domain::returns::Rules;
use domain::wall_layout::Scope;
use meters::GatewayHandle;
use model::approval::{Decision, Outcome};
use model::case::{DeliveryCase, HoldReason};
use model::error::AppError;
use model::ids::{ApprovalId, MeterId, UserId};
use model::meter::{ControlMode, StatusWord};
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::permission::Permissions;
use model::person::{Role, Who};
use simulator::{Defect, OneTimeFault};
use store::accounts::{self, NewResident, OpenAccount};
use store::approvals::{self, NewRequest};
use store::deliveries;
use store::orders::{self, NewOrder};
use store::users::{self, NewUser};
use story_support::closings;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

fn person(user: UserId, role: Role) -> Who {
    Who { user, role, permissions: Permissions::of(role), name: "somebody".into(), ip: "10.0.0.5".into() }
}

/// The one who asks, and the second person.
async fn people(s: &Site) -> [Who; 2] {
    let user = NewUser { role: Role::Admin, login: "boss", name: "boss", password_hash: "x", buildings: &Scope::All };
    let boss = users::create(&s.w.db, &s.w.rng, SystemClock.now(), &user, "test").await.unwrap();
    [person(s.clerk, Role::Manager), person(boss, Role::Admin)]
}

async fn ask(s: &Site, engine: &GatewayHandle, who: &Who, decision: &Decision) -> Result<Outcome, AppError> {
    let seen = engine.read_state(decision.meter().unwrap()).await.unwrap();
    let new = NewRequest { decision: decision.clone(), reason: "found on site".into(), who: who.clone() };
    let asked = approvals::ask(&s.w.db, &s.w.rng, SystemClock.now(), &Rules::default(), &new, Some(&seen)).await;
    asked.map_err(AppError::from)
}

async fn approve(s: &Site, engine: &GatewayHandle, who: &Who, id: ApprovalId, meter: MeterId) -> Result<(), AppError> {
    let seen = engine.read_state(meter).await.unwrap();
    approvals::approve(&s.w.db, &s.w.rng, SystemClock.now(), who, id, Some(&seen)).await.map_err(AppError::from)
}

async fn waiting(s: &Site, who: &Who) -> Vec<ApprovalId> {
    let lines = queries::approval_requests(&s.w.db, who.user, SystemClock.now()).await.unwrap();
    lines.into_iter().map(|line| line.id).collect()
}

async fn open(s: &Site, meter: MeterId) {
    let resident = NewResident { name: "x".into(), login: "x".into(), password_hash: String::new() };
    let (also, housemates, ip) = (Vec::new(), Vec::new(), String::new());
    let new = OpenAccount { number: None, meter, also, resident, housemates, first: None, by: s.clerk, ip };
    accounts::open(&s.w.db, &s.w.rng, SystemClock.now(), &Limits::default(), &new).await.unwrap();
}

both!(a_foreign_account_is_closed_and_the_meter_opened, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| {
        for (_, meter) in sim.estate.meters_mut() {
            meter.account = None;
        }
    })
    .await;
    let [clerk, boss] = people(&s).await;
    let meter = s.meters[0];
    s.meter(0, 1).inject(OneTimeFault::AccountOpened { number: "1111222233334444".parse().unwrap() }).await.unwrap();
    s.meter(0, 1).inject(OneTimeFault::Credited { amount: 4_200 }).await.unwrap();
    let engine = s.start().await;
    let cases = "SELECT COUNT(*) FROM cases WHERE kind = 'meter-changed' AND closed_at IS NULL";
    until(SOON, "the case", || async { s.w.number(cases).await == 1 }).await;
    let [close, other] = [meter, s.meters[1]].map(|meter| Decision::CloseForeign { meter });
    assert_eq!(ask(&s, &engine, &clerk, &other).await, Err(AppError::Conflict), "nothing is foreign there");
    assert_eq!(ask(&s, &engine, &clerk, &close).await, Ok(Outcome::Waits));
    assert_eq!(ask(&s, &engine, &clerk, &close).await, Ok(Outcome::Waits), "asked twice it is one request");
    assert_eq!(ask(&s, &engine, &boss, &close).await, Err(AppError::Conflict), "one waits");
    assert_eq!(waiting(&s, &boss).await.len(), 1);
    let id = waiting(&s, &boss).await[0];
    assert_eq!(approve(&s, &engine, &clerk, id, meter).await, Err(AppError::SecondPerson));
    assert_eq!(s.view(0, 1).remaining, 4_200, "nothing is sent before");
    assert_eq!(approve(&s, &engine, &boss, id, meter).await, Ok(()));
    assert_eq!(approve(&s, &engine, &boss, id, meter).await, Err(AppError::Conflict), "once");
    engine.wake();
    s.settled(SOON).await;
    assert_eq!(s.view(0, 1).account, None);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'close_foreign' AND state = 'done'").await, 1);
    assert!(s.w.word("SELECT detail FROM audit WHERE action = 'account.foreign-closed'").await.contains("4200"));
    assert!(s.w.number("SELECT COUNT(*) FROM meter_journal WHERE amount_fen = 4200").await >= 1, "its journal was kept");
    assert_eq!(s.w.number(cases).await, 0);
    open(&s, meter).await;
    engine.wake();
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM accounts WHERE state = 'open'").await, 1);
    assert!(s.view(0, 1).account.is_some());
});

// Whatever its own rule is; the account before may have left both otherwise.
both!(an_opening_leaves_the_meter_prepaid_and_switched_on, |w: World| async move {
    let s = Site::with(w, 1, 1, |sim| sim.estate.meters_mut().for_each(|(_, meter)| meter.account = None)).await;
    s.meter(0, 1).defect(Defect::KeepsControl, true).await.unwrap();
    s.meter(0, 1).inject(OneTimeFault::ModeSet { mode: ControlMode::Guaranteed }).await.unwrap();
    s.meter(0, 1).inject(OneTimeFault::SwitchSet { on: false }).await.unwrap();
    open(&s, s.meters[0]).await;
    let engine = s.start().await;
    s.settled(SOON).await;
    engine.stop().await;
    let view = s.view(0, 1);
    assert!(view.account.is_some());
    assert_eq!((view.mode, StatusWord(view.status).user_switch_off()), (ControlMode::Prepaid, false));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM meters WHERE mode = 'prepaid'").await, 1);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
});

both!(a_closure_leaves_the_meter_prepaid_and_switched_on, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.meter(0, 1).defect(Defect::KeepsControl, true).await.unwrap();
    s.meter(0, 1).inject(OneTimeFault::ModeSet { mode: ControlMode::Guaranteed }).await.unwrap();
    s.meter(0, 1).inject(OneTimeFault::SwitchSet { on: false }).await.unwrap();
    let engine = s.start().await;
    let id = closings::begin(&s.w, SystemClock.now(), s.clerk, s.rooms[0].account, closings::CASH).await.unwrap();
    closings::read(&s, &engine, id).await;
    engine.stop().await;
    let view = s.view(0, 1);
    assert_eq!((view.account, view.mode, view.relay_closed), (None, ControlMode::Prepaid, false));
    assert!(!StatusWord(view.status).user_switch_off());
});

both!(the_books_are_corrected_to_the_meter_by_two_people, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let [clerk, boss] = people(&s).await;
    let meter = s.meters[0];
    let first = s.sell(0, 1_000).await;
    let engine = s.start().await;
    until(SOON, "the sale", || async { s.order(&first).await.count == Some(1) }).await;
    let correct = Decision::Adjustment { meter };
    assert_eq!(ask(&s, &engine, &clerk, &correct).await, Err(AppError::Conflict), "nothing differs");
    s.meter(0, 1).inject(OneTimeFault::Credited { amount: 300 }).await.unwrap();
    let open = "SELECT COUNT(*) FROM cases WHERE kind = 'meter-differs' AND closed_at IS NULL";
    until(SOON, "the case", || async { s.w.number(open).await == 1 }).await;
    assert_eq!(ask(&s, &engine, &clerk, &correct).await, Ok(Outcome::Waits));
    let id = waiting(&s, &boss).await[0];
    // The meter moves on meanwhile: what was asked for does not hold any more.
    s.meter(0, 1).inject(OneTimeFault::Credited { amount: 200 }).await.unwrap();
    assert_eq!(approve(&s, &engine, &boss, id, meter).await, Err(AppError::StaleMeter));
    approvals::reject(&s.w.db, SystemClock.now(), &boss, id, "it was credited again").await.unwrap();
    assert_eq!(ask(&s, &engine, &clerk, &correct).await, Ok(Outcome::Waits));
    let id = waiting(&s, &boss).await[0];
    assert_eq!(approve(&s, &engine, &clerk, id, meter).await, Err(AppError::SecondPerson));
    assert_eq!(approve(&s, &engine, &boss, id, meter).await, Ok(()));
    assert_eq!(s.w.number(open).await, 0);
    let posted = "SELECT amount_e4 FROM ledger_transfers WHERE operation = 'adjustment'";
    assert_eq!(s.w.number(posted).await, Fen(500).money().0);
    // The next purchase goes on from the count in the meter.
    let next = s.sell(0, 700).await;
    engine.wake();
    until(SOON, "the next sale", || async { s.order(&next).await.count == Some(4) }).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    engine.stop().await;
    assert_eq!(s.w.number(open).await, 0);
    assert_eq!(s.view(0, 1).cumulative, 2_200);
    s.prove().await;
});

// The command says how the books follow: after a correction it would count a second time.
both!(books_are_not_corrected_past_an_applied_held_command, |w: World| async move {
    let (room, clerk, now) = (w.room(1).await, w.clerk().await, w.clock.now());
    let (key, ip) = (w.rng.id(now), String::new());
    let (account, meter, tender, amount) = (room.account, room.meter, Tender::Cash, Fen(1_000));
    let sale = NewOrder { key, account, meter, tender, amount, by: clerk, ip };
    let order = orders::sell(&w.db, &w.rng, now, &Limits::default(), &sale).await.unwrap();
    let command = deliveries::next(&w.db, meter, now).await.unwrap().unwrap();
    let claim = deliveries::claim(&w.db, &command).await.unwrap().claimed().unwrap();
    deliveries::begin_send(&w.db, now, &command).await.unwrap();
    let case = Box::new(DeliveryCase::new(HoldReason::Count));
    deliveries::hold(&w.db, &w.rng, now, &command, None, case).await.unwrap();
    let number = u64::try_from(order.number).unwrap();
    let seen = StateBlock {
        account: "2611230000000001".parse().unwrap(),
        status: StatusWord(0b11),
        count: u16::try_from(claim.count).unwrap(),
        last_order: number,
        ..state()
    };
    let ask = async |seen: &StateBlock| {
        let decision = Decision::Adjustment { meter };
        let new = NewRequest { decision, reason: "表里多了".into(), who: person(clerk, Role::Manager) };
        approvals::ask(&w.db, &w.rng, now, &Rules::default(), &new, Some(seen)).await.map_err(AppError::from)
    };
    assert_eq!(ask(&seen).await, Err(AppError::HeldCommandApplied));
    let others = StateBlock { last_order: number + 1, ..seen };
    assert_eq!(ask(&others).await, Ok(Outcome::Waits), "somebody else's purchase has its count");
    // The request was made before the meter applied the command.
    let boss = w.admin("boss").await;
    let id = queries::approval_requests(&w.db, boss.user, now).await.unwrap()[0].id;
    let approved = approvals::approve(&w.db, &w.rng, now, &boss, id, Some(&seen)).await.map_err(AppError::from);
    assert_eq!(approved, Err(AppError::HeldCommandApplied));
});

both!(a_held_command_goes_on_from_the_corrected_books, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let [clerk, boss] = people(&s).await;
    let meter = s.meters[0];
    // Somebody else credits the meter while a sale waits for it: the count of the sale is taken.
    s.meter(0, 1).inject(OneTimeFault::Credited { amount: 300 }).await.unwrap();
    let sale = s.sell(0, 1_000).await;
    let engine = s.start().await;
    until(SOON, "the case", || async { s.order(&sale).await.state == OrderState::Case }).await;
    let held = s.held_command().await;
    let decision = deliveries::Decision { by: s.clerk, ip: "", at: SystemClock.now(), seen: None };
    let correct = Decision::Adjustment { meter };
    assert_eq!(ask(&s, &engine, &clerk, &correct).await, Ok(Outcome::Waits));
    let id = waiting(&s, &boss).await[0];
    assert_eq!(approve(&s, &engine, &boss, id, meter).await, Ok(()));
    deliveries::try_again(&s.w.db, held, &decision).await.unwrap();
    engine.wake();
    until(SOON, "the sale", || async { s.order(&sale).await.count == Some(2) }).await;
    engine.stop().await;
    assert_eq!(s.view(0, 1).cumulative, 1_300);
    s.prove().await;
});
