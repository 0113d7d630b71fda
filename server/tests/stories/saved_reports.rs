//! Saved reports and their e-mails, with a mail server that fails in every way; on both databases.

use std::collections::BTreeSet;
use std::time::Duration;

use app::api::reports::ReportsPort;
use domain::clock::Clock;
use domain::wall_layout::Scope;
use model::gateway::SweepInterval;
use model::ids::UserId;
use model::operator::RoleChoice;
use model::permission::Permission;
use model::person::Role;
use model::saved_report::SendOutcome;
use model::time::{DAY, HOUR, MINUTE};
use notify::{MailConfig, MailTls, Mailer};
use reports::saved;
use server::config::Config;
use server::tasks::Task;
use server::tasks::send_mail::SendMail;
use server::tasks::send_reports::SendReports;
use services::reports::ReportsService;
use simulator::mail_server::{MailFault, SimulatedMailServer};
use store::operators::{self, Access, ChangedBy};
use store::users;
use story_support::site::until;
use story_support::web::{PASSWORD, Person, Web, field, location};
use story_support::{World, both};

const LONG: Duration = Duration::from_secs(60);

fn mail(server: &SimulatedMailServer) -> MailConfig {
    MailConfig {
        host: "127.0.0.1".to_owned(),
        port: server.address().port(),
        tls: MailTls::None,
        from: "dormwatt@example.org".to_owned(),
        ..MailConfig::default()
    }
}

async fn started(w: &World, mail: MailConfig) -> Web {
    let mut config = Config { mail, ..Config::default() };
    config.server.address.set_port(0);
    Web::with(w, config, w.clock.clone()).await
}

fn usual_interval() -> SweepInterval {
    Config::default().meters.usual_interval()
}

async fn text(answer: reqwest::Response) -> String {
    assert_eq!(answer.status(), 200, "{}", answer.url());
    answer.text().await.unwrap()
}

/// The form that saves a report, with the fields that stand for a choice.
fn form(name: &str, every: &str, to: &str) -> String {
    format!("kind=alarms&name={name}&days=last_week&by=day&place=&room=&age=0&file=csv&every={every}&hour=7&to={to}")
}

async fn save(person: &Person<'_>, form: &str) -> String {
    location(&person.post("/api/operator/reports/save", form).await).to_owned()
}

/// The id of the first saved report on the page.
async fn first(person: &Person<'_>) -> String {
    field(&text(person.get("/reports/saved").await).await, "report").to_owned()
}

both!(a_saved_report_comes_by_mail_when_it_is_due, |w: World| async move {
    w.room(1).await;
    let server = SimulatedMailServer::start().await.unwrap();
    let web = started(&w, mail(&server)).await;
    let person = web.person(&w, Role::Manager, "office").await;
    assert_eq!(save(&person, &form("Alarms", "week", "a@x.cn, b@x.cn")).await, "/reports/saved?done=saved");
    let page = text(person.get("/reports/saved").await).await;
    assert!(page.contains("Alarms") && page.contains("a@x.cn"), "{page}");

    // At once, by a button.
    let report = first(&person).await;
    let sent = person.post("/api/operator/reports/send", &format!("report={report}")).await;
    assert_eq!(location(&sent), "/reports/saved?done=sent");
    until(LONG, "two e-mails", || async { server.taken().len() == 2 }).await;
    let mails = server.taken();
    assert_eq!(mails.iter().map(|one| &*one.recipient).collect::<Vec<_>>(), ["a@x.cn", "b@x.cn"]);
    assert!(mails.iter().all(|one| one.text.contains("alarms-") && one.text.contains(".csv")), "{mails:?}");
    until(LONG, "sent", || async { w.number("SELECT COUNT(*) FROM mails WHERE state = 'sent'").await == 2 }).await;
    web.stop();

    // Then by the calendar, once, however often the task runs and however long the server did not run.
    let service = ReportsService::new(w.context().await, usual_interval(), true);
    let due = w.number("SELECT next_at FROM saved_reports").await;
    w.clock.advance(due - w.clock.now().0 - 1);
    assert_eq!(service.send_due().await.unwrap(), 0, "a moment too early");
    w.clock.advance(3 * 7 * DAY);
    let tasks = (SendReports(service.clone()), SendReports(service));
    let made = tokio::join!(tasks.0.run(), tasks.1.run());
    let made: Vec<String> = [made.0.unwrap().summary, made.1.unwrap().summary].into();
    assert!(made.contains(&"1 made".to_owned()) && made.contains(&"0 made".to_owned()), "{made:?}");
    assert_eq!(w.number("SELECT COUNT(*) FROM mails WHERE state = 'waiting'").await, 2);
    assert!(w.number("SELECT next_at FROM saved_reports").await > w.clock.now().0);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'report.send'").await, 2);
    let task = SendMail { context: w.context().await, mailer: Mailer::new(&mail(&server)).unwrap() };
    assert_eq!(task.run().await.unwrap().summary, "2 sent, 0 not sent");
    assert_eq!((server.taken().len(), w.number("SELECT COUNT(*) FROM mail_files").await), (4, 0));
});

