//! The operation log: filters, words, the file, and verification; on both databases.

use app::i18n::Lang;
use app::i18n::audit::{action, detail, subject};
use domain::clock::Clock;
use model::audit::{AuditAction, AuditPage, AuditQuery, Doer};
use model::case::CaseDetail;
use model::person::Role;
use model::time::{DAY, Timestamp};
use store::audit::Walked;
use store::{Db, audit, cases};
use story_support::refunding::uuid;
use story_support::site::Site;
use story_support::web::{Web, location};
use story_support::{World, both};
use uuid::Uuid;

async fn found(s: &Site, query: AuditQuery) -> AuditPage {
    queries::audit(&s.w.db, s.clerk, &query).await.unwrap()
}

both!(the_log_is_filtered_by_who_what_and_when, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let order = s.sell(0, 5_000).await.id;
    let all = found(&s, AuditQuery::default()).await;
    let sales = found(&s, AuditQuery { action: "sale".into(), ..AuditQuery::default() }).await;
    assert!(all.page.total > sales.page.total && sales.page.total == 1);
    assert!(sales.page.lines.iter().all(|line| line.action == AuditAction::SaleCreate.as_str()));
    let line = &sales.page.lines[0];
    let today = line.at.date();
    let by = |by| AuditQuery { by: Some(by), ..AuditQuery::default() };
    assert!(found(&s, by(Doer::Person(s.clerk))).await.page.lines.iter().any(|one| one.seq == line.seq));
    assert!(found(&s, by(Doer::System)).await.page.lines.iter().all(|one| one.actor == "system"));
    assert_eq!(found(&s, by(Doer::Channel)).await.page.total, 0);
    let about = AuditQuery { subject: format!("order:{order}"), ..AuditQuery::default() };
    assert!(found(&s, about).await.page.lines.iter().all(|one| one.subject == format!("order:{order}")));
    let number = s.w.number("SELECT number FROM orders").await;
    assert!(found(&s, AuditQuery { text: number.to_string(), ..AuditQuery::default() }).await.page.total >= 1);
    let during = |from, until| AuditQuery { from: Some(from), until: Some(until), ..AuditQuery::default() };
    assert_eq!(found(&s, during(today.plus(-1), today)).await.page.total, all.page.total);
    assert_eq!(found(&s, during(today.plus(1), today.plus(9))).await.page.total, 0);
});

/// Whether a text has an id in it that nobody reads.
fn has_id(text: &str) -> bool {
    let word = |c: char| !c.is_ascii_hexdigit() && c != '-';
    text.split(word).any(|word| Uuid::parse_str(word.trim_matches('-')).is_ok())
}

#[test]
fn an_id_is_found_wherever_it_is_written() {
    assert!(has_id("电表：01a21219a40070008978850c0cb20a3e，合计"));
    assert!(has_id("meter 01a21219-a400-7000-8978-85c0cb20a3e4."));
    assert!(!has_id("订单 2611230000000199，2026-11-29 01:09"));
}

both!(a_search_finds_all_that_belongs_to_the_rooms, |w: World| async move {
    let s = Site::new(w, 1, 60).await;
    for room in 0..60 {
        s.sell(room, 5_000).await;
    }
    let search = async |text: &str, action: &str| {
        let query = AuditQuery { text: text.into(), action: action.into(), ..AuditQuery::default() };
        found(&s, query).await.page
    };
    // Each place is called so.
    assert_eq!(search("Room", "sale.create").await.total, 60, "of however many meters");

    let (now, room) = (s.w.clock.now(), s.rooms[7]);
    let mut tx = s.w.db.begin().await.unwrap();
    let clock = CaseDetail::Clock { off_s: Some(400), sets: 2 };
    cases::open(&mut tx, &s.w.rng, now, Some(room.meter), None, &clock).await.unwrap();
    tx.commit().await.unwrap();
    let case = uuid(&s.w, "SELECT id FROM cases").await.simple().to_string();
    let mut tx = s.w.db.begin().await.unwrap();
    for subject in [format!("case:{case}"), format!("account:{}", room.account), format!("meter:{}", room.meter)] {
        let action = AuditAction::CaseComment;
        let entry = audit::Entry { actor: "system", ip: "", action, subject: &subject, detail: "{}" };
        audit::append(&mut tx, now, &entry).await.unwrap();
    }
    tx.commit().await.unwrap();
    let serial = s.w.word("SELECT m.serial FROM cases c JOIN meters m ON m.id = c.meter_id").await;
    assert_eq!(search(&serial, "case.comment").await.total, 3, "the case, the account and the meter");
    let sold = search(&serial, "sale.create").await;
    assert!(sold.lines.iter().any(|line| line.place.as_ref().is_some_and(|(meter, _)| *meter == room.meter)), "and its order");
    assert_eq!(search("no such room", "").await.total, 0);
});

