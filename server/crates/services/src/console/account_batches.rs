//! Accounts that are opened or closed together.

use std::collections::{BTreeMap, HashMap, HashSet};

use app::api::account_batches::{AccountBatchesPort, Closures, Openings};
use async_trait::async_trait;
use domain::wall_layout::MeterPlace;
use model::console::{
    AccountBatchKind, AccountBatchLine, AccountBatchPreview, AccountBatchView, AccountState, BATCH_ROOMS_MAX, OpeningLine, Page,
    RoomName, RoomObstacle, RoomToClose, RoomToOpen, Target,
};
use model::error::AppError;
use model::ids::{AccountBatchId, MeterId, PlaceId};
use model::meter::{Latest, Wallet};
use model::money::Fen;
use model::person::Who;

use super::ConsoleService;
use super::batches::digest_of;
use super::room_names::rooms_named;
use estate::account_batches::{self, NewAccountBatch, NewBatchRoom};
use queries::MeterOfRoom;
use store::{prices, users};

/// A room with its meters as they are.
struct RoomNow {
    name: RoomName,
    meters: Vec<(MeterOfRoom, Latest)>,
}

impl RoomNow {
    /// The meters that may get an account.
    fn selling(&self) -> impl Iterator<Item = &(MeterOfRoom, Latest)> {
        self.meters.iter().filter(|(meter, _)| meter.wallet != Wallet::None)
    }

    fn account(&self) -> Option<&MeterOfRoom> {
        self.meters.iter().map(|(meter, _)| meter).find(|meter| meter.account_id.is_some())
    }

    fn lost(&self) -> usize {
        self.selling().filter(|(_, latest)| latest.state().is_unread()).count()
    }
}

#[async_trait]
impl AccountBatchesPort for ConsoleService {
    async fn preview_openings(&self, who: &Who, wanted: &Openings) -> Result<AccountBatchPreview<RoomToOpen>, AppError> {
        let mut preview = empty(wanted.wrong.clone());
        if wanted.is_empty() {
            return Ok(preview);
        }
        let (rooms, unknown) = self.rooms_of(who, &wanted.target).await?;
        preview.unknown.extend(unknown);
        let priced = self.priced().await?;
        let wanted_logins: Vec<&str> = wanted.lines.iter().filter_map(|line| Some(line.resident.as_ref()?.1.as_str())).collect();
        let taken = users::taken(&self.context.db, &wanted_logins).await?;
        let scope = queries::scope(&self.context.db, who.user).await?;
        let names: HashSet<RoomName> =
            self.context.live.meter_places(&scope).into_iter().map(|(place, _)| place.name()).collect();
        let names: Vec<_> = names.into_iter().map(|name| ((), name)).collect();
        let lines = by_room(&wanted.lines, &names);
        let mut logins: HashSet<&str> = HashSet::new();
        for (place, room) in rooms {
            let of_room = lines.get(&room.name).map(Vec::as_slice).unwrap_or_default();
            let line = of_room.first();
            let resident = line.and_then(|line| line.resident.clone());
            let login = line.and_then(|line| line.resident.as_ref()).map(|(_, login)| login.as_str());
            let amount = line.and_then(|line| line.amount).unwrap_or(wanted.amount);
            let obstacle = match cannot_open(&room, priced.contains(&place)) {
                None if of_room.len() > 1 => Some(RoomObstacle::RoomRepeated),
                None if login.is_some_and(|login| !logins.insert(login)) => Some(RoomObstacle::LoginRepeated),
                None if login.is_some_and(|login| taken.contains(login)) => Some(RoomObstacle::LoginTaken),
                None => self.is_over_limit(&room, amount).then_some(RoomObstacle::OverHoardingLimit),
                obstacle => obstacle,
            };
            match obstacle {
                Some(obstacle) => preview.left_out.push((room.name, obstacle)),
                None => {
                    let (meters, lost) = (room.selling().count(), room.lost());
                    preview.rooms.push(RoomToOpen { place, room: room.name, meters, lost, resident, amount });
                }
            }
        }
        preview.left_out.sort_by_key(|(_, obstacle)| *obstacle);
        preview.seal = digest_of(preview.rooms.iter().map(|room| room.place.0));
        Ok(preview)
    }

    async fn open_accounts(&self, who: &Who, id: AccountBatchId, wanted: &Openings, seal: &str) -> Result<(), AppError> {
        if self.is_stored(who, id, AccountBatchKind::Open).await? {
            return Ok(());
        }
        let preview = self.preview_openings(who, wanted).await?;
        if preview.seal != seal {
            return Err(AppError::Conflict);
        }
        let rooms: Vec<NewBatchRoom> = preview.rooms.into_iter().map(opening).collect();
        // What is taken over comes from nowhere, so it takes who may import a site with its balances.
        let carries = rooms.iter().any(|room| room.amount > Fen::ZERO);
        if carries && !self.context.answers_for_site(who).await? {
            return Err(AppError::Forbidden);
        }
        let reason = String::new();
        let batch = NewAccountBatch { id, kind: AccountBatchKind::Open, tender: None, reason, rooms };
        Ok(account_batches::create(&self.context.db, &self.context.rng, self.context.now(), who, &batch).await?)
    }

