//! The accounts and residents of a workbook.

use std::collections::{HashMap, HashSet};

use model::console::RoomName;
use model::ids::PlaceId;
use model::meter::Wallet;
use model::money::Fen;
use model::person::Role;
use model::site_workbook::{CellChange, CellValue, Column, Fault, RowEffect, Sheet};

use super::{AccountRow, AccountState, NewAccount, Planner, Row};
use crate::serial::Serial;

/// Rooms by what people have there, made when it is first asked for.
#[derive(Default)]
struct RoomIndex<'a> {
    by_login: Option<HashMap<&'a str, &'a RoomName>>,
    by_place: Option<HashMap<PlaceId, &'a RoomName>>,
}

impl<'a> Planner<'a> {
    pub(super) fn accounts(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let (sells, priced) = (self.selling_meters(), self.priced());
        let mut logins: HashMap<&str, u32> = HashMap::with_capacity(rows.accounts.len());
        let mut opened: HashMap<&RoomName, usize> = HashMap::new();
        let mut index = RoomIndex::default();
        let named: HashSet<&str> = rows.accounts.iter().map(|row| row.value.login.as_str()).collect();
        for Row { number, value: row } in &rows.accounts {
            let before = self.conflicts.len();
            let account = state.accounts.get(&row.room);
            if let Some(first) = logins.insert(&row.login, *number) {
                self.refuse(Sheet::Accounts, *number, Column::Login, Fault::Repeated(first));
            } else if let Some(fault) = self.taken(&mut index, &row.login, account).or_else(|| changed(row, account, &named)) {
                self.refuse(Sheet::Accounts, *number, Column::Login, fault);
            }
            if !self.has_room(&row.room) {
                self.refuse(Sheet::Accounts, *number, Column::Room, Fault::UnknownRoom);
            }
            if self.conflicts.len() > before {
                continue;
            }
            let Some(account) = account else {
                let meters = sells.get(&row.room).map(Vec::as_slice).unwrap_or_default();
                if meters.is_empty() {
                    if !self.uncertain.may_sell(&row.room) {
                        self.refuse(Sheet::Accounts, *number, Column::Room, Fault::RoomSellsNothing);
                    }
                    continue;
                }
                if meters.iter().any(|(_, wallet)| *wallet == Wallet::Server) && !self.has_prices(&priced, &row.room) {
                    self.refuse(Sheet::Accounts, *number, Column::Room, Fault::NoPrices);
                    continue;
                }
                self.note((Sheet::Accounts, *number), RowEffect::Created, || (subject(row), opening(row)));
                self.open(&mut opened, meters, Row { number: *number, value: row });
                continue;
            };
            self.at_open_account(account, *number, row);
        }
        self.check_openings(&sells);
        for Row { number, value: row } in &self.partial.accounts {
            if let Some(first) = row.login.as_deref().and_then(|login| logins.insert(login, *number)) {
                self.refuse(Sheet::Accounts, *number, Column::Login, Fault::Repeated(first));
            }
            if row.room.as_ref().is_some_and(|room| !self.has_room(room)) {
                self.refuse(Sheet::Accounts, *number, Column::Room, Fault::UnknownRoom);
            }
        }
    }

    /// Who else logs in by this name.
    fn taken(&self, index: &mut RoomIndex<'a>, login: &str, account: Option<&AccountState>) -> Option<Fault> {
        let state = self.state;
        let (_, role) = state.logins.get(login)?;
        if *role != Role::Resident {
            return Some(Fault::LoginOfOperator);
        }
        if account.is_some_and(|account| account.residents.contains_key(login)) {
            return None;
        }
        let said = |room: Option<&&RoomName>| room.map(ToString::to_string).unwrap_or_default();
        if let Some(place) = state.former.get(login) {
            let rooms = index.by_place.get_or_insert_with(|| state.rooms.iter().map(|(room, place)| (*place, room)).collect());
            return Some(Fault::LoginOfFormer(said(rooms.get(place))));
        }
        let rooms = index.by_login.get_or_insert_with(|| {
            let residents = |(room, account): (&'a RoomName, &'a AccountState)| {
                account.residents.keys().map(move |login| (login.as_str(), room))
            };
            state.accounts.iter().flat_map(residents).collect()
        });
        Some(Fault::LoginOfOther(said(rooms.get(login))))
    }