both!(who_is_bound_to_buildings_reads_no_other_names, |w: World| async move {
    let web = Web::start(&w).await;
    let auditor = web.person(&w, Role::Auditor, "auditor").await;
    web.person(&w, Role::Admin, "boss").await;
    w.execute("UPDATE users SET name = '王总' WHERE login = 'boss'").await;
    let boss = uuid(&w, "SELECT id FROM users WHERE login = 'boss'").await.simple().to_string();
    let pages = ["/audit".to_owned(), format!("/audit?by=user:{boss}"), format!("/audit?about=user:{boss}")];
    for page in &pages {
        assert!(auditor.get(page).await.text().await.unwrap().contains("王总"), "{page}");
    }
    w.limit("auditor").await;
    for page in &pages {
        let page = auditor.get(page).await.text().await.unwrap();
        assert!(!page.contains("王总") && page.contains("只能看到自己的操作"), "{page}");
    }
});

both!(a_search_that_fits_too_many_meters_says_so, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.sell(0, 5_000).await;
    let of = async |text: &str| found(&s, AuditQuery { text: text.into(), ..AuditQuery::default() }).await;
    let room = s.w.word("SELECT name FROM places WHERE kind = 'room'").await;
    let page = of(&room).await;
    assert!(!page.is_too_wide && page.page.lines.iter().any(|line| line.action == "sale.create"), "{:?}", page.page);
    for unit in 2..=202 {
        s.w.meter(unit).await;
    }
    s.w.execute("UPDATE places SET name = 'wide ' || name WHERE kind = 'room'").await;
    let page = of("wide").await;
    assert!(page.is_too_wide && page.page.lines.is_empty(), "it is not silently less: {:?}", page.page);
});

both!(a_line_is_said_in_words, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.sell(0, 5_000).await;
    let page = found(&s, AuditQuery::default()).await;
    for line in &page.page.lines {
        for lang in [Lang::Zh, Lang::En] {
            let said = [
                action(&line.action, lang),
                subject(&line.subject, &page.names, lang),
                detail(line, &page.names, lang).unwrap_or_default(),
            ]
            .join(" ");
            assert!(!said.contains(['{', '"', '_']) && !has_id(&said), "{}: {said}", line.action);
        }
    }
    let sale = page.page.lines.iter().find(|line| line.action == "sale.create").unwrap();
    let said = detail(sale, &page.names, Lang::Zh).unwrap();
    assert!(said.contains("金额：50.00 元") && said.contains("付款方式：现金"), "{said}");
});

both!(the_log_is_exported_as_it_is_filtered, |w: World| async move {
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    web.person(&w, Role::Resident, "r101").await;
    w.execute("UPDATE users SET name = '=cmd()' WHERE login = 'boss'").await;
    let file = boss.get("/audit.csv?kind=session.open").await;
    assert!(file.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    let text = file.text().await.unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.starts_with('\u{feff}') && text.contains("'=cmd()") && text.contains("登录"), "{text}");
    assert_eq!(boss.get("/audit.csv?kind=payment").await.text().await.unwrap().lines().count(), 1);
    let page = boss.get("/audit?kind=session.open").await.text().await.unwrap();
    assert!(page.contains("/audit.csv?kind=session.open") && page.contains("selected"));
});

both!(the_log_verifies_itself_on_the_page, |w: World| async move {
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let answer = boss.post("/api/operator/audit/verify", "from=&until=").await;
    assert!(location(&answer).starts_with("/audit?verified="), "{}", location(&answer));
    let page = boss.get(location(&answer)).await.text().await.unwrap();
    assert!(page.contains("核验通过"), "{page}");
    assert!(boss.get("/audit").await.text().await.unwrap().contains("核验审计记录"), "it is a line itself");

    let guard = match w.db {
        Db::Sqlite { .. } => "DROP TRIGGER audit_no_update",
        Db::Postgres { .. } => "DROP TRIGGER audit_append_only ON audit",
    };
    w.by_hand(guard).await.unwrap();
    w.by_hand("UPDATE audit SET ip = '10.9.9.9' WHERE seq = 2").await.unwrap();
    let answer = boss.post("/api/operator/audit/verify", "from=&until=").await;
    let page = boss.get(location(&answer)).await.text().await.unwrap();
    assert!(page.contains("第 2 条与前一条不衔接"), "{page}");
    w.clock.advance(3 * DAY);
    let now = w.clock.now();
    let later = walk(&w, now, now.plus(DAY)).await;
    assert_eq!((later.last, later.broken_at), (0, None), "no lines on that day");
});

/// Walks the lines between two instants.
async fn walk(w: &World, from: Timestamp, until: Timestamp) -> Walked {
    audit::walk_range(&w.db, audit::Range { from, until, after: 0 }, &|| false).await.unwrap()
}

