//! The estate of a site: its places, gateways and meters, how they are set up, changed, imported and accepted, what is set for
//! them by place, and rooms that are taken into use or given up many at a time. As in `store`, a business operation is one
//! function and one transaction.

pub mod acceptances;
pub mod account_batches;
pub mod checklist;
pub mod co2;
pub mod contacts;
pub mod defaults;
pub mod friendly_hours;
pub mod friendly_limits;
pub mod gateways;
pub mod instruments;
pub mod intervals;
pub mod meter_setup;
pub mod place_groups;
pub mod places;
pub mod setup;
pub mod site_import;
pub mod site_options;
