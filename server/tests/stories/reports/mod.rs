//! Reports against sums of the raw rows that are made here, on three months of a site's life, on both databases.

mod abnormal_alarms;
mod accounts;
mod analysis;
mod at_once;
mod edited_rows;
mod energy;
mod instruments;
mod losses;
mod open_cases;
mod page;
mod sales;

use std::net::SocketAddr;

use domain::clock::Clock;
use model::gateway::SweepInterval;
use model::ids::UserId;
use model::report::{Cell, Heading, RangeProblem, Report, ReportKind, ReportQuery, Section};
use model::time::{Date, Timestamp};
use reports::Subject;
use reports::place_energy;
use server::demo::seed::{self, Seed};
use server::demo::site::{self, Room};
use simulator::Load;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use store::Db;
use story_support::shop::bank_keys;
use story_support::{Template, World};

/// A few rooms of each building, on two floors, with all that is special.
fn rooms() -> Vec<Room> {
    let few = |room: &Room| {
        room.number <= 9 && room.floor <= 1
            || room.number <= 2 && room.floor == 2
            || room.vacated_days_ago.is_some()
            || room.building > 3
    };
    site::rooms(1).into_iter().filter(few).collect()
}

/// Worlds with the demo's past, which ends at the test's clock, and with energy rolled up. It is made once for each database.
pub mod past {
    use story_support::Template;
    use tokio::sync::OnceCell;

    use super::{World, lived_in};

    pub async fn sqlite() -> World {
        static PAST: OnceCell<Template> = OnceCell::const_new();
        World::copy_of(PAST.get_or_init(|| async { lived_in(World::sqlite().await).await }).await).await
    }

    pub async fn postgres() -> World {
        static PAST: OnceCell<Template> = OnceCell::const_new();
        World::copy_of(PAST.get_or_init(|| async { lived_in(World::postgres().await).await }).await).await
    }
}

async fn lived_in(w: World) -> Template {
    let rooms = rooms();
    let seed = Seed {
        rooms: &rooms,
        gateways: &[SocketAddr::from(([127, 0, 0, 1], 1502)); 5],
        load: &Load::Curve,
        password_hash: "unused",
        operator: "operator",
        supervisor: "supervisor",
        keys: bank_keys(),
    };
    seed::run(&w.db, &w.rng, w.clock.now(), &seed).await.unwrap().stop().await;
    assert!(place_energy::roll(&w.db, w.clock.now()).await.unwrap().rebuilt);
    w.into_template().await
}

/// All rows of a query.
pub async fn rows<T>(w: &World, sql: &str) -> Vec<T>
where
    T: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin,
{
    let sql = AssertSqlSafe(sql.to_owned());
    match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_as(sql).fetch_all(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_as(sql).fetch_all(pool).await.unwrap(),
    }
}

pub async fn operator(w: &World, login: &str) -> UserId {
    UserId(store::users::by_login(&w.db, login).await.unwrap().unwrap().id)
}

/// An operator of one building, by its name.
pub async fn limited(w: &World, building: &str) -> UserId {
    let sql = format!(
        "INSERT INTO operator_buildings (user_id, place_id)
         SELECT u.id, p.id FROM users u, places p WHERE u.login = 'supervisor' AND p.name = '{building}'"
    );
    w.by_hand(&sql).await.unwrap();
    w.limit("supervisor").await;
    operator(w, "supervisor").await
}

/// A report as the service makes it.
pub async fn report(w: &World, who: UserId, kind: ReportKind, fields: &[(&str, &str)]) -> Result<Report, RangeProblem> {
    let field = |name: &'static str| {
        let value = fields.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        value.unwrap_or_default().to_owned()
    };
    let query = ReportQuery::parse(kind, field, w.clock.now().date())?;
    let subject = Subject::find(&w.db, who, kind, &query).await.unwrap()?;
    reports::make(&w.db, w.clock.now(), who, kind, &query, &subject, usual_interval()).await.unwrap()
}

/// The demo's past has a few readings a day.
pub fn usual_interval() -> SweepInterval {
    SweepInterval::new(6 * 3_600).unwrap()
}

pub fn section(report: &Report, title: Heading) -> &Section {
    report.sections.iter().find(|section| section.title == title).unwrap_or_else(|| panic!("no {title:?}"))
}

/// The amounts of a column by the cell that names the row; what is empty is left out.
pub fn column(section: &Section, heading: Heading) -> Vec<(Cell, i64)> {
    let index = section.columns.iter().position(|column| column.heading == heading).unwrap();
    let amount = |row: &Vec<Cell>| Some((row[0].clone(), row[index].amount()?));
    section.rows.iter().filter_map(amount).collect()
}

/// The total of a column.
pub fn total(section: &Section, heading: Heading) -> i64 {
    let index = section.columns.iter().position(|column| column.heading == heading).unwrap();
    section.totals().unwrap()[index].amount().unwrap()
}

pub fn day(at: i64) -> Date {
    Timestamp(at).date()
}
