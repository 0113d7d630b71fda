//! The default parameters of a site, as its workbook has them, and those of an import.

use model::defaults::DefaultsOf;

use super::instruments::names;
use super::job::Job;
use crate::defaults;
use domain::site_plan::{SitePlan, SiteState};
use store::defaults::tree_within;
use store::{Result, Tx};

/// Reads the values of the site, its buildings and its floors. Imports leave those of rooms and groups as they are.
pub async fn read(tx: &mut Tx, found: &mut SiteState) -> Result<()> {
    let places = names(found);
    let set = tree_within(tx).await?.places.into_iter().filter(|(_, (_, values))| !values.is_empty());
    found.defaults = set.filter_map(|(place, (_, values))| Some((places.get(&place)?.clone(), values))).collect();
    Ok(())
}

impl<'a> Job<'a> {
    /// Stores the values of each place, and then checks the order of the alarms everywhere, also where groups got places.
    pub async fn defaults(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        if planned.defaults.is_empty() && planned.members.is_empty() {
            return Ok(());
        }
        for row in &planned.defaults {
            let of = DefaultsOf::Place(self.place(row.place.as_ref())?);
            let (at, who) = (self.at, self.who());
            defaults::store_within(self.tx, at, (who.user, &who.ip), of, &row.values).await?;
        }
        defaults::check_alarms(self.tx).await
    }
}