    async fn preview_closures(&self, who: &Who, target: &Target) -> Result<AccountBatchPreview<RoomToClose>, AppError> {
        let mut preview = empty(Vec::new());
        if target.is_empty() {
            return Ok(preview);
        }
        let (rooms, unknown) = self.rooms_of(who, target).await?;
        preview.unknown = unknown;
        for (place, room) in rooms {
            let account = room.account().cloned();
            let obstacle = match account.as_ref().and_then(|account| account.state) {
                Some(AccountState::Open) => None,
                Some(AccountState::Opening) => Some(RoomObstacle::Opening),
                Some(AccountState::Closing) => Some(RoomObstacle::Closing),
                Some(AccountState::Closed) | None => Some(RoomObstacle::NotOpen),
            };
            let known = account.and_then(|account| Some((account.account_id?, account.number?, account.residents)));
            match (obstacle, known) {
                (None, Some((id, number, residents))) => {
                    let of_account = || room.meters.iter().filter(|(meter, _)| meter.account_id == Some(id));
                    let balance =
                        of_account().map(|(_, latest)| latest.observed_at.map(|_| latest.remaining)).sum::<Option<Fen>>();
                    let lost = of_account().filter(|(_, latest)| latest.state().is_unread()).count();
                    preview.rooms.push(RoomToClose { place, account: id, number, room: room.name, residents, balance, lost });
                }
                (obstacle, _) => preview.left_out.push((room.name, obstacle.unwrap_or(RoomObstacle::NotOpen))),
            }
        }
        preview.left_out.sort_by_key(|(_, obstacle)| *obstacle);
        preview.seal = digest_of(preview.rooms.iter().map(|room| room.account.0));
        Ok(preview)
    }

    async fn close_accounts(&self, who: &Who, id: AccountBatchId, wanted: &Closures, seal: &str) -> Result<(), AppError> {
        if !wanted.tender.is_counter() {
            return Err(AppError::Invalid);
        }
        if self.is_stored(who, id, AccountBatchKind::Close).await? {
            return Ok(());
        }
        let preview = self.preview_closures(who, &wanted.target).await?;
        if preview.seal != seal {
            return Err(AppError::Conflict);
        }
        let (tender, reason) = (Some(wanted.tender), wanted.reason.clone());
        let room = |room: RoomToClose| NewBatchRoom {
            place: room.place,
            account: Some(room.account),
            resident: None,
            amount: Fen::ZERO,
        };
        let rooms = preview.rooms.into_iter().map(room).collect();
        let batch = NewAccountBatch { id, kind: AccountBatchKind::Close, tender, reason, rooms };
        Ok(account_batches::create(&self.context.db, &self.context.rng, self.context.now(), who, &batch).await?)
    }

    async fn account_batches(&self, who: &Who, page: i64) -> Result<Page<AccountBatchLine>, AppError> {
        Ok(queries::account_batches(&self.context.db, who.user, None, page).await?)
    }

    async fn account_batch(&self, who: &Who, id: AccountBatchId, page: i64) -> Result<AccountBatchView, AppError> {
        let batch = self.account_batch_line(who, id).await?;
        let rooms = queries::account_batch_rooms(&self.context.db, who.user, id, page).await?;
        let sums = queries::account_batch_sums(&self.context.db, who.user, id).await?;
        let (finished, left, paid) = (sums.finished, sums.left_fen, sums.paid_fen);
        Ok(AccountBatchView { batch, rooms, finished, left, paid, at: self.context.now() })
    }

    async fn cancel_account_batch(&self, who: &Who, id: AccountBatchId) -> Result<(), AppError> {
        self.require_whole_batch(who, id).await?;
        account_batches::cancel(&self.context.db, self.context.now(), who, id).await?;
        Ok(())
    }

    async fn retry_account_batch(&self, who: &Who, id: AccountBatchId) -> Result<(), AppError> {
        self.require_whole_batch(who, id).await?;
        account_batches::retry(&self.context.db, self.context.now(), who, id).await?;
        Ok(())
    }
}

const fn empty<T>(unknown: Vec<String>) -> AccountBatchPreview<T> {
    AccountBatchPreview { rooms: Vec::new(), left_out: Vec::new(), unknown, seal: String::new() }
}

/// The lines of each room that they name, by the rooms that the operator may see. A line that names several counts for none of
/// them: whose resident and balance it is, nobody can tell.
fn by_room<'a>(lines: &'a [OpeningLine], names: &'a [((), RoomName)]) -> HashMap<&'a RoomName, Vec<&'a OpeningLine>> {
    let mut found: HashMap<&RoomName, Vec<&OpeningLine>> = HashMap::new();
    for line in lines {
        if let [(_, room)] = rooms_named(&line.room, names)[..] {
            found.entry(room).or_default().push(line);
        }
    }
    found
}

fn opening(room: RoomToOpen) -> NewBatchRoom {
    NewBatchRoom { place: room.place, account: None, resident: room.resident, amount: room.amount }
}

