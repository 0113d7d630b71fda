//! Invoices of receipts are exported once, add up to what was paid, and are reversed by what went back; on both databases.

use domain::clock::Clock;
use domain::order::Limits;
use domain::returns::Rules;
use domain::wall_layout::Scope;
use estate::places::{self, NewPlace};
use invoices::{FlatPrices, NewExport};
use model::error::AppError;
use model::ids::{AccountId, InvoiceBatchId, PlaceId, ReturnId, Uuid};
use model::invoice::{InvoiceBuyer, InvoiceRange, InvoiceSeller, InvoiceSettings};
use model::money::Fen;
use model::order::{ReturnState, Tender};
use model::person::Role;
use model::place::PlaceKind;
use model::time::{DAY, MINUTE};
use store::accounts::{self, NewResident, ResidentToAdd};
use store::returns::{self, NewReturn, ReturnSubject};
use store::{StoreError, on};
use story_support::room_fixture::{RoomFixture, refused};
use story_support::web::{Person, Web, location};
use story_support::{World, both};
use verify::{Rule, verify_within};

/// A room with a price of 0.54 yuan, whose account was sold 50.00 yuan.
struct Desk {
    room: RoomFixture,
    account: AccountId,
}

impl Desk {
    async fn new(w: World) -> Self {
        let (room, account) = RoomFixture::supplied(w, 5_400, 5_000).await;
        Self { room, account }
    }

    async fn number(&self, sql: &'static str) -> i64 {
        self.room.w.number(sql).await
    }

    /// Changes the books in a way that the server does not, and seals it.
    async fn change(&self, sql: &'static str) {
        let mut tx = self.room.w.db.begin().await.unwrap();
        assert_eq!(on!(&mut tx, |c| sqlx::query(sql).execute(c).await).unwrap(), 1, "{sql}");
        tx.commit().await.unwrap();
    }

    /// Who lived there moves out, and somebody else moves in.
    async fn moves_in(&self, login: &str, after: Option<&str>) {
        let (w, who) = (&self.room.w, self.room.who());
        w.clock.advance(MINUTE);
        if let Some(after) = after {
            accounts::remove_resident(&w.db, w.clock.now(), &who, self.account, after).await.unwrap();
        }
        let new = NewResident { name: login.into(), login: login.into(), password_hash: String::new() };
        let new = ResidentToAdd::New(new);
        accounts::add_resident(&w.db, &w.rng, w.clock.now(), &who, self.account, &new).await.unwrap();
        w.clock.advance(MINUTE);
    }

    /// How many receipts wait: payments, and returns.
    async fn waits(&self) -> (i64, i64) {
        let (blue, red) = invoices::sums(&self.room.w.db, self.room.clerk, &self.range()).await.unwrap();
        (blue.receipts, red.receipts)
    }

    async fn set(&self) {
        let seller = InvoiceSeller {
            name: "示例物业有限公司".into(),
            tax_number: "91330106MA2ABCDE1X".into(),
            bank: String::new(),
            bank_account: String::new(),
            item: "电费".into(),
            tax_code: "1100101020200000000".into(),
        };
        let settings = InvoiceSettings { seller, rate: "13".parse().unwrap() };
        let (w, who) = (&self.room.w, self.room.who());
        invoices::set_settings(&w.db, w.clock.now(), &who, &settings).await.unwrap();
    }

    async fn gives_back(&self, of: ReturnSubject) -> ReturnId {
        let (w, who) = (&self.room.w, self.room.who());
        let now = w.clock.now();
        let new = NewReturn { key: w.rng.id(now), of, reason: "退宿".into(), by: who.user, ip: String::new() };
        let row = returns::ask(&w.db, &w.rng, now, &Rules::default(), &Limits::default(), &new).await.unwrap();
        assert_eq!(row.state, ReturnState::Taken);
        returns::pay_out(&w.db, &w.rng, now, &who, row.id).await.unwrap();
        row.id
    }

    fn range(&self) -> InvoiceRange {
        let today = self.room.w.clock.now().date();
        InvoiceRange { from: today.plus(-5), until: today, building: None }
    }

    fn key(&self) -> Uuid {
        self.room.w.rng.id(self.room.w.clock.now())
    }

    async fn export(&self, key: Uuid) -> Result<InvoiceBatchId, StoreError> {
        let w = &self.room.w;
        let prices = FlatPrices::load(&w.db).await.unwrap();
        let new = NewExport { key, range: self.range() };
        invoices::export(&w.db, &w.rng, w.clock.now(), &self.room.who(), &new, &prices).await
    }

