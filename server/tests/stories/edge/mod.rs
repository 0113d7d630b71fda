//! What strangers can send: half-open connections, NUL characters, made-up addresses, guesses, forged notifications.

mod addresses;
mod connections;
mod log_in;
mod nul;
mod payer_return;
