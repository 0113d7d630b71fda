//! Receipts on paper: layouts that the site changes, files, and a printer in the network that fails in every way; on both
//! databases.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::wall_layout::Scope;
use model::permission::Permission;
use model::person::Role;
use simulator::printer::{PrinterFault, SimulatedPrinter};
use story_support::site::until;
use story_support::web::{Person, Web, field, location};
use story_support::{World, both};

/// A sale with its receipt, and a printer.
struct Desk<'a> {
    clerk: Person<'a>,
    boss: Person<'a>,
    receipt: String,
    printer: SimulatedPrinter,
    /// The printer's id.
    id: String,
}

const LONG: Duration = Duration::from_secs(60);

async fn text(answer: reqwest::Response) -> String {
    assert_eq!(answer.status(), 200, "{}", answer.url());
    answer.text().await.unwrap()
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

fn times(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

impl<'a> Desk<'a> {
    async fn new(w: &World, web: &'a Web) -> Self {
        let room = w.room(1).await;
        w.shows(room.meter, 0, 0, 90_000).await;
        let (clerk, boss) = (web.person(w, Role::Manager, "clerk").await, web.person(w, Role::Admin, "boss").await);
        let key = w.rng.id(model::time::Timestamp(1));
        clerk.post("/api/operator/sell", &format!("meter={}&amount=50&tender=cash&key={key}", room.meter)).await;
        let year = model::time::Timestamp(w.number("SELECT MAX(issued_at) FROM receipts").await).date().ymd().0;
        let printer = SimulatedPrinter::start().await.unwrap();
        let form = format!("name=Desk&host=127.0.0.1&port={}", printer.address().port());
        assert_eq!(location(&boss.post("/api/operator/printing/printers/add", &form).await), "/printing?done=added");
        let page = text(boss.get("/printing").await).await;
        let id = field(&page, "printer").to_owned();
        Self { clerk, boss, receipt: format!("{year}-000001"), printer, id }
    }

    /// Gives the form that was sent.
    async fn print(&self, w: &World) -> String {
        let key = w.rng.id(model::time::Timestamp(1));
        let form = format!("number={}&printer={}&key={key}", self.receipt, self.id);
        self.send(&form).await;
        form
    }

    /// Sending the same form again prints nothing more, and makes the server look for due prints at once.
    async fn send(&self, form: &str) {
        assert_eq!(location(&self.clerk.post("/api/operator/print-on", form).await), "/prints");
    }

    /// Decides about the print that stands first: those that wait for a person do.
    async fn decide(&self, decision: &str) -> String {
        let page = text(self.clerk.get("/prints").await).await;
        let job = field(&page, "job");
        location(&self.clerk.post("/api/operator/decide-print", &format!("job={job}&decision={decision}")).await).to_owned()
    }
}

/// Waits until so many prints have that state.
async fn becomes(w: &World, state: &'static str, prints: i64) {
    let sql = match state {
        "printed" => "SELECT COUNT(*) FROM print_jobs WHERE state = 'printed'",
        "unknown" => "SELECT COUNT(*) FROM print_jobs WHERE state = 'unknown'",
        "given_up" => "SELECT COUNT(*) FROM print_jobs WHERE state = 'given_up'",
        other => panic!("{other}"),
    };
    until(LONG, state, || async { w.number(sql).await == prints }).await;
}

/// Waits until a print waits because of that trouble.
async fn waits(w: &World, trouble: &'static str) {
    let sql = "SELECT COALESCE((SELECT trouble FROM print_jobs WHERE state = 'queued' AND trouble IS NOT NULL), '')";
    until(LONG, trouble, || async { w.word(sql).await == trouble }).await;
}

both!(a_receipt_is_printed_once_and_then_as_a_copy, |w: World| async move {
    let web = Web::start(&w).await;
    let desk = Desk::new(&w, &web).await;
    let key = w.rng.id(model::time::Timestamp(1));
    let form = format!("number={}&printer={}&key={key}", desk.receipt, desk.id);
    // A form sent twice, at once and later, is one print.
    let twice = tokio::join!(desk.clerk.post("/api/operator/print-on", &form), desk.clerk.post("/api/operator/print-on", &form));
    let later = desk.clerk.post("/api/operator/print-on", &form).await;
    assert_eq!([location(&twice.0), location(&twice.1), location(&later)], ["/prints"; 3]);
    becomes(&w, "printed", 1).await;
    let original = desk.printer.printed();
    assert_eq!((times(&original, desk.receipt.as_bytes()), times(&original, &gbk("伍拾元整"))), (1, 1));
    assert_eq!(times(&original, &gbk("副本")), 0);
    assert_eq!(times(&original, b"\x1dV"), 1, "cut off once");

    desk.print(&w).await;
    becomes(&w, "printed", 2).await;
    let copy = desk.printer.printed().split_off(original.len());
    assert_eq!((times(&copy, desk.receipt.as_bytes()), times(&copy, &gbk("副本"))), (1, 1));
    assert_eq!(w.number("SELECT prints FROM receipts").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'receipt.print'").await, 2);
    web.stop();
});

both!(a_printer_that_cannot_print_loses_nothing, |w: World| async move {
    let web = Web::start(&w).await;
    let desk = Desk::new(&w, &web).await;
    for (fault, trouble) in [
        (PrinterFault::PaperOut, "paper_out"),
        (PrinterFault::CoverOpen, "cover_open"),
        (PrinterFault::Offline, "offline"),
        (PrinterFault::Silent, "silent"),
    ] {
        desk.printer.set_fault(fault);
        let before = desk.printer.printed();
        let jobs = w.number("SELECT COUNT(*) FROM print_jobs").await;
        let form = desk.print(&w).await;
        waits(&w, trouble).await;
        assert_eq!(desk.printer.printed(), before, "{fault:?}: nothing was sent");
        desk.printer.set_fault(PrinterFault::None);
        w.clock.advance(120_000);
        desk.send(&form).await;
        becomes(&w, "printed", jobs + 1).await;
        let printed = desk.printer.printed().split_off(before.len());
        assert_eq!(times(&printed, desk.receipt.as_bytes()), 1, "{fault:?}: and then once");
    }
    // One that stays so is given up, and a person may have it printed again.
    desk.printer.set_fault(PrinterFault::PaperOut);
    let form = desk.print(&w).await;
    waits(&w, "paper_out").await;
    w.clock.advance(31 * 60_000);
    desk.send(&form).await;
    becomes(&w, "given_up", 1).await;
    web.stop();
});

both!(what_may_be_on_paper_waits_for_a_person, |w: World| async move {
    let web = Web::start(&w).await;
    let desk = Desk::new(&w, &web).await;
    for (n, fault) in [(0, PrinterFault::BreaksAfter(60)), (1, PrinterFault::PaperEndsAfter(60))] {
        desk.printer.set_fault(fault);
        let before = desk.printer.printed().len();
        desk.print(&w).await;
        becomes(&w, "unknown", 1).await;
        // It is never sent again by itself: an hour later only the next print comes out.
        let half = desk.printer.printed().len();
        assert_eq!(half - before, 60, "{fault:?}");
        w.clock.advance(3_600_000);
        desk.printer.set_fault(PrinterFault::None);
        let printed = w.number("SELECT COUNT(*) FROM print_jobs WHERE state = 'printed'").await;
        desk.print(&w).await;
        becomes(&w, "printed", printed + 1).await;
        becomes(&w, "unknown", 1).await;
        let next = desk.printer.printed().split_off(half);
        assert_eq!(times(&next, desk.receipt.as_bytes()), 1, "{fault:?}");
        let page = text(desk.clerk.get("/prints").await).await;
        assert!(page.contains("未确认，请查看"), "{page}");
        if n == 0 {
            assert_eq!(desk.decide("again").await, "/prints");
            becomes(&w, "printed", printed + 2).await;
            let again = desk.printer.printed().split_off(half + next.len());
            assert_eq!(
                (times(&again, desk.receipt.as_bytes()), times(&again, &gbk("副本"))),
                (1, 1),
                "the first may be somewhere"
            );
            assert_eq!(w.number("SELECT COUNT(*) FROM print_jobs WHERE state = 'repeated'").await, 1);
        } else {
            assert_eq!(desk.decide("seen").await, "/prints");
            assert_eq!(w.number("SELECT COUNT(*) FROM print_jobs WHERE state = 'seen'").await, 1);
        }
    }
    web.stop();
});

both!(a_print_that_a_crash_interrupts_is_not_repeated, |w: World| async move {
    let mut web = Web::start(&w).await;
    let desk = Desk::new(&w, &web).await;
    desk.printer.set_fault(PrinterFault::PaperOut);
    desk.print(&w).await;
    waits(&w, "paper_out").await;
    let printer = desk.printer.clone();
    drop(desk);
    web.stop();
    (&mut web.running).await.unwrap().unwrap();
    // The server ended between its mark and the answer.
    w.execute("UPDATE print_jobs SET state = 'sending'").await;
    printer.set_fault(PrinterFault::None);
    let web = Web::start(&w).await;
    becomes(&w, "unknown", 1).await;
    assert_eq!(printer.printed(), Vec::<u8>::new());
    web.stop();
});

both!(a_print_is_decided_once_by_whoever_asked_for_it, |w: World| async move {
    let web = Web::start(&w).await;
    let desk = Desk::new(&w, &web).await;
    desk.printer.set_fault(PrinterFault::PaperOut);
    desk.print(&w).await;
    waits(&w, "paper_out").await;
    let page = text(desk.clerk.get("/prints").await).await;
    let job = field(&page, "job");
    let other = web.person(&w, Role::Cashier, "other").await;
    let permissions = [Permission::Sell, Permission::Site].into_iter().collect();
    let local = web.person_with(&w, "local", permissions, &Scope::Buildings(BTreeSet::new())).await;
    for person in [&other, &local] {
        assert!(!text(person.get("/prints").await).await.contains(job), "another cashier's prints are not shown");
    }
    let tested = local.post("/api/operator/printing/printers/test", &format!("printer={}", desk.id)).await;
    assert_eq!(location(&tested), "/printing?e=forbidden", "printers are of the whole site");
    for page in ["/printing", "/printing/layout?paper=a4&language=en"] {
        let seen = [local.get(page).await.status().as_u16(), desk.boss.get(page).await.status().as_u16()];
        assert_eq!(seen, [403, 200], "{page}: as are the layouts of its receipts");
    }
    let form = |decision: &str| format!("job={job}&decision={decision}");
    for (person, decision, answer) in [
        (&other, "cancel", "e=not-found"),
        (&local, "cancel", "e=not-found"),
        (&desk.clerk, "seen", "e=conflict"),
        (&desk.boss, "cancel", "/prints"),
        (&desk.clerk, "cancel", "e=conflict"),
    ] {
        let went = person.post("/api/operator/decide-print", &form(decision)).await;
        assert!(location(&went).ends_with(answer), "{decision}: {}", location(&went));
    }
    desk.printer.set_fault(PrinterFault::None);
    w.clock.advance(3_600_000);
    desk.print(&w).await;
    becomes(&w, "printed", 1).await;
    let printed = desk.printer.printed();
    assert_eq!(times(&printed, desk.receipt.as_bytes()), 1, "what was cancelled is not printed before the next one");
    web.stop();
});

both!(an_original_is_shown_for_some_minutes_only, |w: World| async move {
    let web = Web::start(&w).await;
    let desk = Desk::new(&w, &web).await;
    let form = format!("number={}&paper=a4&copies=one", desk.receipt);
    let page = location(&desk.clerk.post("/api/operator/print-receipt", &form).await).to_owned();
    assert!(page.contains("paper=a4") && page.contains("print=1"), "{page}");
    for _ in 0..2 {
        let shown = text(desk.clerk.get(&page).await).await;
        let (around, sheet) = shown.split_once("class=\"receipt-sheets\"").unwrap();
        assert!(around.contains("已登记为第 1 次打印") && around.contains("重打（副本）"), "{around}");
        assert!(!sheet.contains("副本"), "a reload is the same print");
    }
    w.clock.advance(11 * 60_000);
    let shown = text(desk.clerk.get(&page).await).await;
    let (_, sheet) = shown.split_once("class=\"receipt-sheets\"").unwrap();
    assert!(sheet.contains("副本"), "its address alone prints no second original");
    web.stop();
});

both!(a_layout_is_changed_and_checked, |w: World| async move {
    let web = Web::start(&w).await;
    let desk = Desk::new(&w, &web).await;
    let save = async |template: &str| {
        let template: String = form_urlencoded::byte_serialize(template.as_bytes()).collect();
        let form = format!("paper=a5&language=zh-CN&template={template}");
        desk.boss.post("/api/operator/printing/layouts/set", &form).await
    };
    let wrong = save("{{ number }} {{ amount }} {{ copy }} {{ secret }}").await;
    let page = text(desk.boss.get(location(&wrong)).await).await;
    assert!(page.contains("没有变量“secret”") && page.contains("{{ secret }}"), "the text is not lost");

    let unmarked = save("{{ number }} {{ amount }}").await;
    assert!(text(desk.boss.get(location(&unmarked)).await).await.contains("缺少“copy”"), "a copy must be marked");

    let saved = save("# 宿舍电费\n编号 | {{ number }}\n金额 | {{ amount }}\n> {{ copy }}\n<script>alert(1)</script>").await;
    assert!(location(&saved).ends_with("done=saved"), "{}", location(&saved));
    let shown = text(desk.clerk.get(&format!("/receipts/{}?copies=all", desk.receipt)).await).await;
    assert_eq!(shown.matches("宿舍电费").count(), 3, "customer, finance, office");
    assert!(shown.contains("&lt;script") && !shown.contains("<script>alert"), "a template is text");

    let script = web.person(&w, Role::Admin, "script").await.program();
    let preview = script.post("/api/operator/printing/layouts/preview", "template=%7B%7B+number").await;
    assert!(text(preview).await.contains("Err"));
    let english = text(desk.boss.get("/printing/layout?paper=a5&language=en").await).await;
    assert!(english.matches("Alipay").count() >= 2, "the preview and the list of values: {english}");
    desk.boss.post("/api/operator/printing/layouts/reset", "paper=a5&language=zh-CN").await;
    let shown = text(desk.clerk.get(&format!("/receipts/{}", desk.receipt)).await).await;
    assert!(!shown.contains("宿舍电费") && shown.contains("伍拾元整"));
    assert!(!shown.contains("receipt-logo.png"), "there is none");
    let removed = desk.boss.post("/api/operator/printing/logo/remove", "").await;
    assert_eq!(location(&removed), "/printing?done=saved");
    assert!(text(desk.boss.get(location(&removed)).await).await.contains("已保存。"));
    // A clerk may not.
    let refused = desk.clerk.post("/api/operator/printing/layouts/reset", "paper=a5&language=zh-CN").await;
    assert!(refused.status() == 403 || location(&refused).contains("e=forbidden"), "{}", refused.status());
    web.stop();
});

both!(a_receipt_is_a_file_for_those_who_may_see_it, |w: World| async move {
    let web = Web::start(&w).await;
    let desk = Desk::new(&w, &web).await;
    let address = format!("/receipt.pdf?number={}&paper=a4&copies=all", desk.receipt);
    let file = desk.clerk.get(&address).await;
    assert_eq!((file.status().as_u16(), file.headers()["content-type"].to_str().unwrap()), (200, "application/pdf"));
    assert!(file.bytes().await.unwrap().starts_with(b"%PDF-"));
    w.execute("UPDATE users SET all_buildings = FALSE WHERE login = 'clerk'").await;
    assert_eq!(desk.clerk.get(&address).await.status(), 404);
    web.stop();
});
