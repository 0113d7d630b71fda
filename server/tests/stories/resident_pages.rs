//! Every page of the residents' site, by the access table, in both languages: for somebody with a room, for somebody who never
//! had one, and after the account was closed.

use app::access::{Access, PAGES};
use app::i18n::price_steps::DayTitle;
use app::i18n::{Lang, alerts, cash_desk, common, kiosk, pay, personal, resident, roommates, site};
use domain::clock::Clock;
use model::console::ReceiptOf;
use model::ids::{CommandId, OrderId};
use model::log_in::LogInMethod;
use model::person::Role;
use model::time::{Date, HOUR};
use residents::rooms::{self, Switch};
use services::auth::hash;
use store::sessions::{self, NewSession};
use story_support::shop::Shop;
use story_support::web::{Person, Web, location};
use story_support::{World, both};

use super::payment_buttons::web;

/// What the pages are about.
struct Subjects {
    room: String,
    today: Date,
    open: OrderId,
    paid: OrderId,
    switch: CommandId,
}

impl Subjects {
    /// The address of a page by its line in the access table, and its heading.
    fn page(&self, rule: &'static str, lang: Lang) -> (String, String) {
        let (r, p) = (resident::texts(lang), personal::texts(lang));
        let plain = |heading: &str| (rule.to_owned(), heading.to_owned());
        let of_order = |order: OrderId, heading: &str| (rule.replace(":id", &order.to_string()), heading.to_owned());
        match rule {
            "/home" => plain(&self.room),
            "/usage" => plain(r.usage),
            "/usage/days/:day" => {
                let day = common::calendar_day(self.today, self.today, lang);
                (format!("/usage/days/{}", self.today), DayTitle { day }.text(lang))
            }
            "/topup" => plain(r.top_up),
            "/topup/other" => plain(pay::texts(lang).title),
            "/orders/:id" => of_order(self.open, r.order),
            "/orders/:id/pay" => of_order(self.open, r.pay_title),
            "/orders/:id/receipt" => of_order(self.paid, cash_desk::receipt(ReceiptOf::Online, lang)),
            "/switch" => plain(r.switch),
            "/switch/:id" => (rule.replace(":id", &self.switch.to_string()), r.switch.to_owned()),
            "/records" => plain(r.records),
            "/me" => plain(r.me),
            "/me/alerts" => plain(alerts::texts(lang).title),
            "/me/data" => plain(p.data),
            "/me/roommates" => plain(roommates::texts(lang).title),
            "/me/split" => plain(roommates::texts(lang).split),
            "/me/tokens" => plain(p.tokens),
            "/me/kiosk" => plain(kiosk::texts(lang).code_title),
            "/me/wechat" => plain(p.wechat),
            "/kiosk/confirm" => ("/kiosk/confirm?done=1".to_owned(), kiosk::texts(lang).confirm_title.to_owned()),
            "/emergency-credit" => plain(r.emergency),
            "/help" => plain(r.help),
            "/help/api" => plain(p.api),
            _ => panic!("{rule} is a page of the residents' site that this story does not open"),
        }
    }
}

/// Whether a page is about the room, its account or its orders: without one it says so.
fn is_of_room(rule: &str) -> bool {
    matches!(rule, "/home" | "/topup" | "/records" | "/me/roommates" | "/me/split" | "/emergency-credit")
        || ["/usage", "/orders", "/switch"].iter().any(|area| rule.starts_with(area))
}

fn rules() -> Vec<&'static str> {
    PAGES.iter().filter(|(_, access)| *access == Access::Resident).map(|(rule, _)| *rule).collect()
}

