//! A site of 10,000 rooms with meters behind 50 gateways from an XLSX workbook: read, checked and stored.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU16;
use std::time::Instant;

use domain::clock::{Clock, SystemClock};
use domain::framing::Framing;
use domain::order::Limits;
use domain::rng::Rng;
use domain::site_plan::{GatewayRow, MeterRow, Row, SiteRows};
use domain::wall_layout::Scope;
use estate::site_import::{self, Import, ImportWay};
use model::console::RoomName;
use model::gateway::{Dialling, Host};
use model::ids::UserId;
use model::language::Lang;
use model::meter::Wallet;
use model::permission::Permissions;
use model::person::{Role, Who};
use store::Db;
use store::users::{self, NewUser};
use workbook::{Model, Models};

use crate::database::Engine;
use crate::figure::Figure;
use crate::{Length, Outcome};

const ROOMS: u32 = 10_000;
/// Imports that a figure is the median of.
const RUNS: usize = 3;

pub async fn run(_: Length) -> Outcome<Vec<Figure>> {
    let models = models();
    let file = workbook::workbook(Lang::Zh, &models, &site()?)?;
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        let (mut seconds, mut megabytes) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let directory = tempfile::tempdir()?;
            let db = Db::open(&engine.url(directory.path()).await?).await?;
            let who = administrator(&db).await?;
            let idle = peak_mb_from_now();
            let begun = Instant::now();
            import(&db, &who, &file, &models).await?;
            seconds.push(begun.elapsed().as_secs_f64());
            megabytes.extend(idle.zip(peak_mb()).map(|(idle, peak)| peak - idle));
            db.close().await;
        }
        let (of, bytes) = (engine.as_str(), file.len());
        let against = format!("{ROOMS} rooms, {bytes} bytes of XLSX");
        figures.push(Figure::at_most(&format!("import.10k.{of}"), 5.0, "s", against, seconds));
        if !megabytes.is_empty() {
            figures.push(Figure::at_most(&format!("import.10k_memory.{of}"), 100.0, "MB", "over idle", megabytes));
        }
    }
    Ok(figures)
}

/// A database with that site, for other parts.
pub async fn site_of_10k(db: &Db) -> Outcome<Who> {
    let models = models();
    let file = workbook::workbook(Lang::Zh, &models, &site()?)?;
    let who = administrator(db).await?;
    import(db, &who, &file, &models).await?;
    Ok(who)
}

async fn administrator(db: &Db) -> Outcome<Who> {
    let user = NewUser { role: Role::Admin, login: "boss", name: "boss", password_hash: "", buildings: &Scope::All };
    let user: UserId = users::create(db, &Rng::from_system(), SystemClock.now(), &user, "bench").await?;
    Ok(Who { user, role: Role::Admin, permissions: Permissions::of(Role::Admin), name: "boss".into(), ip: String::new() })
}

async fn import(db: &Db, who: &Who, file: &[u8], models: &Models) -> Outcome<()> {
    let contents = workbook::read("site.xlsx", file, models);
    if let Some(problem) = contents.problems.first() {
        return Err(format!("{problem:?}").into());
    }
    let (limits, password_hashes) = (Limits::default(), HashMap::new());
    let import = Import {
        rows: &contents.rows,
        files: &[],
        site: "bench",
        password_hashes: &password_hashes,
        who,
        way: ImportWay::CommandLine,
        limits: &limits,
        progress: &|_| (),
    };
    let done = site_import::apply(db, &Rng::from_system(), SystemClock.now(), &import).await?;
    done.map(drop).map_err(|conflicts| format!("{conflicts:?}").into())
}

fn site() -> Outcome<SiteRows> {
    let mut rows = SiteRows::default();
    for number in 0..ROOMS {
        let room = RoomName {
            building: format!("B{}", number / 500),
            floor: format!("{}", number / 50 % 10),
            room: format!("{number:05}"),
        };
        let (gateway, unit) = (format!("G{}", number / 200), u8::try_from(number % 200 + 1)?);
        let framing = Framing::ModbusTcp;
        if unit == 1 {
            let value = GatewayRow {
                name: gateway.clone(),
                reach: Dialling::Dialled { host: Host::parse("10.0.0.1").ok_or("no host")?, port: NonZeroU16::MIN },
                framing,
                interval_s: None,
                tls_name: None,
            };
            rows.gateways.push(Row { number, value });
        }
        rows.rooms.push(Row { number, value: room.clone() });
        let serial = format!("{number:012}").parse()?;
        let value = MeterRow { serial, room, gateway, unit, profile: "rpp".into(), wallet: Wallet::Meter };
        rows.meters.push(Row { number, value });
    }
    Ok(rows)
}

/// Forgets the peak of this process's memory so far; gives what it takes now, MB. `None` where the system does not tell.
pub fn peak_mb_from_now() -> Option<f64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    peak_mb()
}

pub fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1_024.0)
}

fn models() -> Models {
    let meters = BTreeMap::from([("rpp".to_owned(), Model { wallet: Wallet::Meter, relay: true })]);
    Models { meters, ..Models::default() }
}
