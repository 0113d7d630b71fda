//! Three months of a site's life, made by the product's own functions with a clock that goes from day to day: readings and what
//! follows from them, sales by all tenders, shifts, corrections, a change of prices. All of it is worked back from what the
//! simulated meters show now, so that meters, ledger and readings agree.

mod delivery;
mod desk;
mod incidents;
mod invoices;
mod messages;
mod moves;
mod online;
mod readings;
mod residents_site;
mod room;
mod roommates;
mod server_wallets;
mod staff;
mod subsidies;
mod usage;

use std::error::Error;

use model::ids::PlaceId;
use model::person::Who;
use model::tariff::Prices;
use model::time::{Date, MINUTE, Timestamp};

use super::site;
use desk::Desk;
use domain::rng::Rng;
use estate::places;
use incidents::Incident;
pub use messages::FIRST_NUMBER;
use moves::{Move, MoveKind};
use online::Online;
use readings::Readings;
pub use room::PastRoom;
use simulator::Load;
use store::accounts::{self, NewResident, TakeOver};
use store::prices::{self, Publication};
use store::{Db, consumption};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Days of it.
pub const DAYS: i64 = 92;
/// The plan of the rooms.
const PLAN: &str = "宿舍电价";
/// Days between two postings of what meters used.
const POSTED_EVERY: i64 = 23;

/// From the take-over of the site until now.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// An instant at midnight.
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Span {
    /// The last three months.
    #[must_use]
    pub const fn before(now: Timestamp) -> Self {
        Self { from: now.date().plus(-DAYS).start(), until: now }
    }

    fn days(&self) -> impl Iterator<Item = Date> + use<> {
        (self.from.date().0..=self.until.date().0).map(Date)
    }
}

/// What the past is made for.
pub struct Site<'a> {
    pub load: &'a Load,
    /// Argon2id hash of everybody's password.
    pub password_hash: &'a str,
    /// The login of who approves.
    pub supervisor: &'a str,
    /// The building with a manager of its own and a subsidy.
    pub building: PlaceId,
    /// Of the payment channels.
    pub keys: sandbox::Keys,
}