/// Why no account can be opened in a room.
fn cannot_open(room: &RoomNow, priced: bool) -> Option<RoomObstacle> {
    let shows_account = |(meter, latest): &(MeterOfRoom, Latest)| {
        meter.wallet == Wallet::Meter && latest.observed_at.is_some() && latest.status.account_open()
    };
    if room.account().is_some() {
        Some(RoomObstacle::AlreadyOpen)
    } else if room.selling().next().is_none() {
        Some(RoomObstacle::NothingToSell)
    } else if room.selling().any(shows_account) {
        Some(RoomObstacle::ForeignAccount)
    } else if !priced && room.selling().any(|(meter, _)| meter.wallet == Wallet::Server) {
        Some(RoomObstacle::NoPrices)
    } else {
        None
    }
}

impl ConsoleService {
    /// The rooms of a target that the operator may see, in the order of the wall, and the lines that name none or several.
    async fn rooms_of(&self, who: &Who, target: &Target) -> Result<(Vec<(PlaceId, RoomNow)>, Vec<String>), AppError> {
        let (meters, unknown) = self.chosen(who, target).await?;
        let known = queries::meters_of_rooms(&self.context.db, who.user).await?;
        let known: HashMap<MeterId, MeterOfRoom> = known.into_iter().map(|meter| (meter.id, meter)).collect();
        // An account has all meters of its room, whichever of them was chosen.
        let chosen: HashSet<PlaceId> = meters.iter().filter_map(|(place, _)| Some(known.get(&place.meter)?.place_id)).collect();
        let scope = queries::scope(&self.context.db, who.user).await?;
        let mut rooms: BTreeMap<usize, (PlaceId, RoomNow)> = BTreeMap::new();
        let mut order: HashMap<PlaceId, usize> = HashMap::new();
        for (place, latest) in self.context.live.meter_places(&scope) {
            let of_room = known.get(&place.meter).filter(|meter| chosen.contains(&meter.place_id));
            let Some(meter) = of_room else { continue };
            let next = order.len();
            let index = *order.entry(meter.place_id).or_insert(next);
            let room = rooms.entry(index).or_insert_with(|| (meter.place_id, room_of(&place)));
            room.1.meters.push((meter.clone(), latest));
        }
        if rooms.len() > BATCH_ROOMS_MAX {
            return Err(AppError::ListTooLong);
        }
        Ok((rooms.into_values().collect(), unknown))
    }

    /// Whether the meter that takes what is carried would refuse it; a server wallet does not.
    fn is_over_limit(&self, room: &RoomNow, amount: Fen) -> bool {
        let limit = Fen(self.limits.hoarding_fen);
        let first = room.selling().next().map(|(meter, _)| meter.wallet);
        limit > Fen::ZERO && amount > limit && first == Some(Wallet::Meter)
    }

    /// The rooms to which a price plan applies.
    async fn priced(&self) -> Result<HashSet<PlaceId>, AppError> {
        let (given, now) = (prices::given(&self.context.db).await?, self.context.now());
        Ok(given.places.keys().copied().filter(|place| given.plan_at(*place, now).is_some()).collect())
    }

    async fn account_batch_line(&self, who: &Who, id: AccountBatchId) -> Result<AccountBatchLine, AppError> {
        let found = queries::account_batches(&self.context.db, who.user, Some(id), 0).await?;
        found.lines.into_iter().next().ok_or(AppError::NotFound)
    }

    /// Whether the form of a batch is sent again, which is answered before the preview: that leaves out what the batch has done.
    async fn is_stored(&self, who: &Who, id: AccountBatchId, kind: AccountBatchKind) -> Result<bool, AppError> {
        let found = queries::account_batches(&self.context.db, who.user, Some(id), 0).await?;
        match found.lines.first() {
            Some(batch) if batch.kind != kind => Err(AppError::Conflict),
            batch => Ok(batch.is_some()),
        }
    }

    /// Refuses a batch with rooms of other buildings than the operator's.
    async fn require_whole_batch(&self, who: &Who, id: AccountBatchId) -> Result<(), AppError> {
        let seen = self.account_batch_line(who, id).await?.rooms;
        if seen == account_batches::size(&self.context.db, id).await? { Ok(()) } else { Err(AppError::Forbidden) }
    }
}

fn room_of(place: &MeterPlace) -> RoomNow {
    RoomNow { name: place.name(), meters: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_whole_name_is_that_room_alone() {
        let name = |building: &str| RoomName { building: building.into(), floor: "1层".into(), room: "101".into() };
        let names = [((), name("1号楼")), ((), name("11号楼"))];
        let line = |room: &str| OpeningLine { room: room.into(), resident: None, amount: None };
        let lines = [line("1号楼 1层 101"), line("11号楼1层101"), line("1号楼 101")];
        let found = by_room(&lines, &names);
        let of = |building: &str| found[&name(building)].iter().map(|line| line.room.as_str()).collect::<Vec<_>>();
        assert_eq!(of("1号楼"), ["1号楼 1层 101", "1号楼 101"], "a building named whole is not building 11");
        assert_eq!(of("11号楼"), ["11号楼1层101"]);
    }
}