both!(a_slow_report_is_made_in_the_background_and_sent, |w: World| async move {
    w.room(1).await;
    let server = SimulatedMailServer::start().await.unwrap();
    let web = started(&w, mail(&server)).await;
    let person = web.person(&w, Role::Manager, "office").await;
    save(&person, &form("Alarms", "never", "a@x.cn b@x.cn")).await;
    let report = first(&person).await;
    let page = text(person.get("/reports/saved?done=making").await).await;
    assert!(page.contains("已转到后台") && !page.contains("正在后台生成"), "{page}");
    web.stop();

    let owner = users::by_login(&w.db, "office").await.unwrap().unwrap();
    let who = users::operator(&w.db, UserId(owner.id)).await.unwrap().unwrap();
    let service = ReportsService::new(w.context().await, usual_interval(), true);
    let slow = saved::find(&w.db, who.user, false, report.parse().unwrap()).await.unwrap();
    for _ in 0..2 {
        saved::send_soon(&w.db, w.clock.now(), &who, &slow).await.unwrap();
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'report.send'").await, 2, "who asked for it");
    assert_eq!(w.number("SELECT COUNT(*) FROM mails").await, 0);
    assert_eq!(w.number("SELECT next_at FROM saved_reports").await, w.clock.now().0, "another process makes it, too");
    assert_eq!(service.send_due().await.unwrap(), 1, "asked for twice, made once");
    assert_eq!(w.number("SELECT COUNT(*) FROM mails WHERE state = 'waiting'").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM saved_reports WHERE next_at IS NULL AND trouble IS NULL").await, 1);
    assert_eq!(service.send_report(&who, report.parse().unwrap()).await, Ok(Ok(SendOutcome::Written)));
});

both!(a_letter_is_sent_until_the_mail_server_takes_it, |w: World| async move {
    w.room(1).await;
    let server = SimulatedMailServer::start().await.unwrap();
    let web = started(&w, mail(&server)).await;
    let person = web.person(&w, Role::Manager, "office").await;
    save(&person, &form("Alarms", "never", "a@x.cn b@x.cn")).await;
    let report = first(&person).await;
    web.stop();
    let (context, at) = (w.context().await, w.clock.now().0);
    let service = ReportsService::new(context.clone(), usual_interval(), true);
    let task = SendMail { context, mailer: Mailer::new(&mail(&server)).unwrap() };
    let again = async |minutes: i64| {
        w.clock.advance(minutes * MINUTE);
        task.run().await.unwrap().summary
    };
    let web = started(&w, MailConfig::default()).await;
    let mut person = web.visitor();
    person.log_in("office", PASSWORD).await;
    // A server without a mail server offers no sending, and says why.
    let refused = person.post("/api/operator/reports/send", &format!("report={report}")).await;
    assert_eq!(location(&refused), "/reports/saved?e=invalid");
    assert!(text(person.get("/reports/saved").await).await.contains("[mail]"));
    web.stop();

    let owner = users::by_login(&w.db, "office").await.unwrap().unwrap();
    let who = users::operator(&w.db, UserId(owner.id)).await.unwrap().unwrap();
    service.send_report(&who, report.parse().unwrap()).await.unwrap().unwrap();
    // What keeps one e-mail from being sent is asked of each; what keeps all of them, once.
    for (fault, trouble, result) in
        [(MailFault::Busy, "busy", "0 sent, 2 not sent"), (MailFault::Garbage, "unreachable", "0 sent, 1 not sent")]
    {
        server.set_fault(fault);
        assert_eq!(again(5).await, result);
        assert_eq!(w.word("SELECT MAX(trouble) FROM mails WHERE state = 'waiting'").await, trouble);
    }
    // Of an address that does not exist, only its own e-mail is given up.
    server.set_fault(MailFault::NoSuchAddress("b@x.cn".to_owned()));
    assert_eq!(again(10).await, "1 sent, 1 not sent");
    assert_eq!(w.word("SELECT recipient FROM mails WHERE state = 'given_up'").await, "b@x.cn");
    assert_eq!(w.word("SELECT trouble FROM mails WHERE state = 'given_up'").await, "refused");
    assert_eq!(w.number("SELECT COUNT(*) FROM mail_files").await, 0);

    // What was taken without a word is sent again, under the same number.
    service.send_report(&who, report.parse().unwrap()).await.unwrap().unwrap();
    server.set_fault(MailFault::BreaksAfterMail);
    again(1).await;
    server.set_fault(MailFault::None);
    assert_eq!(again(10).await, "2 sent, 0 not sent");
    let numbers: Vec<String> = server
        .taken()
        .iter()
        .filter(|one| one.recipient == "a@x.cn")
        .map(|one| one.text.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned())
        .collect();
    assert_eq!(numbers.len(), 3, "one of the report before, and two of this one");
    assert_ne!(numbers[0], numbers[1]);
    assert_eq!(numbers[1], numbers[2]);

    // A mail server that stays away: an e-mail is given up after a day.
    service.send_report(&who, report.parse().unwrap()).await.unwrap().unwrap();
    server.set_fault(MailFault::Busy);
    again(24 * 60 + 1).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM mails WHERE state = 'given_up' AND trouble = 'busy'").await, 2);
    assert!(w.clock.now().0 > at + 24 * HOUR);
});

both!(mails_that_wait_are_taken_back_from_who_loses_a_right, |w: World| async move {
    w.room(1).await;
    let server = SimulatedMailServer::start().await.unwrap();
    let web = started(&w, mail(&server)).await;
    web.person(&w, Role::Admin, "boss").await;
    let person = web.person(&w, Role::Manager, "office").await;
    save(&person, &form("Alarms", "never", "a@x.cn b@x.cn")).await;
    let report = first(&person).await;
    web.stop();
    let owner = users::by_login(&w.db, "office").await.unwrap().unwrap();
    let who = users::operator(&w.db, UserId(owner.id)).await.unwrap().unwrap();
    let service = ReportsService::new(w.context().await, usual_interval(), true);
    let (now, by) = (w.clock.now(), ChangedBy::CommandLine);
    let send = async || {
        service.send_report(&who, report.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(w.number("SELECT COUNT(*) FROM mails WHERE state = 'waiting'").await, 2);
    };
    send().await;
    let role = RoleChoice::Ready(Role::Manager);
    let nowhere = Scope::Buildings(BTreeSet::new());
    let access = Access { role, buildings: &nowhere };
    operators::set_access(&w.db, &w.rng, now, by, who.user, access).await.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM mails").await, 0, "they may be of buildings that their owner sees no longer");
    let access = Access { role, buildings: &Scope::All };
    operators::set_access(&w.db, &w.rng, now, by, who.user, access).await.unwrap();
    send().await;
    operators::set_disabled(&w.db, &w.rng, now, by, who.user, true).await.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM mails").await, 0);
});

both!(a_saved_report_shows_no_more_than_its_owner_may_see, |w: World| async move {
    w.room(1).await;
    let server = SimulatedMailServer::start().await.unwrap();
    let web = started(&w, mail(&server)).await;
    let mut boss = web.person(&w, Role::Admin, "boss").await;
    let office = web.person(&w, Role::Manager, "office").await;
    let other = web.person(&w, Role::Technician, "other").await;
    let nowhere = Scope::Buildings(BTreeSet::new());
    let nobody = web.person_within(&w, Role::Manager, "nobody", &nowhere).await;
    // A report that one may not open, a place that one may not see, and nonsense are not saved.
    let sales = form("Sales", "day", "a@x.cn").replace("kind=alarms", "kind=sales");
    assert_eq!(save(&other, &sales).await, "/reports/sales?e=forbidden");
    let place = "0192f0c1-2f5e-7000-8000-000000000000";
    assert_eq!(
        save(&nobody, &form("A", "never", "").replace("place=", &format!("place={place}"))).await,
        "/reports/alarms?e=not-found"
    );
    for (field, bad) in [
        ("to=a@x.cn", "to="),
        ("to=a@x.cn", "to=a@x.cn,nobody"),
        ("to=a@x.cn", "to=a@x.cn%0d%0aBcc:b@x.cn"),
        ("hour=7", "hour=24"),
        ("every=day", "every=often"),
        ("days=last_week", "days=ever"),
        ("file=csv", "file=exe"),
        ("name=A", "name="),
    ] {
        let answer = save(&office, &form("A", "day", "a@x.cn").replace(field, bad)).await;
        assert_eq!(answer, "/reports/alarms?e=invalid", "{bad}");
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM saved_reports").await, 0);

    // The way back keeps the choice of the report, and the form what was typed.
    let days = "from=2026-11-01&until=2026-11-07";
    let back = format!("%2Freports%2Falarms%3F{}", days.replace('=', "%3D").replace('&', "%26"));
    let answer = save(&office, &format!("{}&back={back}", form("A", "day", "nobody"))).await;
    assert_eq!(answer, format!("/reports/alarms?{days}&e=invalid"));
    let page = text(office.get(&answer).await).await;
    for shown in ["value=\"2026-11-01\"", "value=\"nobody\"", "aria-invalid=\"true\""] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains("<article class=\"report\""), "what is wrong is told without making the report again");

    // Others neither see nor touch it; who answers for the site does.
    assert_eq!(save(&office, &form("Mine", "day", "a@x.cn")).await, "/reports/saved?done=saved");
    let again = form("Mine", "week", "b@x.cn");
    let asked = save(&office, &again).await;
    assert_eq!(asked, "/reports/alarms?e=name-taken");
    assert!(text(office.get(&asked).await).await.contains("name=\"replace\""));
    assert_eq!(save(&office, &format!("{again}&replace=on")).await, "/reports/saved?done=saved");
    assert_eq!(w.number("SELECT COUNT(*) FROM saved_reports").await, 1, "the same name replaces it where that is wanted");
    let report = first(&office).await;
    // Settings of some buildings are not the site.
    let local = [Permission::Watch, Permission::Site].into_iter().collect();
    let local = web.person_with(&w, "local", local, &nowhere).await;
    for person in [&other, &local] {
        assert!(!text(person.get("/reports/saved").await).await.contains("Mine"));
        for action in ["send", "remove"] {
            let answer = person.post(&format!("/api/operator/reports/{action}"), &format!("report={report}")).await;
            assert_eq!(location(&answer), "/reports/saved?e=not-found");
        }
    }
    assert!(text(boss.get("/reports/saved").await).await.contains("Mine"));

    // An owner who is no operator any more sends nothing; the page says why.
    w.execute("UPDATE users SET disabled_at = 1 WHERE login = 'office'").await;
    w.clock.advance(8 * DAY);
    let service = ReportsService::new(w.context().await, usual_interval(), true);
    assert_eq!(service.send_due().await.unwrap(), 0);
    assert_eq!(w.word("SELECT trouble FROM saved_reports").await, "not_allowed");
    assert_eq!(w.number("SELECT COUNT(*) FROM mails").await, 0);
    // A session does not last for eight days.
    boss.log_in("boss", PASSWORD).await;
    let removed = boss.post("/api/operator/reports/remove", &format!("report={report}")).await;
    assert_eq!(location(&removed), "/reports/saved?done=removed");
    assert_eq!(w.number("SELECT COUNT(*) FROM saved_report_recipients").await, 0);
    web.stop();
});
