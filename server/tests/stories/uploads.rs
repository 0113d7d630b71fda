//! Import by page: bounds of an upload, what is kept for whom and how long, dry run, import, export; on both databases.

use std::sync::Arc;

use domain::order::Limits;
use meters::profile::Profiles;
use model::error::AppError;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::HOUR;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE};
use services::auth::Passwords;
use services::site::SiteService;
use services::site_import::SiteImportService;
use story_support::site::{SOON, until};
use story_support::web::{Person, Web, field, location};
use story_support::{World, both};

const ROOMS: &str = "楼栋,楼层,房间\n1号楼,1层,101\n1号楼,1层,102\n";
const GATEWAYS: &str = "Gateway,Host,Port\nG1,127.0.0.1,15021\n";
const METERS: &str = "Serial number,Building,Floor,Room,Gateway,Unit id,Profile\n000000000161,1号楼,1层,101,G1,1,rpp\n";
const UPLOAD: &str = "/api/operator/site/upload";

/// The body of a form with these files.
fn form(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in files {
        body.extend(format!("--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--X--\r\n");
    body
}

/// Uploads as a browser does; gives where it is led.
async fn upload(web: &Web, person: &Person<'_>, files: &[(&str, &[u8])]) -> String {
    let request = web.client.post(format!("{}{UPLOAD}", web.base)).header(COOKIE, &person.cookie).header(ACCEPT, "text/html");
    let request = request.header(CONTENT_TYPE, "multipart/form-data; boundary=X").body(form(files));
    location(&request.send().await.unwrap()).to_owned()
}

async fn page(person: &Person<'_>) -> String {
    person.get("/import").await.text().await.unwrap()
}

/// The id of what is kept, as the page's forms have it.
fn id(page: &str) -> String {
    field(page, "id").to_owned()
}

const ALL: [(&str, &[u8]); 3] =
    [("rooms.csv", ROOMS.as_bytes()), ("gateways.csv", GATEWAYS.as_bytes()), ("meters.csv", METERS.as_bytes())];

both!(files_are_checked_first_and_then_imported, |w: World| async move {
    let web = Web::start(&w).await;
    let admin = web.person(&w, Role::Admin, "admin").await;
    assert_eq!(upload(&web, &admin, &ALL).await, "/import");
    let shown = page(&admin).await;
    assert!(shown.contains("rooms.csv, gateways.csv, meters.csv"), "{shown}");
    assert_eq!(w.number("SELECT COUNT(*) FROM places WHERE kind = 'room'").await, 0, "nothing is stored by a dry run");
    let done = admin.post("/api/operator/site/import", &format!("id={}", id(&shown))).await;
    assert_eq!(location(&done), "/import");
    until(SOON, "the import", || async { page(&admin).await.contains("导入完成") }).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM places WHERE kind = 'room'").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM meters WHERE serial = '000000000161'").await, 1);
    // The export is a file that changes nothing.
    let export = admin.get("/site.xlsx").await;
    assert_eq!(export.status(), 200);
    let export = export.bytes().await.unwrap();
    assert!(export.starts_with(b"PK"));
    assert_eq!(upload(&web, &admin, &[("site.xlsx", &export)]).await, "/import");
    let shown = page(&admin).await;
    assert!(!shown.contains("/api/operator/site/import"), "nothing to import");
    let template = admin.get("/template.xlsx").await.bytes().await.unwrap();
    assert_eq!(upload(&web, &admin, &[("template.xlsx", &template)]).await, "/import");
    story_support::closings::proved(&w).await;
});

