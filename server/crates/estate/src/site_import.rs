//! What a site has, as its workbook shows it, and the import of one: everything in one transaction.

mod apply;
mod state;

pub use apply::{Import, ImportWay, apply, dry_run};
pub use state::{read, rows, state};
