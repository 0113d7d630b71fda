//! The residents' site: what a phone loads, what Lighthouse says, and what rendering costs.

pub mod bare_page;
mod demo_site;
pub mod resident;
pub mod ssr;