both!(few_uploads_are_received_at_once, |w: World| async move {
    let (context, profiles) = (w.context().await, Profiles::load(None).unwrap());
    let passwords = Passwords::new(w.rng.clone()).unwrap();
    let site = SiteService::new(context.clone(), passwords, &profiles, Limits::default());
    let uploads = SiteImportService::new(context, Arc::new(site));
    let permissions = Permissions::of(Role::Admin);
    let who = Who { user: w.clerk().await, role: Role::Admin, permissions, name: String::new(), ip: String::new() };
    let held = (uploads.admit(&who).await.unwrap(), uploads.admit(&who).await.unwrap());
    assert_eq!(uploads.admit(&who).await.unwrap_err(), AppError::Unavailable);
    drop(held);
    assert!(uploads.admit(&who).await.is_ok());
});

both!(problems_are_shown_by_sheet_and_cell, |w: World| async move {
    let web = Web::start(&w).await;
    let admin = web.person(&w, Role::Admin, "admin").await;
    let gateways = "Gateway,Host,Port\nG1,192.168.1.300,502\nG2,gw 1,502\nG3,gw-1.example,70000\nG4,gw_1,502\n";
    let accounts = "楼栋,楼层,房间,住户,登录名\n1号楼,1层,101,张三,zhang san\n";
    upload(
        &web,
        &admin,
        &[("rooms.csv", ROOMS.as_bytes()), ("gateways.csv", gateways.as_bytes()), ("accounts.csv", accounts.as_bytes())],
    )
    .await;
    let shown = page(&admin).await;
    for cell in ["B2", "B3", "C4", "B5", "E2"] {
        assert!(shown.contains(&format!(">{cell}</td>")), "{cell}: {shown}");
    }
    let refused = admin.post("/api/operator/site/import", &format!("id={}", id(&shown))).await;
    assert!(location(&refused).ends_with("e=conflict"));
    assert_eq!(w.number("SELECT COUNT(*) FROM gateways").await, 0);
    // Two files of one kind, and a name that is none of the template's.
    upload(&web, &admin, &[("rooms.csv", ROOMS.as_bytes()), ("房间.csv", ROOMS.as_bytes()), ("notes2.csv", b"a,b\n")]).await;
    assert!(page(&admin).await.matches("<tr>").count() >= 3);
});

both!(an_upload_belongs_to_one_person_for_an_hour, |w: World| async move {
    let web = Web::start(&w).await;
    let admin = web.person(&w, Role::Admin, "admin").await;
    let other = web.person(&w, Role::Admin, "other").await;
    upload(&web, &admin, &ALL).await;
    let first = id(&page(&admin).await);
    assert!(!page(&other).await.contains("rooms.csv"));
    let stolen = other.post("/api/operator/site/import", &format!("id={first}")).await;
    assert!(location(&stolen).ends_with("e=conflict"), "{}", location(&stolen));
    // Another upload takes its place.
    upload(&web, &admin, &ALL[..1]).await;
    let second = id(&page(&admin).await);
    assert_ne!(first, second);
    let old = admin.post("/api/operator/site/import", &format!("id={first}")).await;
    assert!(location(&old).ends_with("e=conflict"));
    admin.post("/api/operator/site/discard", &format!("id={second}")).await;
    assert!(!page(&admin).await.contains("rooms.csv"));
    upload(&web, &admin, &ALL).await;
    w.clock.advance(HOUR);
    assert!(!page(&admin).await.contains("rooms.csv"), "removed after an hour");
    assert_eq!(w.number("SELECT COUNT(*) FROM places WHERE kind = 'room'").await, 0);
});