    async fn cancel(&self, batch: InvoiceBatchId) -> Result<(), StoreError> {
        let w = &self.room.w;
        invoices::cancel(&w.db, w.clock.now(), &self.room.who(), batch).await
    }

    /// What receipts of batches that hold say was paid and given back, and what the rows of these batches say: equal.
    async fn adds_up(&self) {
        let paid = "SELECT CAST(COALESCE(SUM(o.amount_fen), 0) AS BIGINT) FROM orders o JOIN receipts p ON p.order_id = o.id
                    WHERE EXISTS (SELECT 1 FROM invoice_rows i WHERE i.series = p.series AND i.year = p.year
                                      AND i.number = p.number AND i.cancelled_at IS NULL)";
        let back = "SELECT CAST(COALESCE(SUM(v.amount_fen), 0) AS BIGINT) FROM returns v JOIN receipts p ON p.return_id = v.id
                    WHERE EXISTS (SELECT 1 FROM invoice_rows i WHERE i.series = p.series AND i.year = p.year
                                      AND i.number = p.number AND i.cancelled_at IS NULL)";
        let blue = "SELECT CAST(COALESCE(SUM(net_fen + tax_fen), 0) AS BIGINT) FROM invoice_rows
                    WHERE kind = 'blue' AND cancelled_at IS NULL";
        let red = "SELECT CAST(COALESCE(SUM(net_fen + tax_fen), 0) AS BIGINT) FROM invoice_rows
                   WHERE kind = 'red' AND cancelled_at IS NULL";
        assert_eq!(self.number(blue).await, self.number(paid).await);
        assert_eq!(self.number(red).await, self.number(back).await);
        // No invoice is reversed by more than it has, neither net nor tax.
        let over = "SELECT COUNT(*) FROM invoice_rows i WHERE i.kind = 'blue' AND i.cancelled_at IS NULL AND EXISTS
                        (SELECT 1 FROM invoice_rows d WHERE d.reverses_id = i.id AND d.cancelled_at IS NULL
                         GROUP BY d.reverses_id HAVING SUM(d.net_fen) > i.net_fen OR SUM(d.tax_fen) > i.tax_fen)";
        assert_eq!(self.number(over).await, 0);
        self.room.prove().await;
    }
}

