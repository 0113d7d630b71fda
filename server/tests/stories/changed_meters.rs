//! What nobody here commanded shows in a meter: another account, none, or another mode; on both databases.

use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use domain::order::Limits;
use model::error::AppError;
use model::issue::Issue;
use model::meter::ControlMode;
use model::money::Fen;
use model::order::Tender;
use model::person::Role;
use simulator::{LineFault, OneTimeFault};
use store::orders::{self, NewOrder};
use story_support::site::{SOON, Site, until};
use story_support::web::Web;
use story_support::{World, both};

const OPEN: &str = "SELECT COUNT(*) FROM cases WHERE kind = 'meter-changed' AND closed_at IS NULL";
const MENDED: &str = "SELECT COUNT(*) FROM cases WHERE kind = 'meter-changed' AND resolution = 'mended'";

async fn try_to_sell(s: &Site, room: usize) -> Result<(), AppError> {
    let at = SystemClock.now();
    let (account, meter) = (s.rooms[room].account, s.rooms[room].meter);
    let (key, amount, tender) = (s.w.rng.id(at), Fen(1_000), Tender::Cash);
    let new = NewOrder { key, account, meter, tender, amount, by: s.clerk, ip: String::new() };
    orders::sell(&s.w.db, &s.w.rng, at, &Limits::default(), &new).await.map(drop).map_err(AppError::from)
}

both!(an_account_closed_by_nobody_is_a_case_and_ends_sales, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    let engine = s.start().await;
    until(SOON, "all meters", || async { s.w.number("SELECT COUNT(DISTINCT meter_id) FROM readings").await == 2 }).await;
    assert_eq!(try_to_sell(&s, 1).await, Ok(()));
    s.settled(SOON).await;
    s.meter(0, 1).inject(OneTimeFault::AccountClosed).await.unwrap();
    until(SOON, "the case", || async { s.w.number(OPEN).await == 1 }).await;
    assert_eq!(try_to_sell(&s, 0).await, Err(AppError::MeterChanged));
    assert_eq!(try_to_sell(&s, 1).await, Ok(()), "its neighbour is as it was");
    s.settled(SOON).await;
    engine.stop().await;
    assert!(s.w.word("SELECT detail FROM cases").await.contains(r#""account":"""#));
    let web = Web::start(&s.w).await;
    let person = web.person(&s.w, Role::Manager, "porter").await;
    let text = person.get(&format!("/rooms/{}", s.rooms[0].meter)).await.text().await.unwrap();
    assert!(text.contains("电表里没有账户") && !text.contains("电表里有外来账户"), "{text}");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 1, "once, and nothing else");
});

both!(another_account_in_the_meter_is_a_case, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let engine = s.start().await;
    until(SOON, "a reading", || async { s.w.number("SELECT COUNT(*) FROM readings").await > 0 }).await;
    s.meter(0, 1).inject(OneTimeFault::AccountOpened { number: "1111222233334444".parse().unwrap() }).await.unwrap();
    until(SOON, "the case", || async { s.w.number(OPEN).await == 1 }).await;
    assert_eq!(try_to_sell(&s, 0).await, Err(AppError::MeterChanged));
    engine.stop().await;
    assert!(s.w.word("SELECT detail FROM cases").await.contains("1111222233334444"));
    // What is refused is not offered for confirmation; its mode can be set.
    let web = Web::start(&s.w).await;
    let person = web.person(&s.w, Role::Manager, "porter").await;
    let asked = async |query: &str| person.get(&format!("/rooms/{}?{query}", s.rooms[0].meter)).await.text().await.unwrap();
    for query in ["do=sale&amount=50&tender=cash", "do=return&amount=5&tender=cash&reason=x", "do=close&tender=cash&reason=x"] {
        let text = asked(query).await;
        assert!(!text.contains("card confirm") && text.contains("电表里的账户与账本不一致"), "{query}: {text}");
    }
    assert!(asked("do=guaranteed").await.contains("card confirm"));
});