both!(uploads_are_bounded_and_for_those_who_may, |w: World| async move {
    let web = Web::start(&w).await;
    let admin = web.person(&w, Role::Admin, "admin").await;
    let begun = std::time::Instant::now();
    // 200 MB are announced and not waited for.
    let request = web.client.post(format!("{}{UPLOAD}", web.base)).header(COOKIE, &admin.cookie).header(ACCEPT, "text/html");
    let request = request.header(CONTENT_TYPE, "multipart/form-data; boundary=X").body(vec![b'x'; 200 << 20]);
    let answer = request.send().await.unwrap();
    assert_eq!(location(&answer), "/import?e=file-too-large");
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    assert_eq!(upload(&web, &admin, &[]).await, "/import?e=no-file");
    assert_eq!(upload(&web, &admin, &[("", b"")]).await, "/import?e=no-file");
    let many: Vec<(&str, &[u8])> = (0..11).map(|_| ("rooms.csv", ROOMS.as_bytes())).collect();
    assert_eq!(upload(&web, &admin, &many).await, "/import?e=list-too-long");
    let plain = admin.post(UPLOAD, "file=x").await;
    assert_eq!(location(&plain), "/import?e=invalid");
    // Larger than any form, and smaller than the bound: it is read, and is no table.
    let large = vec![0_u8; 1 << 20];
    assert_eq!(upload(&web, &admin, &[("rooms.csv", &large)]).await, "/import");
    let clerk = web.person(&w, Role::Cashier, "clerk").await;
    for path in ["/import", "/site.xlsx", "/template.xlsx"] {
        assert_eq!(clerk.get(path).await.status(), 403, "{path}");
    }
    assert_eq!(upload(&web, &clerk, &ALL).await, "", "refused without a redirect");
    assert!(upload(&web, &web.visitor(), &ALL).await.starts_with("/login"));
});

const PRICES: &[u8] = "Price plan,Building,Price\n居民,,0.65\n".as_bytes();
const DEARER: &[u8] = "Price plan,Building,Price\n居民,,0.70\n".as_bytes();
const ELSEWHERE: &[u8] = "Price plan,Building,Price\n居民,,0.65\n居民,1号楼,0.65\n".as_bytes();

both!(imported_prices_need_whoever_approves_them, |w: World| async move {
    let web = Web::start(&w).await;
    let admin = web.person(&w, Role::Admin, "admin").await;
    let published = || async { w.number("SELECT COUNT(*) FROM price_versions").await };
    // Nobody else is there who could approve.
    upload(&web, &admin, &[("rooms.csv", ROOMS.as_bytes()), ("prices.csv", PRICES)]).await;
    admin.post("/api/operator/site/import", &format!("id={}", id(&page(&admin).await))).await;
    until(SOON, "the import", || async { page(&admin).await.contains("导入完成") }).await;
    assert_eq!(published().await, 1);
    w.clock.advance(60_000);
    // Somebody comes between the dry run and the import.
    upload(&web, &admin, &[("prices.csv", DEARER)]).await;
    let checked = page(&admin).await;
    let _other = web.person(&w, Role::Admin, "other").await;
    admin.post("/api/operator/site/import", &format!("id={}", id(&checked))).await;
    until(SOON, "the refusal", || async { page(&admin).await.contains(">A2</td>") }).await;
    assert!(page(&admin).await.contains("须由另一人复核"));
    for (file, cell) in [(DEARER, "A2"), (ELSEWHERE, "B3")] {
        upload(&web, &admin, &[("prices.csv", file)]).await;
        let refused = page(&admin).await;
        assert!(refused.contains(&format!(">{cell}</td>")), "{refused}");
        let done = admin.post("/api/operator/site/import", &format!("id={}", id(&refused))).await;
        assert!(location(&done).ends_with("e=conflict"));
    }
    upload(&web, &admin, &[("prices.csv", PRICES)]).await;
    assert!(!page(&admin).await.contains("须由另一人复核"), "what does not differ is no change");
    assert_eq!((published().await, w.number("SELECT COUNT(*) FROM price_places").await), (1, 1));
    // Whoever has the machine decides alone.
    let (context, profiles) = (w.context().await, Profiles::load(None).unwrap());
    let site = SiteService::new(context, Passwords::new(w.rng.clone()).unwrap(), &profiles, Limits::default());
    let who = w.admin("third").await;
    assert_eq!(site.import(&who, "园区", "prices.csv", DEARER).await.unwrap().problem_count, 0);
    assert_eq!(published().await, 2);
    story_support::closings::proved(&w).await;
});
