//! What a site has, as its workbook shows it, and the import of one: everything in one transaction.

mod apply;
mod defaults;
mod instruments;
mod job;
mod limits;
mod settings;
mod state;

pub use apply::{DryRun, Import, ImportWay, SourceFile, apply, dry_run};
pub use state::{read, rows, state};