    fn open(&mut self, opened: &mut HashMap<&'a RoomName, usize>, meters: &[(Serial, Wallet)], row: Row<&'a AccountRow>) {
        let room = &row.value.room;
        let index = *opened.entry(room).or_insert(self.plan.new_accounts.len());
        match self.plan.new_accounts.get_mut(index) {
            Some(account) => {
                account.opening = Fen(account.opening.0.saturating_add(row.value.opening.0));
                account.residents.push(row);
            }
            None => self.plan.new_accounts.push(NewAccount {
                room,
                meters: meters.iter().map(|(serial, _)| *serial).collect(),
                opening: row.value.opening,
                residents: vec![row],
            }),
        }
    }

    /// What residents had goes into the first meter of the room, and must fit there.
    fn check_openings(&mut self, sells: &HashMap<&RoomName, Vec<(Serial, Wallet)>>) {
        let mut over = Vec::new();
        for account in &self.plan.new_accounts {
            let first = sells.get(account.room).and_then(|meters| meters.first());
            let Some((serial, wallet)) = first.filter(|_| account.opening > Fen::ZERO) else { continue };
            let known = self.state.meters.get(serial).filter(|known| known.row.wallet == *wallet);
            let own = known.and_then(|known| known.hoarding);
            let limit = match wallet {
                Wallet::Server => own.unwrap_or(self.rules.hoarding),
                // The server checks its own limit before the meter checks the other.
                Wallet::Meter | Wallet::None => [Some(self.rules.hoarding), own]
                    .into_iter()
                    .flatten()
                    .filter(|limit| *limit > Fen::ZERO)
                    .min()
                    .unwrap_or_default(),
            };
            let last = account.residents.iter().rev().find(|row| row.value.opening > Fen::ZERO);
            if let Some(row) = last.filter(|_| limit > Fen::ZERO && account.opening > limit) {
                over.push((row.number, Fault::OverHoardingLimit { sum: account.opening, limit }));
            }
        }
        for (number, fault) in over {
            self.refuse(Sheet::Accounts, number, Column::OpeningYuan, fault);
        }
    }

    fn at_open_account(&mut self, account: &AccountState, number: u32, row: &'a AccountRow) {
        let user = self.state.logins.get(&row.login).map(|(user, _)| *user);
        let (at, after) = ((Sheet::Accounts, number), CellValue::text(&*row.resident));
        let change = |before| vec![CellChange { column: Column::Resident, before, after }];
        match (account.residents.get(&row.login), user) {
            (Some(name), _) if name == &row.resident => self.note(at, RowEffect::Unchanged, || (subject(row), Vec::new())),
            (Some(name), Some(user)) => {
                self.plan.renamed.push((user, &row.resident));
                self.note(at, RowEffect::Changed, || (subject(row), change(CellValue::text(name))));
            }
            _ => {
                self.plan.joining.push((account.id, row));
                self.note(at, RowEffect::Changed, || (subject(row), change(CellValue::Blank)));
            }
        }
    }
}

/// A new login name of somebody who lives in the room: of a resident of the same name whom no row of the workbook names.
fn changed(row: &AccountRow, account: Option<&AccountState>, named: &HashSet<&str>) -> Option<Fault> {
    let residents = account.filter(|account| !account.residents.contains_key(&row.login))?.residents.iter();
    let is_same = |(login, name): &(&String, &String)| **name == row.resident && !named.contains(login.as_str());
    residents.filter(is_same).map(|(login, _)| login.clone()).min().map(Fault::LoginChanged)
}

fn subject(row: &AccountRow) -> String {
    format!("{} · {} ({})", row.room, row.resident, row.login)
}

fn opening(row: &AccountRow) -> Vec<CellChange> {
    let change = CellChange { column: Column::OpeningYuan, before: CellValue::Blank, after: CellValue::Amount(row.opening) };
    if row.opening > Fen::ZERO { vec![change] } else { Vec::new() }
}
