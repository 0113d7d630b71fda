//! The friendly hours and contacts of a site, as its workbook has them, and those of an import.

use std::collections::HashMap;

use model::defaults::DefaultsOf;
use model::ids::{PlaceGroupId, PlaceId};

use super::instruments;
use super::job::Job;
use crate::{contacts, friendly_hours};
use domain::site_plan::{SettingsOf, SitePlan, SiteState};
use store::{Result, Tx, on};

/// Reads what is set for places and groups.
pub async fn read(tx: &mut Tx, found: &mut SiteState) -> Result<()> {
    let groups: Vec<(String, PlaceGroupId)> =
        on!(tx, |c| sqlx::query_as("SELECT name, id FROM place_groups").fetch_all(c).await)?;
    found.groups = groups.into_iter().collect();
    let members: Vec<(String, PlaceId)> = on!(tx, |c| sqlx::query_as(
        "SELECT g.name, m.place_id FROM place_group_members m JOIN place_groups g ON g.id = m.group_id"
    )
    .fetch_all(c)
    .await)?;
    for (group, place) in members {
        found.group_places.entry(group).or_default().insert(place);
    }
    let names = names(found);
    let (hours, contacts) = (friendly_hours::all(tx).await?, contacts::all(tx).await?);
    found.friendly_hours = hours.into_iter().filter_map(|(of, hours)| Some((names.get(&of)?.clone(), hours))).collect();
    found.contacts = contacts.into_iter().filter_map(|(of, contact)| Some((names.get(&of)?.clone(), contact))).collect();
    Ok(())
}

pub(super) fn names(found: &SiteState) -> HashMap<DefaultsOf, SettingsOf> {
    let places = instruments::names(found).into_iter();
    let places = places.map(|(id, name)| (DefaultsOf::Place(id), name.map_or(SettingsOf::Site, SettingsOf::Place)));
    let rooms = found.rooms.iter().map(|(room, id)| (DefaultsOf::Place(*id), SettingsOf::Room(room.clone())));
    let groups = found.groups.iter().map(|(name, id)| (DefaultsOf::Group(*id), SettingsOf::Group(name.clone())));
    places.chain(rooms).chain(groups).collect()
}

impl<'a> Job<'a> {
    pub async fn friendly_hours(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        for row in &planned.friendly_hours {
            let (at, who, of) = (self.at, self.who(), self.settings_of(&row.of)?);
            friendly_hours::set_within(self.tx, at, who, of, Some(&row.hours)).await?;
        }
        Ok(())
    }

    pub async fn contacts(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        for row in &planned.contacts {
            let (at, who, of) = (self.at, self.who(), self.settings_of(&row.of)?);
            contacts::set_within(self.tx, at, who, of, &row.contact).await?;
        }
        Ok(())
    }

    pub(super) fn settings_of(&self, of: &SettingsOf) -> Result<DefaultsOf> {
        Ok(match of {
            SettingsOf::Site => DefaultsOf::Place(self.place(None)?),
            SettingsOf::Place(place) => DefaultsOf::Place(self.place(Some(place))?),
            SettingsOf::Room(room) => DefaultsOf::Place(self.room(room)?),
            SettingsOf::Group(name) => DefaultsOf::Group(self.group(name)?),
        })
    }
}
