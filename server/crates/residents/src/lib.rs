//! SQL of the residents' site beside money: a resident's own room, when rooms are switched by themselves, a room's usage
//! compared with similar rooms, when residents are reminded to top up, who a payer is to a channel, paying for another room, and
//! query machines.

pub mod comparison;
pub mod hours_read;
pub mod kiosks;
pub mod other_rooms;
pub mod payers;
pub mod reminders;
pub mod rooms;
pub mod schedules;
pub mod top_ups;