/// Status and title of a page, which has one heading with something in it.
async fn opened(person: &Person<'_>, path: &str, lang: Lang) -> (u16, String) {
    let mut reader = person.clone();
    reader.cookie = format!("{}; lang={}", person.cookie, lang.tag());
    let answer = reader.get(path).await;
    let status = answer.status().as_u16();
    let page = answer.text().await.unwrap().replace("&#x27;", "'").replace("&#39;", "'");
    assert!(page.contains(&format!("lang=\"{}\"", lang.tag())), "{path} in {lang:?}: {page}");
    let headings: Vec<&str> = page.split("<h1").skip(1).collect();
    assert_eq!(headings.len(), 1, "{path} in {lang:?}: {page}");
    let heading = headings[0].split("</h1>").next().unwrap().split_once('>').unwrap().1;
    let title = page.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
    assert!(!heading.trim().is_empty() && !title.is_empty(), "{path} in {lang:?}: {page}");
    (status, title.trim_end_matches(" · Dormwatt").to_owned())
}

/// Opens every page as somebody without a room.
async fn without_room(person: &Person<'_>, all: &Subjects) {
    for lang in Lang::ALL {
        for rule in rules() {
            let (path, heading) = all.page(rule, lang);
            let expected = match rule {
                // A receipt is a paper of its own.
                "/orders/:id/receipt" => (404, site::texts(lang).not_found.to_owned()),
                _ if is_of_room(rule) => (404, resident::texts(lang).no_room.to_owned()),
                _ => (200, heading),
            };
            assert_eq!(opened(person, &path, lang).await, expected, "{path} without a room");
        }
    }
}

/// A room with a switch that is under way, an order that is paid and one that is not.
async fn subjects(shop: &Shop) -> Subjects {
    let (w, room) = (&shop.world, shop.room);
    let (paid, number) = shop.at_the_cashier(2_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let (open, _) = shop.at_the_cashier(1_000).await;
    let now = w.clock.now();
    let (key, account, meter, by) = (w.rng.id(now), room.account, room.meter, room.resident);
    let request = Switch { key, account, meter, on: false, by, ip: String::new(), schedule: None };
    let switch = rooms::switch(&w.db, &w.rng, now, &request).await.unwrap();
    let room = w.word("SELECT name FROM places WHERE kind = 'room'").await;
    Subjects { room, today: now.date(), open, paid, switch }
}

/// The resident of the room, who is logged in.
async fn lives_there<'a>(shop: &Shop, web: &'a Web) -> Person<'a> {
    let (now, user, log_in) = (shop.world.clock.now(), shop.room.resident, LogInMethod::Password.into());
    let (ip, agent) = ("127.0.0.1".to_owned(), String::new());
    let session = NewSession { hash: hash("one"), user, log_in, ip, agent, expires: now.plus(HOUR) };
    sessions::open(&shop.world.db, now, &session).await.unwrap();
    let mut person = web.visitor();
    person.cookie = "__Host-dormwatt=one".to_owned();
    person
}

both!(every_resident_page_opens_in_both_languages, |w: World| async move {
    let shop = Shop::open(w).await;
    let all = subjects(&shop).await;
    let (w, web) = (&shop.world, web(&shop).await);
    w.execute("UPDATE site_settings SET pay_for_others = TRUE").await;
    let li = lives_there(&shop, &web).await;
    for lang in Lang::ALL {
        for rule in rules() {
            let (path, heading) = all.page(rule, lang);
            assert_eq!(opened(&li, &path, lang).await, (200, heading), "{path}");
        }
    }

    let newcomer = web.person(w, Role::Resident, "zhao").await;
    without_room(&newcomer, &all).await;

    let operators = [web.person(w, Role::Admin, "boss").await, web.person(w, Role::Cashier, "wang").await];
    for rule in rules() {
        let (path, _) = all.page(rule, Lang::Zh);
        let stranger = web.visitor().get(&path).await;
        assert_eq!(stranger.status(), 303, "{path}");
        assert!(location(&stranger).starts_with("/login?"), "{path} leads to {}", location(&stranger));
        for operator in &operators {
            assert_eq!(operator.get(&path).await.status(), 403, "{path}");
        }
    }

    // The account is closed. Its resident still logs in, and keeps what is their own.
    w.execute("UPDATE account_residents SET to_at = 2000000000000").await;
    w.execute("UPDATE account_meters SET to_at = 2000000000000").await;
    w.execute("UPDATE accounts SET state = 'closed', closed_at = 2000000000000").await;
    without_room(&li, &all).await;
    web.stop();
});
