//! What meters and instruments tell besides the readings that are charged: journals, midnight values, counters of instruments,
//! clocks that are wrong; and what follows for all that is stored when the server's own clock was set. As in `store`, a business
//! operation is one function and one transaction.

pub mod clock_steps;
pub mod clocks;
pub mod instruments;
pub mod journals;
pub mod midnights;
