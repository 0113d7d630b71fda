//! View types of the console.

mod account_lifecycle;
mod batches;
mod events;
mod held_counter;
mod lists;
mod overdrawn;
mod receipts;
mod records;
mod refunds;
mod returns;
mod room;

pub use account_lifecycle::*;
pub use batches::*;
pub use events::*;
pub use held_counter::*;
pub use lists::*;
pub use overdrawn::*;
pub use receipts::*;
pub use records::*;
pub use refunds::*;
pub use returns::*;
pub use room::*;