both!(a_receipt_is_exported_once, |w: World| async move {
    let desk = Desk::new(w).await;
    desk.moves_in("wang", Some("li")).await;
    desk.room.sell(desk.account, 3_333).await.unwrap();
    desk.moves_in("zhao", Some("wang")).await;
    // What is not credited was not sold.
    for held in [
        "UPDATE orders SET state = 'paid' WHERE amount_fen = 3333",
        "UPDATE orders SET state = 'case' WHERE amount_fen = 3333",
        "UPDATE orders SET state = 'refunded' WHERE amount_fen = 3333",
    ] {
        desk.change(held).await;
        assert_eq!(desk.waits().await, (1, 0), "{held}");
    }
    desk.change("UPDATE orders SET state = 'credited' WHERE amount_fen = 3333").await;
    assert_eq!(refused(desk.export(desk.key()).await), Some(AppError::InvoiceSettingsMissing));
    desk.set().await;
    // Two at once: one has both receipts, the other nothing. A form sent twice is one batch.
    let (first, second) = (desk.key(), desk.key());
    let (one, other) = tokio::join!(desk.export(first), desk.export(second));
    let (key, batch) = match (one, other) {
        (Ok(batch), other) => {
            assert_eq!(refused(other), Some(AppError::NothingToInvoice));
            (first, batch)
        }
        (one, Ok(batch)) => {
            assert_eq!(refused(one), Some(AppError::NothingToInvoice));
            (second, batch)
        }
        (one, other) => panic!("{one:?} {other:?}"),
    };
    assert_eq!(desk.export(key).await.unwrap(), batch);
    assert_eq!(desk.number("SELECT COUNT(*) FROM invoice_rows WHERE kind = 'blue'").await, 2);
    assert_eq!(desk.number("SELECT net_fen FROM invoice_rows WHERE net_fen + tax_fen = 5000").await, 4_425);
    // 50.00 yuan at 0.54 yuan: to the Wh.
    assert_eq!(desk.number("SELECT wh FROM invoice_rows WHERE net_fen + tax_fen = 5000").await, 92_593);
    let of_those_who_lived_there = "SELECT COUNT(*) FROM invoice_rows WHERE (net_fen + tax_fen = 5000 AND buyer = 'Li')
                                        OR (net_fen + tax_fen = 3333 AND buyer = 'wang')";
    assert_eq!(desk.number(of_those_who_lived_there).await, 2);
    desk.adds_up().await;
    // Of two who live there, whoever paid.
    desk.moves_in("qian", None).await;

    // A process that dies within an export leaves all of it or nothing.
    desk.room.sell(desk.account, 1_000).await.unwrap();
    desk.change("UPDATE orders SET created_by = (SELECT id FROM users WHERE login = 'qian') WHERE amount_fen = 1000").await;
    for steps in [0, 1, 2, 3, 5, 8, 13] {
        let export = desk.export(desk.key());
        tokio::pin!(export);
        for _ in 0..steps {
            if futures::poll!(export.as_mut()).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let rows = desk.number("SELECT COUNT(*) FROM invoice_rows").await;
    let batches = desk.number("SELECT COUNT(*) FROM invoice_batches").await;
    assert!((rows, batches) == (2, 1) || (rows, batches) == (3, 2), "{rows} rows in {batches} batches");
    desk.adds_up().await;

    // After its cancellation it waits again, and gets another number.
    desk.cancel(batch).await.unwrap();
    desk.cancel(batch).await.unwrap();
    assert_eq!(desk.number("SELECT COUNT(*) FROM audit WHERE action = 'invoice.cancel'").await, 1);
    assert_ne!(desk.export(desk.key()).await.unwrap(), batch);
    assert_eq!(refused(desk.export(desk.key()).await), Some(AppError::NothingToInvoice));
    assert_eq!(desk.number("SELECT COUNT(*) FROM invoice_rows WHERE cancelled_at IS NULL").await, 3);
    let of_one_who_paid = "SELECT COUNT(*) FROM invoice_rows WHERE cancelled_at IS NULL AND buyer = 'qian'";
    assert_eq!(desk.number(of_one_who_paid).await, 1);
    desk.adds_up().await;
});

both!(what_goes_back_reverses_its_invoices, |w: World| async move {
    let desk = Desk::new(w).await;
    desk.set().await;
    desk.room.w.clock.advance(MINUTE);
    let wrong = desk.room.sell(desk.account, 3_000).await.unwrap();
    let first = desk.export(desk.key()).await.unwrap();
    // The correction reverses the invoice of its sale; the return takes the newest first, and what is missing from the other.
    desk.gives_back(ReturnSubject::Sale(wrong.id, Fen(2_000))).await;
    let (account, meter) = (desk.account, desk.room.meter);
    let returned = ReturnSubject::Remaining { account, meter, tender: Tender::Cash, amount: Fen(2_500) };
    desk.gives_back(returned).await;
    // What goes back of a sale that was never credited reverses nothing.
    desk.change("UPDATE returns SET source = 'order' WHERE amount_fen = 2000").await;
    assert_eq!(desk.waits().await, (0, 1));
    desk.change("UPDATE returns SET source = 'wallet' WHERE amount_fen = 2000").await;
    let second = desk.export(desk.key()).await.unwrap();
    assert_eq!(desk.number("SELECT COUNT(*) FROM invoice_rows WHERE kind = 'red'").await, 3);
    let of_the_wrong_sale = "SELECT CAST(SUM(d.net_fen + d.tax_fen) AS BIGINT) FROM invoice_rows d JOIN invoice_rows i
                             ON i.id = d.reverses_id WHERE i.net_fen + i.tax_fen = 3000";
    assert_eq!(desk.number(of_the_wrong_sale).await, 3_000, "in whole: 20.00 corrected, 10.00 of the return");
    let left = "SELECT i.net_fen - CAST(SUM(d.net_fen) AS BIGINT) FROM invoice_rows i JOIN invoice_rows d ON d.reverses_id = i.id
                WHERE i.net_fen + i.tax_fen = 3000 GROUP BY i.net_fen";
    assert_eq!(desk.number(left).await, 0, "to the fen, net as well");
    desk.adds_up().await;
    assert_eq!(refused(desk.cancel(first).await), Some(AppError::InvoiceReversed));
    desk.cancel(second).await.unwrap();
    desk.cancel(first).await.unwrap();

    // Where only the days of the return are exported, there is nothing to reverse: it waits.
    desk.room.w.clock.advance(6 * DAY);
    let returned = ReturnSubject::Remaining { account, meter, tender: Tender::Cash, amount: Fen(100) };
    desk.gives_back(returned).await;
    assert_eq!(refused(desk.export(desk.key()).await), Some(AppError::NothingToInvoice));
    let (w, who) = (&desk.room.w, desk.room.who());
    let rate = "13".parse().unwrap();
    let shown = invoices::preview(&w.db, &w.rng, w.clock.now(), who.user, &desk.range(), rate).await.unwrap();
    assert_eq!((shown.blue.receipts, shown.red.receipts), (0, 0), "what is left out is not counted");
    let left_out = shown.without_invoice;
    assert_eq!(left_out.iter().map(|(.., amount)| *amount).collect::<Vec<_>>(), [Fen(100)]);
    // A person reverses it in the tax platform; a sale is not to be handled there.
    let sale = format!("{}-000001", w.clock.now().date().ymd().0).parse().unwrap();
    let manual = async |number| invoices::reverse_manually(&w.db, w.clock.now(), &who, number).await;
    assert_eq!(refused(manual(sale).await), Some(AppError::NotFound));
    for _ in 0..2 {
        manual(left_out[0].0).await.unwrap();
    }
    assert_eq!(desk.waits().await, (0, 0));
    assert_eq!(desk.number("SELECT COUNT(*) FROM audit WHERE action = 'invoice.manual-reversal'").await, 1);
    desk.adds_up().await;

    // What was changed past the server is noticed.
    for (sql, rule) in [
        ("UPDATE invoice_batches SET blue_fen = blue_fen + 1 WHERE number = 1", Rule::InvoiceBatch),
        ("UPDATE invoice_rows SET tax_fen = tax_fen + 1, cancelled_at = NULL WHERE line = 1", Rule::InvoiceAmount),
        ("UPDATE invoice_rows SET cancelled_at = NULL WHERE kind = 'red'", Rule::InvoiceReversals),
    ] {
        let mut tx = w.db.begin().await.unwrap();
        on!(&mut tx, |c| sqlx::query(sql).execute(c).await).unwrap();
        let found: Vec<Rule> = verify_within(&mut tx).await.unwrap().differences.into_iter().map(|one| one.rule).collect();
        assert!(found.contains(&rule), "{sql}: {found:?}");
    }
});

async fn text(person: &Person<'_>, path: &str) -> String {
    let answer = person.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

both!(invoices_are_exported_on_a_page, |w: World| async move {
    let desk = Desk::new(w).await;
    let w = &desk.room.w;
    let (elsewhere, now) = (PlaceId(w.rng.id(w.clock.now())), w.clock.now());
    let mut tx = w.db.begin().await.unwrap();
    places::add(&mut tx, &NewPlace { id: elsewhere, parent: None, kind: PlaceKind::Building, name: "9", sort: 2 }).await.unwrap();
    tx.commit().await.unwrap();
    let web = Web::start(w).await;
    let boss = web.person(w, Role::Manager, "boss").await;
    let clerk = web.person(w, Role::Cashier, "cashier").await;
    let other = web.person_within(w, Role::Manager, "other", &Scope::Buildings([elsewhere].into())).await;
    let today = now.date();
    let days = format!("from={today}&until={today}");

    let (offered, hidden) = (text(&boss, &format!("/invoices?{days}")).await, text(&other, &format!("/invoices?{days}")).await);
    for (page, may) in [(offered, true), (hidden, false)] {
        assert!(page.contains("还没有填写销售方资料") && page.contains("href=\"/invoices/settings\"") == may, "{page}");
    }
    let settings = "seller=示例物业&seller_tax_number=91330106ma2abcde1x&bank=&bank_account=&item=电费&code=1100101020200000000";
    let wrong = boss.post("/api/operator/invoice-settings", &format!("{settings}&rate=130")).await;
    assert!(location(&wrong).starts_with("/invoices/settings?e=invalid"), "{}", location(&wrong));
    assert!(text(&boss, location(&wrong)).await.contains("税率（%）：0 至 30"));
    assert_eq!(location(&boss.post("/api/operator/invoice-settings", &format!("{settings}&rate=13")).await), "/invoices");
    let limited = other.post("/api/operator/invoice-settings", &format!("{settings}&rate=9")).await;
    assert_ne!(limited.status(), 200);
    assert_eq!(w.number("SELECT rate FROM invoice_settings").await, 1_300, "only for operators of all buildings");
    let buyer = format!("meter={}&buyer=示例公司&buyer_tax_number=91330106MA2ABCDE2Y", desk.room.meter);
    assert!(location(&boss.post("/api/operator/invoice-buyer", &buyer).await).starts_with("/rooms/"));
    let named = InvoiceBuyer { name: "示例公司".into(), tax_number: Some("91330106MA2ABCDE2Y".into()) };
    assert_eq!(invoices::buyer(&w.db, desk.account).await.unwrap(), Some(named));

    let page = text(&boss, &format!("/invoices?{days}")).await;
    assert!(page.contains("50.00") && page.contains("/api/operator/invoice-export"), "{page}");
    // Where nothing waits, the page names the days and leads to the month before.
    let (page, (first, last)) = (text(&other, &format!("/invoices?{days}")).await, today.month_before());
    assert!(page.contains(&format!("{today} 至 {today} 没有待导出")), "{page}");
    assert!(page.contains(&format!("href=\"/invoices?from={first}")) && page.contains(&format!("{first} 至 {last}")), "{page}");
    // What makes no sense is said, and nothing else is offered in its place.
    for (filter, words) in [
        (format!("from={today}&until={}", today.plus(-1)), "早于"),
        (format!("from={}&until={today}", today.plus(-366)), "最多导出 366 天"),
        (format!("from=abc&until={today}"), "日期不对"),
        (format!("{days}&building=abc"), "没有这栋楼"),
        (format!("{days}&building={}", w.rng.id(now)), "没有这栋楼"),
    ] {
        let page = text(&boss, &format!("/invoices?{filter}")).await;
        assert!(page.contains(words) && !page.contains("/api/operator/invoice-export"), "{filter}: {page}");
        let form = format!("key={}&{filter}", desk.key());
        let went = boss.post("/api/operator/invoice-export", &form).await;
        assert_ne!(went.status(), 200, "{filter}");
        assert_eq!(w.number("SELECT COUNT(*) FROM invoice_batches").await, 0, "{filter}");
    }
    let form = format!("key={}&{days}&building=", desk.key());
    assert_eq!(clerk.post("/api/operator/invoice-export", &form).await.status(), 403);
    assert!(location(&other.post("/api/operator/invoice-export", &form).await).ends_with("e=nothing-to-invoice"));
    let batch = location(&boss.post("/api/operator/invoice-export", &form).await).to_owned();
    let id = batch.strip_prefix("/invoices/").unwrap().to_owned();
    let shown = text(&boss, &batch).await;
    for word in ["DW000001000001", "示例公司", "44.25", "5.75", "50.00"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }

    let number = format!("{}-000001", today.ymd().0);
    assert!(text(&boss, &format!("/receipts/{number}")).await.contains("DW000001000001"));

    // The same bytes each time, whatever is set later; nothing for operators of other buildings.
    let file = format!("/invoices.xlsx?batch={id}&file=import");
    let bytes = async |person: &Person<'_>| person.get(&file).await.bytes().await.unwrap();
    let before = bytes(&boss).await;
    assert!(before.starts_with(b"PK"));
    boss.post("/api/operator/invoice-settings", &format!("{settings}&rate=9")).await;
    w.clock.advance(MINUTE);
    assert_eq!(bytes(&boss).await, before);
    for path in [batch.clone(), file.clone(), format!("/invoices.xlsx?batch={id}&file=reversals")] {
        assert_eq!(boss.get(&path).await.status(), 200, "{path}");
        assert_eq!(other.get(&path).await.status(), 404, "{path}");
        assert_eq!(clerk.get(&path).await.status(), 403, "{path}");
    }
    let cancelled = other.post("/api/operator/invoice-cancel", &format!("batch={id}")).await;
    assert!(location(&cancelled).ends_with("e=not-found"), "{}", location(&cancelled));
    assert_eq!(location(&boss.post("/api/operator/invoice-cancel", &format!("batch={id}")).await), batch);
    let cancelled = text(&boss, &batch).await;
    assert!(cancelled.contains("作废") && !cancelled.contains("file=import") && cancelled.contains("file=reversals"));
    assert_eq!(boss.get(&file).await.status(), 409, "what was cancelled must not be imported");
    assert_eq!(w.number("SELECT COUNT(DISTINCT action) FROM audit WHERE action LIKE 'invoice.%'").await, 4);
    desk.adds_up().await;

    // Of an operator limited to some buildings, a batch names these, to everybody.
    let near = web.person_within(w, Role::Manager, "near", &Scope::Buildings([desk.room.building].into())).await;
    let form = format!("key={}&{days}&building=", desk.key());
    let limited = location(&near.post("/api/operator/invoice-export", &form).await).to_owned();
    assert!(text(&boss, &batch).await.contains("全部楼栋") && !text(&boss, &limited).await.contains("全部楼栋"));
    let named = "SELECT COUNT(*) FROM invoice_batches h JOIN places p ON p.name = h.buildings WHERE p.kind = 'building'";
    assert_eq!(w.number(named).await, 1);
    web.stop();
});
