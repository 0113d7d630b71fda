//! The estate of a site: its places, gateways and meters, how they are set up, changed, imported and accepted, and what is set
//! for them by place. As in `store`, a business operation is one function and one transaction.

pub mod acceptances;
pub mod checklist;
pub mod co2;
pub mod defaults;
pub mod gateways;
pub mod instruments;
pub mod meter_setup;
pub mod place_groups;
pub mod places;
pub mod setup;
pub mod site_import;
