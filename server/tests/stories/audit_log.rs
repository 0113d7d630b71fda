//! The operation log: filters, words, the file, and verification; on both databases.

use app::i18n::Lang;
use app::i18n::audit::{action, detail, subject};
use domain::clock::Clock;
use model::audit::{AuditAction, AuditPage, AuditQuery, Doer};
use model::person::Role;
use model::time::DAY;
use store::{Db, audit};
use story_support::site::Site;
use story_support::web::{Web, location};
use story_support::{World, both};

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
            assert!(!said.contains(['{', '"', '_']) && !said.contains("019"), "{}: {said}", line.action);
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
    let later = audit::walk_range(&w.db, now, now.plus(DAY)).await.unwrap();
    assert_eq!((later.last, later.broken_at), (0, None), "no lines on that day");
});

both!(a_part_of_the_chain_is_walked_from_the_line_before, |w: World| async move {
    let start = w.clock.now();
    let who = story_support::closings::who(w.clerk().await);
    for _ in 0..4 {
        audit::record_verification(&w.db, w.clock.now(), &who, &Default::default()).await.unwrap();
        w.clock.advance(DAY);
    }
    let walked = audit::walk_range(&w.db, start.plus(DAY), start.plus(3 * DAY)).await.unwrap();
    assert_eq!((walked.lines, walked.last - walked.first, walked.broken_at), (2, 1, None));
    let all = audit::walk_range(&w.db, start, w.clock.now()).await.unwrap();
    assert_eq!((all.broken_at, all.lines), (None, all.last - all.first + 1));
    // The newest line is cut off.
    let guard = match w.db {
        Db::Sqlite { .. } => "DROP TRIGGER audit_no_delete",
        Db::Postgres { .. } => "ALTER TABLE audit DISABLE TRIGGER audit_append_only",
    };
    w.by_hand(guard).await.unwrap();
    w.by_hand(&format!("DELETE FROM audit WHERE seq = {}", all.last - 1)).await.unwrap();
    let cut = audit::walk_range(&w.db, start, w.clock.now()).await.unwrap();
    assert_eq!(cut.broken_at, Some(all.last - 1));
});
