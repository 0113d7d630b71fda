//! View types of the console.

mod account_batches;
mod account_lifecycle;
mod account_numbers;
mod batches;
mod events;
mod held_counter;
mod history;
mod lists;
mod meters;
mod overdrawn;
mod places;
mod receipts;
mod records;
mod refunds;
mod returns;
mod room;

pub use account_batches::*;
pub use account_lifecycle::*;
pub use account_numbers::*;
pub use batches::*;
pub use events::*;
pub use held_counter::*;
pub use history::*;
pub use lists::*;
pub use meters::*;
pub use overdrawn::*;
pub use places::*;
pub use receipts::*;
pub use records::*;
pub use refunds::*;
pub use returns::*;
pub use room::*;