/// Lets lines be deleted, as whoever owns the database can.
async fn without_guard(w: &World) {
    let guard = match w.db {
        Db::Sqlite { .. } => "DROP TRIGGER audit_no_delete",
        Db::Postgres { .. } => "ALTER TABLE audit DISABLE TRIGGER audit_append_only",
    };
    w.by_hand(guard).await.unwrap();
}

/// A line a day from the next day on; the instant of the first.
async fn line_a_day(w: &World, days: usize) -> Timestamp {
    let who = story_support::closings::who(w.clerk().await);
    w.clock.advance(DAY);
    let start = w.clock.now();
    for _ in 0..days {
        audit::record_verification(&w.db, w.clock.now(), &who, &Default::default()).await.unwrap();
        w.clock.advance(DAY);
    }
    start
}

both!(a_part_of_the_chain_is_walked_from_the_line_before, |w: World| async move {
    let start = w.clock.now();
    let who = story_support::closings::who(w.clerk().await);
    for _ in 0..4 {
        audit::record_verification(&w.db, w.clock.now(), &who, &Default::default()).await.unwrap();
        w.clock.advance(DAY);
    }
    let walked = walk(&w, start.plus(DAY), start.plus(3 * DAY)).await;
    assert_eq!((walked.lines, walked.last - walked.first, walked.broken_at), (2, 1, None));
    let all = walk(&w, start, w.clock.now()).await;
    assert_eq!((all.broken_at, all.lines), (None, all.last - all.first + 1));
    without_guard(&w).await;
    w.by_hand(&format!("DELETE FROM audit WHERE seq = {}", all.last - 1)).await.unwrap();
    let cut = walk(&w, start, w.clock.now()).await;
    assert_eq!(cut.broken_at, Some(all.last - 1));
});

both!(lines_that_are_missing_at_the_ends_of_a_range_are_noticed, |w: World| async move {
    let start = line_a_day(&w, 6).await;
    let day = |n: i64| start.plus(n * DAY);
    let (from, until) = (day(1), day(4));
    let Walked { first, last, .. } = walk(&w, from, until).await;
    assert_eq!((last - first, walk(&w, from, until).await.broken_at), (2, None));
    without_guard(&w).await;
    let broken = async |line: i64, from, until| {
        w.by_hand(&format!("DELETE FROM audit WHERE seq = {line}")).await.unwrap();
        walk(&w, from, until).await.broken_at
    };
    assert_eq!(broken(last, from, until).await, Some(last), "the range's last line");
    assert_eq!(broken(first, from, until).await, Some(first), "its first one");
    // A day of which nothing is left.
    assert_eq!(walk(&w, day(1), day(2)).await, Walked { broken_at: Some(first), ..Walked::default() });
    assert_eq!(walk(&w, day(4), day(5)).await.broken_at, Some(last), "the line before is not there");
    assert_eq!(walk(&w, day(0), day(1)).await.broken_at, Some(first), "nor the one that follows");
    let newest = walk(&w, day(5), day(6)).await.last;
    assert_eq!(broken(newest, day(5), day(6)).await, Some(newest), "the newest, which the head knows");
    assert_eq!(walk(&w, day(7), day(8)).await.broken_at, Some(newest), "also for days without lines");
});

both!(a_verification_that_is_late_says_where_to_go_on, |w: World| async move {
    let (who, now) = (story_support::closings::who(w.clerk().await), w.clock.now());
    let mut tx = w.db.begin().await.unwrap();
    let actor = format!("user:{}", who.user);
    for _ in 0..1_500 {
        let (action, subject) = (AuditAction::AuditVerify, "site");
        let entry = audit::Entry { actor: &actor, ip: "", action, subject, detail: "{}" };
        audit::append(&mut tx, now, &entry).await.unwrap();
    }
    tx.commit().await.unwrap();
    let range = audit::Range { from: now, until: now.plus(DAY), after: 0 };
    let part = audit::walk_range(&w.db, range, &|| true).await.unwrap();
    assert!((1..part.last - part.first).contains(&part.lines) && part.broken_at.is_none(), "{part:?}");
    let after = part.first + part.lines - 1;
    let rest = audit::walk_range(&w.db, audit::Range { after, ..range }, &|| false).await.unwrap();
    let lines = part.last - after;
    assert_eq!(rest, Walked { first: after + 1, last: part.last, lines, broken_at: None });

    // The page offers it.
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let found = model::audit::Verification { first_line: part.first, last_line: part.last, checked: 1_000, ..Default::default() };
    let line = audit::record_verification(&w.db, now, &who, &found).await.unwrap();
    let page = boss.get(&format!("/audit?verified={line}")).await.text().await.unwrap();
    let next = part.first + 1_000;
    assert!(page.contains(&format!("从第 {next} 条继续核验")), "{page}");
    let answer = boss.post("/api/operator/audit/verify", &format!("from=&until=&after={}", next - 1)).await;
    let page = boss.get(location(&answer)).await.text().await.unwrap();
    assert!(page.contains(&format!("第 {next} ")) && page.contains("核验通过"), "{page}");
});
