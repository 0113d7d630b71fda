//! Cases as operators work on them: taken, discussed, due, and closed together.

use std::time::Duration;

use app::api::cases::CasesPort;
use domain::clock::Clock;
use model::case::{CaseDetail, CaseKind, HeldReadingReason, ReadingCase, RelayCase};
use model::console::{CaseOwner, CaseQuery, CaseStep, SeenCase};
use model::error::AppError;
use model::order::Tender;
use model::person::{Role, Who};
use model::time::DAY;
use store::{Db, cases};
use story_support::web::{Web, location};
use story_support::{World, bind, both};

use super::operator::Estate;

both!(a_case_is_taken_discussed_and_closed_by_several, |w: World| async move {
    let e = Estate::new(w).await;
    e.w.execute("UPDATE users SET role = 'manager' WHERE login = 'clerk'").await;
    let mut tx = e.w.db.begin().await.unwrap();
    let at = e.w.clock.now();
    let clock = CaseDetail::Clock { off_s: Some(400), sets: 2 };
    cases::open(&mut tx, &e.w.rng, at, Some(e.here), None, &CaseDetail::Relay(RelayCase::default())).await.unwrap();
    cases::open(&mut tx, &e.w.rng, at, Some(e.here), None, &clock).await.unwrap();
    cases::open(&mut tx, &e.w.rng, at, Some(e.there), None, &clock).await.unwrap();
    tx.commit().await.unwrap();
    let list = async |who: &Who, query: CaseQuery| e.console.cases(who, &query).await.unwrap().lines;
    let all = list(&e.boss, CaseQuery::default()).await;
    let [relay, ..] = &all[..] else { panic!("{all:?}") };
    assert_eq!((relay.detail.kind(), relay.due_at), (CaseKind::Relay, at.plus(DAY)), "what is due first stands first");
    let there = all.iter().find(|case| case.meter == Some(e.there)).unwrap().id;
    let here = all.iter().find(|case| case.meter == Some(e.here) && case.id != relay.id).unwrap().id;

    // Who may not see a case neither takes nor discusses it, and it is not handed to them.
    assert_eq!(
        e.console.assign_cases(&e.clerk, &[relay.id.into(), there.into()], Some(e.clerk.user)).await,
        Err(AppError::NotFound)
    );
    assert_eq!(e.console.comment_case(&e.clerk, there, "hello").await, Err(AppError::NotFound));
    assert_eq!(e.console.assign_cases(&e.boss, &[there.into()], Some(e.clerk.user)).await, Err(AppError::NotFound));
    assert_eq!(e.console.case(&e.clerk, there).await, Err(AppError::NotFound));
    let nobodys = CaseQuery { owner: Some(CaseOwner::Nobody), ..CaseQuery::default() };
    assert_eq!(list(&e.clerk, nobodys.clone()).await.len(), 2, "all or none");
    e.console.assign_cases(&e.clerk, &[relay.id.into()], Some(e.clerk.user)).await.unwrap();
    let mine = list(&e.clerk, CaseQuery { owner: Some(CaseOwner::Mine), ..CaseQuery::default() }).await;
    assert_eq!(mine.iter().map(|case| case.id).collect::<Vec<_>>(), [relay.id]);
    assert_eq!(list(&e.boss, CaseQuery { owner: Some(CaseOwner::Mine), ..CaseQuery::default() }).await, []);

    e.console.comment_case(&e.boss, relay.id, "the electrician comes at noon").await.unwrap();
    assert_eq!(e.console.comment_case(&e.boss, relay.id, " ").await, Err(AppError::Invalid));
    assert_eq!(e.console.set_case_due(&e.boss, relay.id.into(), at.plus(-1)).await, Err(AppError::Invalid));
    e.console.set_case_due(&e.boss, relay.id.into(), at.plus(2 * DAY)).await.unwrap();
    e.console.assign_cases(&e.boss, &[relay.id.into()], None).await.unwrap();
    let steps: Vec<_> =
        e.console.case(&e.clerk, relay.id).await.unwrap().notes.into_iter().map(|note| (note.by, note.step)).collect();
    let by = |who: &Who, step| (Some(who.name.clone()), step);
    let said = CaseStep::Comment("the electrician comes at noon".into());
    let taken = CaseStep::Owner(Some("clerk".into()));
    let due = CaseStep::Due(at.plus(2 * DAY));
    assert_eq!(steps, [by(&e.clerk, taken), by(&e.boss, said), by(&e.boss, due), by(&e.boss, CaseStep::Owner(None))]);

    e.w.clock.advance(3 * DAY);
    let overdue = CaseQuery { overdue: true, ..CaseQuery::default() };
    assert_eq!(list(&e.boss, overdue).await.iter().map(|case| case.id).collect::<Vec<_>>(), [relay.id]);
    let clocks = CaseQuery { kind: Some(CaseKind::Clock), text: "2号楼 301".into(), ..CaseQuery::default() };
    assert_eq!(list(&e.boss, clocks).await.iter().map(|case| case.id).collect::<Vec<_>>(), [there]);

    assert_eq!(e.console.close_cases(&e.boss, &[], "done").await, Err(AppError::Invalid));
    e.console.close_case(&e.boss, here.into(), "set by hand").await.unwrap();
    assert_eq!(
        e.console.close_cases(&e.boss, &[relay.id.into(), there.into(), here.into()], "done").await,
        Err(AppError::Conflict)
    );
    assert_eq!(list(&e.boss, CaseQuery::default()).await.len(), 2, "all or none");
    e.console.close_cases(&e.boss, &[relay.id.into(), there.into()], "done").await.unwrap();
    assert_eq!(e.console.comment_case(&e.boss, relay.id, "late").await, Err(AppError::Conflict));
    assert_eq!(e.console.case(&e.boss, relay.id).await.unwrap().line.closed_by.as_deref(), Some("boss"));
});