/// Something that happens on a day.
#[derive(Clone, Copy)]
enum Step<'a, 'b> {
    Opens,
    Closes,
    Statements,
    Grants,
    Ends(&'a PastRoom<'b>),
    Happens(&'a Incident),
    Moves(&'a PastRoom<'b>, Move),
}

/// Makes the past of rooms whose places and meters are stored. Gives the sandbox with what was paid there.
pub async fn make(db: &Db, rng: &Rng, span: &Span, site: &Site<'_>, mut rooms: Vec<PastRoom<'_>>) -> Result<sandbox::Sandbox> {
    let staff = staff::hire(db, rng, span.from, site.supervisor, site.password_hash, site.building).await?;
    server_wallets::plan(span, &mut rooms);
    publish(db, rng, span, &staff.supervisor).await?;
    take_over(db, rng, span, site.password_hash, &mut rooms).await?;
    server_wallets::take_over(db, rng, span, &staff.supervisor, site.password_hash, &mut rooms).await?;
    messages::enrol(db, rng, span, &rooms).await?;
    roommates::join(db, rng, span, site.password_hash, &rooms).await?;
    messages::write(db, span, &staff.supervisor).await?;
    subsidies::decide(db, rng, span, &staff, site.building).await?;
    let mut online = Online::start(db, rng, span.from, site.keys.clone()).await?;
    let (mut desk, mut readings) = (Desk::new(db, rng, &staff), Readings::new(site.load));
    let incidents = incidents::plan(span);
    for day in span.days() {
        server_wallets::announce(db, rng, span, day, &staff.supervisor).await?;
        live(&mut desk, &mut online, (span, &incidents), day, &rooms).await?;
        readings.write(db, rng, span, day, &rooms).await?;
        messages::deliver(db, span, day).await?;
        if (day.0 - span.from.date().0) % POSTED_EVERY == POSTED_EVERY - 1 || day == span.until.date() {
            post_consumption(db, rng, &rooms).await?;
        }
    }
    incidents::alarms(db, rng, span, &rooms).await?;
    invoices::export(db, rng, span, &staff.supervisor).await?;
    residents_site::set(db, rng, span, &staff.supervisor, &rooms).await?;
    Ok(online.sandbox)
}

/// One price for the site, which its meters have.
async fn publish(db: &Db, rng: &Rng, span: &Span, by: &Who) -> store::Result<()> {
    let prices = Prices { rates: site::PRICES, ..Prices::default() };
    let plan =
        prices::publish(db, rng, span.from, Some(by), &Publication { plan: PLAN.into(), effective_at: None, prices }).await?;
    for site in places::sites(db).await? {
        prices::assign(db, span.from, Some(by), site, plan).await?;
    }
    Ok(())
}

/// What happens on a day, in the order of time.
async fn live(
    desk: &mut Desk<'_>,
    online: &mut Online<'_>,
    (span, incidents): (&Span, &[(Timestamp, Incident)]),
    day: Date,
    rooms: &[PastRoom<'_>],
) -> Result<()> {
    let (db, rng) = (desk.db, desk.rng);
    let [opens, closes] = Desk::hours(span, day);
    let fetched = day.start().plus(online::STATEMENTS);
    let moves = |past| moves_of(day, past).map(move |step| (step.at, Step::Moves(past, step)));
    let mut steps: Vec<(Timestamp, Step<'_, '_>)> = rooms.iter().flat_map(moves).collect();
    steps.extend(opens.map(|at| (at, Step::Opens)).into_iter().chain(closes.map(|at| (at, Step::Closes))));
    if day > span.from.date() && fetched.plus(MINUTE) < span.until {
        steps.push((fetched, Step::Statements));
    }
    if subsidies::is_granted(span, day) {
        steps.push((subsidies::granted_at(day), Step::Grants));
    }
    let here = incidents.iter().filter(|(at, _)| at.date() == day);
    steps.extend(here.map(|(at, what)| (*at, Step::Happens(what))));
    let ends = |past: &'_ PastRoom<'_>| past.ends.filter(|at| at.date() == day);
    steps.extend(rooms.iter().filter_map(|past| ends(past).map(|at| (at, Step::Ends(past)))));
    steps.sort_by_key(|(at, _)| *at);
    for (at, step) in steps {
        match step {
            Step::Opens => desk.open(at).await?,
            Step::Closes => desk.close(at).await?,
            Step::Statements => online.settle(at, day.plus(-1), &desk.staff.accountant).await?,
            Step::Grants => subsidies::grant(db, rng, day, rooms).await?,
            Step::Ends(past) => desk.end(at, past).await?,
            Step::Happens(what) => incidents::happen(db, rng, (at, what), desk.staff, rooms).await?,
            Step::Moves(past, step) => match step.kind {
                MoveKind::Desk(tender) => desk.sell(at, past, tender, step.fen).await?,
                MoveKind::Online(tender) => online.buy(at, past, tender, step.fen).await?,
                MoveKind::Undo => desk.undo(at, past, -step.fen).await?,
                MoveKind::Return => desk.pay_back(at, past, -step.fen).await?,
                MoveKind::Subsidy => {}
            },
        }
    }
    Ok(())
}

/// The moves of a room on a day.
fn moves_of(day: Date, past: &PastRoom<'_>) -> impl Iterator<Item = Move> + use<> {
    let (from, to) = (day.start(), day.plus(1).start());
    let moves: Vec<Move> = past.moves.iter().copied().filter(|step| from <= step.at && step.at < to).collect();
    moves.into_iter()
}

/// Takes over what meters held at the beginning.
async fn take_over(db: &Db, rng: &Rng, span: &Span, hash: &str, rooms: &mut [PastRoom<'_>]) -> store::Result<()> {
    let mut open: Vec<&mut PastRoom<'_>> = rooms.iter_mut().filter(|past| past.open().is_some()).collect();
    let account = |past: &&mut PastRoom<'_>| {
        let account = past.open()?;
        let (count, cumulative) = past.bought(span.from);
        Some(TakeOver {
            meter: past.meter,
            number: account.number.to_string(),
            opened_at: span.from,
            epoch: account.epoch,
            count,
            cumulative,
            resident: Some(NewResident {
                name: format!("{} {}室", site::building(past.room.building), past.room.name()),
                login: past.room.login(),
                password_hash: hash.to_owned(),
            }),
        })
    };
    let held: Vec<TakeOver> = open.iter().filter_map(account).collect();
    let accounts = accounts::take_over(db, rng, span.from, &held).await?;
    open.iter_mut().zip(accounts).for_each(|(past, account)| past.account = Some(account));
    Ok(())
}

/// Posts what meters used up to their last reading.
async fn post_consumption(db: &Db, rng: &Rng, rooms: &[PastRoom<'_>]) -> store::Result<()> {
    for past in rooms.iter().filter(|past| past.open().is_some()) {
        if let Some(account) = past.account {
            consumption::post_newest(db, rng, account, past.meter).await?;
        }
    }
    Ok(())
}
