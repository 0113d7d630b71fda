//! Invoice exports: what waits, batches of rows, and what they need to know of seller and buyers. Each export locks the one row
//! of the settings first, so that two at once never see the same receipts.

mod batches;
mod cancel;
mod export;
mod flat_prices;
mod manual;
mod open_rows;
mod plan;
mod settings;
mod waiting;

pub use batches::{batch, batches, of_receipt, rows, seller};
pub use cancel::cancel;
pub use export::{MOST, NewExport, export};
pub use flat_prices::FlatPrices;
pub use manual::reverse_manually;
pub use settings::{buyer, set_buyer, set_settings, settings};
pub use waiting::{preview, sums};