both!(an_open_case_follows_what_the_meter_shows_now, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let engine = s.start().await;
    until(SOON, "a reading", || async { s.w.number("SELECT COUNT(*) FROM readings").await > 0 }).await;
    s.meter(0, 1).inject(OneTimeFault::AccountClosed).await.unwrap();
    until(SOON, "the case", || async { s.w.number(OPEN).await == 1 }).await;
    for number in ["1111222233334444", "5555666677778888"] {
        s.meter(0, 1).inject(OneTimeFault::AccountOpened { number: number.parse().unwrap() }).await.unwrap();
        until(SOON, number, || async { s.w.word("SELECT detail FROM cases").await.contains(number) }).await;
    }
    // Nothing more while it stays so, and what was found before is in the log.
    tokio::time::sleep(Duration::from_millis(600)).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 1);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'case.follow'").await, 2);
    let last = s.w.word("SELECT detail FROM audit WHERE action = 'case.follow' ORDER BY seq DESC LIMIT 1").await;
    assert!(last.contains("1111222233334444") && last.contains("5555666677778888"), "{last}");
});

both!(an_account_that_its_meter_lost_can_be_closed, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let engine = s.start().await;
    until(SOON, "a reading", || async { s.w.number("SELECT COUNT(*) FROM readings").await > 0 }).await;
    s.meter(0, 1).inject(OneTimeFault::AccountClosed).await.unwrap();
    until(SOON, "the case", || async { s.w.number(OPEN).await == 1 }).await;
    engine.stop().await;
    let web = Web::start(&s.w).await;
    let person = web.person(&s.w, Role::Manager, "porter").await;
    let page = format!("/rooms/{}", s.rooms[0].meter);
    let text = person.get(&page).await.text().await.unwrap();
    assert!(text.contains("请在下方销户") && text.contains("value=\"close\""), "{text}");
    let text = person.get(&format!("{page}?do=close&tender=cash&reason=x")).await.text().await.unwrap();
    assert!(text.contains("card confirm"), "{text}");
});

both!(a_mode_set_by_nobody_is_a_case_until_it_is_set_back, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    let engine = s.start().await;
    until(SOON, "all meters", || async { s.w.number("SELECT COUNT(*) FROM meters WHERE mode = 'prepaid'").await == 2 }).await;
    // What is commanded here is no case.
    s.command(s.meters[1], Issue::Mode(ControlMode::Guaranteed)).await;
    engine.wake();
    s.settled(SOON).await;
    s.meter(0, 1).inject(OneTimeFault::ModeSet { mode: ControlMode::ForcedOff }).await.unwrap();
    until(SOON, "the case", || async { s.w.number(OPEN).await == 1 }).await;
    assert_eq!(try_to_sell(&s, 0).await, Ok(()), "the account is right");
    s.command(s.meters[0], Issue::Mode(ControlMode::Prepaid)).await;
    engine.wake();
    s.settled(SOON).await;
    until(SOON, "the end of the case", || async { s.w.number(MENDED).await == 1 }).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 1);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM meters WHERE mode = 'guaranteed'").await, 1);
});

both!(a_position_that_agrees_again_ends_its_case, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.w.execute("UPDATE account_meters SET cumulative_fen = 100").await;
    let engine = s.start().await;
    until(SOON, "the case", || async { s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'meter-differs'").await == 1 }).await;
    engine.stop().await;
    s.w.execute("UPDATE account_meters SET cumulative_fen = 0").await;
    let engine = s.start().await;
    let mended = "SELECT COUNT(*) FROM cases WHERE kind = 'meter-differs' AND resolution = 'mended'";
    until(SOON, "the end of the case", || async { s.w.number(mended).await == 1 }).await;
    engine.stop().await;
});

both!(shifted_and_late_answers_open_no_case_about_a_meter, |w: World| async move {
    let s = Site::new(w, 1, 4).await;
    for unit in 1..=4 {
        s.meter(0, unit).fault(LineFault::ShiftedAnswer, 0.1).unwrap();
        s.meter(0, unit).fault(LineFault::BadCheck, 0.1).unwrap();
    }
    let engine = s.start().await;
    for n in 0..8 {
        s.sell(n % 4, 1_000).await;
        engine.wake();
    }
    s.settled(Duration::from_secs(60)).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
});