both!(case_is_not_taken_over_from_a_stale_page, |w: World| async move {
    let e = Estate::new(w).await;
    e.w.execute("UPDATE users SET role = 'manager' WHERE login = 'clerk'").await;
    let mut tx = e.w.db.begin().await.unwrap();
    cases::open(&mut tx, &e.w.rng, e.w.clock.now(), Some(e.here), None, &CaseDetail::Relay(RelayCase::default())).await.unwrap();
    tx.commit().await.unwrap();
    let shown = e.console.cases(&e.boss, &CaseQuery::default()).await.unwrap().lines.remove(0);
    assert_eq!((shown.steps, shown.owner.clone()), (0, None), "nobody's on both pages");
    let seen = [SeenCase { case: shown.id, steps: Some(shown.steps) }];
    e.console.assign_cases(&e.boss, &seen, Some(e.boss.user)).await.unwrap();
    assert_eq!(e.console.assign_cases(&e.clerk, &seen, Some(e.clerk.user)).await, Err(AppError::CaseMoved));
    assert_eq!(e.console.close_cases(&e.clerk, &seen, "done").await, Err(AppError::CaseMoved));
    let now = e.console.case(&e.clerk, shown.id).await.unwrap().line;
    assert_eq!(now.owner.map(|(_, name)| name).as_deref(), Some("boss"));

    // Over the web the page comes back: it says who has it, and lets them take it over by name.
    let web = Web::start(&e.w).await;
    let other = web.person(&e.w, Role::Admin, "other").await;
    let form = format!("case={}&owner={}&seen=0", shown.id, e.clerk.user);
    let answer = other.post("/api/operator/cases/assign", &form).await;
    assert!(location(&answer).contains("e=case-moved"), "{}", location(&answer));
    let page = other.get(location(&answer)).await.text().await.unwrap();
    assert!(page.contains("boss") && page.contains(r#"name="seen" value="1""#), "{page}");
    let form = format!("case={}&resolution=done&seen=0", shown.id);
    let answer = other.post("/api/operator/close-case", &form).await;
    assert!(location(&answer).contains("e=case-moved"), "{}", location(&answer));
    let page = other.get(location(&answer)).await.text().await.unwrap();
    assert!(page.contains(r#"value="done""#), "what was typed stays: {page}");
    let answer = other.post("/api/operator/close-case", &form.replace("seen=0", "seen=1")).await;
    assert!(!location(&answer).contains("e="), "{}", location(&answer));
});

both!(a_case_is_not_handed_to_who_is_just_disabled, |w: World| async move {
    let e = Estate::new(w).await;
    e.w.execute("UPDATE users SET role = 'manager' WHERE login = 'clerk'").await;
    let mut tx = e.w.db.begin().await.unwrap();
    cases::open(&mut tx, &e.w.rng, e.w.clock.now(), Some(e.here), None, &CaseDetail::Relay(RelayCase::default())).await.unwrap();
    tx.commit().await.unwrap();
    let case = e.console.cases(&e.boss, &CaseQuery::default()).await.unwrap().lines[0].id;
    let seen = [case.into()];
    let assign = e.console.assign_cases(&e.boss, &seen, Some(e.clerk.user));
    let disable = "UPDATE users SET disabled_at = 1 WHERE login = 'clerk'";
    let assigned = match &e.w.db {
        Db::Postgres { pool, .. } => {
            // Whoever disables them has had their turn, and released their cases, but has not committed.
            let mut change = pool.begin().await.unwrap();
            for sql in ["LOCK TABLE roles IN SHARE ROW EXCLUSIVE MODE", disable] {
                sqlx::query(sql).execute(&mut *change).await.unwrap();
            }
            let commit = async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                change.commit().await.unwrap();
            };
            futures::future::join(assign, commit).await.0
        }
        // There is one writer.
        Db::Sqlite { .. } => {
            e.w.execute(disable).await;
            assign.await
        }
    };
    assert_eq!(assigned, Err(AppError::NotFound));
});

both!(a_case_with_a_step_of_its_own_is_not_closed_with_others, |w: World| async move {
    let e = Estate::new(w).await;
    let at = e.w.clock.now();
    let reading = "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen)
                   VALUES ($1, $2, $3, 0, 0, 0, 0)";
    bind(&e.w.db, reading, e.here.0, &[at.0, 2]).await;
    let quality = HeldReadingReason::Fell;
    let case = ReadingCase { quality, at, total_wh: 0, last_at: None, last_total_wh: None };
    let mut tx = e.w.db.begin().await.unwrap();
    cases::open(&mut tx, &e.w.rng, at, Some(e.here), None, &CaseDetail::Reading(case)).await.unwrap();
    cases::open(&mut tx, &e.w.rng, at, Some(e.here), None, &CaseDetail::Relay(RelayCase::default())).await.unwrap();
    tx.commit().await.unwrap();
    let open = async || e.console.cases(&e.boss, &CaseQuery::default()).await.unwrap().lines;
    let all: Vec<SeenCase> = open().await.iter().map(|line| line.id.into()).collect();
    assert_eq!(e.console.close_cases(&e.boss, &all, "done").await, Err(AppError::CaseHasStep));
    assert_eq!(open().await.len(), 2, "all or none");
    // The counter counts again by itself.
    bind(&e.w.db, reading, e.here.0, &[at.0 + 1, 0]).await;
    e.console.close_cases(&e.boss, &all, "done").await.unwrap();
});

both!(cases_are_worked_on_through_their_pages, |w: World| async move {
    let e = Estate::new(w).await;
    let web = Web::start(&e.w).await;
    let admin = web.person(&e.w, Role::Admin, "chief").await;
    assert!(admin.get("/cases").await.text().await.unwrap().contains("没有待处理的事项"));
    let mut tx = e.w.db.begin().await.unwrap();
    for meter in [e.here, e.there] {
        cases::open(&mut tx, &e.w.rng, e.w.clock.now(), Some(meter), None, &CaseDetail::Relay(RelayCase::default()))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let ids = e.console.cases(&e.boss, &CaseQuery::default()).await.unwrap().lines.into_iter().map(|case| case.id);
    let [one, two] = ids.collect::<Vec<_>>()[..] else { panic!("two cases") };
    let bulk = |rest: &str| format!("back=/cases%3Fkind=relay&cases%5B%5D={one}&cases%5B%5D={two}&{rest}");
    let answer = admin.post("/api/operator/cases/bulk", &bulk("resolution=&what=take")).await;
    assert_eq!(location(&answer), "/cases?kind=relay");
    let page = admin.get("/cases?owner=mine").await.text().await.unwrap();
    let [close, take] = ["close", "take"].map(|what| page.find(&format!("value=\"{what}\"")).unwrap());
    assert!(close < take, "Enter beside the resolution closes");
    assert!(page.contains("data-label"), "a phone names the columns");
    assert!(page.contains(&format!("/cases/{one}")) && page.contains(&format!("/cases/{two}")), "{page}");
    let answer = admin.post("/api/operator/cases/comment", &format!("case={one}&comment=%3Cb%3Ehalf")).await;
    assert_eq!(location(&answer), format!("/cases/{one}"));
    let page = admin.get(&format!("/cases/{one}")).await.text().await.unwrap();
    assert!(page.contains("&lt;b&gt;half") && !page.contains("由我处理"), "{page}");
    let answer = admin.post("/api/operator/cases/due", &format!("case={one}&day=soon")).await;
    assert_eq!(location(&answer), format!("/cases/{one}?e=invalid"));
    let answer = admin.post("/api/operator/cases/bulk", "resolution=&what=close&back=//evil.example/cases").await;
    assert_eq!(location(&answer), "/cases?e=invalid");
    admin.post("/api/operator/cases/bulk", &bulk("resolution=%E6%8D%A2%E6%96%B0&what=close")).await;
    let page = admin.get("/cases?state=closed").await.text().await.unwrap();
    assert!(page.matches("换新").count() == 2, "{page}");
});

both!(a_next_step_is_offered_to_whoever_may_do_it, |w: World| async move {
    let web = Web::start(&w).await;
    let mut tx = w.db.begin().await.unwrap();
    let day = w.clock.now().date();
    let detail = CaseDetail::StatementReopened { channel: Tender::Alipay, day };
    let case = cases::open_site_case(&mut tx, &w.rng, w.clock.now(), &detail).await.unwrap();
    tx.commit().await.unwrap();
    let day = format!("href=\"/reconcile/alipay/{day}\"");
    for (role, offered) in [(Role::Manager, true), (Role::Technician, false)] {
        let person = web.person(&w, role, role.as_str()).await;
        for page in ["/cases".to_owned(), format!("/cases/{case}")] {
            let shown = person.get(&page).await.text().await.unwrap();
            assert_eq!(shown.contains(&day), offered, "{role:?} {page}");
            assert!(shown.contains(&format!("/cases/{case}")) || page != "/cases", "{role:?} {page}");
        }
    }
});

both!(of_very_many_notes_the_newest_are_shown, |w: World| async move {
    let e = Estate::new(w).await;
    let mut tx = e.w.db.begin().await.unwrap();
    let detail = CaseDetail::Relay(RelayCase::default());
    cases::open(&mut tx, &e.w.rng, e.w.clock.now(), Some(e.here), None, &detail).await.unwrap();
    tx.commit().await.unwrap();
    let case = e.console.cases(&e.boss, &CaseQuery::default()).await.unwrap().lines[0].id;
    for n in 0..502 {
        e.w.clock.advance(1);
        e.console.comment_case(&e.boss, case, &format!("note {n}")).await.unwrap();
    }
    let notes = e.console.case(&e.boss, case).await.unwrap().notes;
    let [first, last] = [notes.first(), notes.last()].map(|note| note.unwrap().step.clone());
    assert_eq!((notes.len(), first, last), (500, said(2), said(501)));
});

fn said(n: u32) -> CaseStep {
    CaseStep::Comment(format!("note {n}"))
}
