//! Parses the arguments of stored commands, and tells where the effect of an operation shows in the meter.

use model::meter::ControlMode;
use model::time::{MINUTE, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::profile::ReadBack;
use domain::bcd::BcdTime;
use domain::meter_state::StateBlock;
use domain::money_rule::MoneyOperation;
use domain::operation::{DayTable, Limits, Operation, PlanEntry, Tiers};
use domain::serial::AccountNumber;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the arguments do not match the command kind")]
pub struct CommandArgsError;

/// Tolerance of a clock that is read back.
const CLOCK_TOLERANCE: i64 = MINUTE;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenArgs {
    account: AccountNumber,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoneyArgs {
    order: u64,
    amount_fen: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseArgs {
    order: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeArgs {
    mode: ControlMode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchArgs {
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayArgs {
    closed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceArgs {
    standby: bool,
    prices: [u32; 4],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlannedArgs {
    prices: [u32; 4],
    at: BcdTime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchOverArgs {
    at: Option<BcdTime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DayTableArgs {
    table: u8,
    slots: DayTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatePlanArgs {
    entries: Vec<PlanEntry>,
}

/// The operation of a money command.
///
/// # Errors
/// [`CommandArgsError`] for an unknown kind or invalid arguments.
pub fn money_operation(kind: &str, args: &str) -> Result<MoneyOperation, CommandArgsError> {
    Ok(match kind {
        "open" => MoneyOperation::Open(fields::<OpenArgs>(args)?.account),
        "credit" => {
            let MoneyArgs { order, amount_fen: amount } = fields(args)?;
            MoneyOperation::Credit { order, amount }
        }
        "debit" => {
            let MoneyArgs { order, amount_fen: amount } = fields(args)?;
            MoneyOperation::Debit { order, amount }
        }
        "close" => MoneyOperation::Close { order: fields::<CloseArgs>(args)?.order },
        _ => return Err(CommandArgsError),
    })
}

/// What a command that moves no money asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandArgs {
    /// Operations to apply in this order.
    Operations(Vec<Operation>),
    /// The state that a plain relay should have.
    Relay { closed: bool },
    /// A full reading.
    Read,
    /// Check that planned prices took effect at their switch-over.
    PricesInForce {
        /// Rates 1-4, 0.0001 yuan/kWh.
        prices: [u32; 4],
        at: Timestamp,
    },
}

/// Parses a command that moves no money; a clock is set to `now`. Planned prices whose switch-over has passed are set at once:
/// the meter was lost until now.
///
/// # Errors
/// [`CommandArgsError`] for an unknown kind or invalid arguments.
pub fn parse(kind: &str, args: &str, now: Timestamp) -> Result<CommandArgs, CommandArgsError> {
    Ok(match kind {
        "read" => CommandArgs::Read,
        "relay" => CommandArgs::Relay { closed: fields::<RelayArgs>(args)?.closed },
        "in_force" => {
            let PlannedArgs { prices, at } = fields(args)?;
            CommandArgs::PricesInForce { prices, at: at.timestamp() }
        }
        "standby" => {
            let PlannedArgs { prices, at } = fields(args)?;
            let standby = at.timestamp() > now;
            let mut operations = vec![Operation::SetPrices { standby, prices }];
            if standby {
                operations.push(Operation::SetSwitchOver(Some(at)));
            }
            CommandArgs::Operations(operations)
        }
        _ => CommandArgs::Operations(vec![setting(kind, args, now)?]),
    })
}

fn setting(kind: &str, args: &str, now: Timestamp) -> Result<Operation, CommandArgsError> {
    Ok(match kind {
        "mode" => Operation::SetMode(fields::<ModeArgs>(args)?.mode),
        "switch" => Operation::UserSwitch(fields::<SwitchArgs>(args)?.on),
        "limits" => Operation::SetLimits(fields::<Limits>(args)?),
        "prices" => {
            let PriceArgs { standby, prices } = fields(args)?;
            Operation::SetPrices { standby, prices }
        }
        "tiers" => Operation::SetTiers(fields::<Tiers>(args)?),
        "switch_over" => Operation::SetSwitchOver(fields::<SwitchOverArgs>(args)?.at),
        "clock" => Operation::SetClock(BcdTime::from_timestamp(now).ok_or(CommandArgsError)?),
        "day_table" => {
            let DayTableArgs { table, slots } = fields(args)?;
            Operation::SetDayTable { table, slots }
        }
        "date_plan" => Operation::SetDatePlan(fields::<DatePlanArgs>(args)?.entries),
        _ => return Err(CommandArgsError),
    })
}

fn fields<T: DeserializeOwned>(args: &str) -> Result<T, CommandArgsError> {
    serde_json::from_str(args).map_err(|_| CommandArgsError)
}

/// Where the effect of an operation shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// In the state block: `true` if it shows the requested value.
    State(bool),
    /// In registers that must hold exactly these words.
    Registers { address: u16, words: Vec<u16> },
}

/// Where the effect of a setting shows. `answered`: the meter has just reported the operation as done.
#[must_use]
pub fn evidence(map: &ReadBack, operation: &Operation, seen: &StateBlock, answered: bool, now: Timestamp) -> Evidence {
    let body = operation.body();
    let at = |address: u16, bytes: Vec<u8>| Evidence::Registers { address, words: words(&bytes) };
    let skip = |n: usize| body.get(n..).unwrap_or_default().to_vec();
    match operation {
        Operation::SetMode(mode) => {
            // Setting a mode also releases a trip. Without the meter's answer, a standing trip may be one that was not released.
            let tripped = seen.status.tripped_overload() || seen.status.tripped_malignant();
            Evidence::State(seen.status.mode() == *mode && (answered || !tripped))
        }
        Operation::UserSwitch(on) => Evidence::State(seen.status.user_switch_off() != *on),
        Operation::SetClock(_) => Evidence::State(seen.clock.is_some_and(|clock| clock.since(now).abs() <= CLOCK_TOLERANCE)),
        Operation::SetLimits(_) => at(map.limits, body),
        Operation::SetPrices { standby: false, .. } => at(map.prices, skip(1)),
        Operation::SetPrices { standby: true, .. } => at(map.standby_prices, skip(1)),
        // The period is one byte in the frame and one register in the meter.
        Operation::SetTiers(_) => at(map.tiers, [vec![0], body].concat()),
        Operation::SetSwitchOver(_) => at(map.switch_over, body),
        Operation::SetDayTable { table, .. } => {
            let [first, second] = map.day_tables;
            at(if *table == 2 { second } else { first }, padded(skip(2), 42))
        }
        Operation::SetDatePlan(_) => at(map.date_plan, padded(skip(1), 12)),
        Operation::Open { .. } | Operation::Credit { .. } | Operation::Debit { .. } | Operation::Close { .. } => {
            Evidence::State(false)
        }
    }
}

/// Whether the observed relay state contradicts the operation.
#[must_use]
pub fn relay_fault(operation: &Operation, seen: &StateBlock) -> bool {
    match operation {
        Operation::SetMode(ControlMode::ForcedOff) | Operation::UserSwitch(false) if !seen.status.guaranteed() => {
            seen.status.relay_closed()
        }
        Operation::SetMode(ControlMode::Guaranteed) => !seen.status.relay_closed(),
        _ => seen.status.relay_fault(),
    }
}

fn padded(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length, 0);
    bytes
}

/// Packs bytes into registers; an odd last byte is padded with zero.
#[must_use]
pub fn words(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |word, &byte| (word << 8) | u16::from(byte)) << (8 * (pair.len() % 2)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::profile::Profiles;
    use super::*;
    use domain::fixtures::state;
    use domain::operation::TierPeriod;
    use model::meter::StatusWord;

    #[test]
    fn commands_become_operations() {
        let now = Timestamp(1_795_600_000_000);
        assert_eq!(
            money_operation("credit", r#"{"order":7,"amount_fen":5000}"#),
            Ok(MoneyOperation::Credit { order: 7, amount: 5_000 })
        );
        assert_eq!(money_operation("close", r#"{"order":7}"#), Ok(MoneyOperation::Close { order: 7 }));
        let mode = |word: &str| setting("mode", &format!(r#"{{"mode":"{word}"}}"#), now);
        assert_eq!(mode("forced_off"), Ok(Operation::SetMode(ControlMode::ForcedOff)));
        assert_eq!(setting("switch", r#"{"on":false}"#, now), Ok(Operation::UserSwitch(false)));
        for (kind, args) in [
            ("credit", r#"{"order":-7,"amount_fen":5000}"#),
            ("credit", r#"{"order":7,"amount_fen":5000000000}"#),
            ("credit", r#"{"order":7}"#),
            ("open", r#"{"account":"12"}"#),
            ("close", ""),
            ("mode", "{}"),
        ] {
            assert_eq!(money_operation(kind, args), Err(CommandArgsError), "{kind} {args}");
        }
        assert_eq!(mode("on"), Err(CommandArgsError));
        assert_eq!(parse("credit", r#"{"order":7,"amount_fen":5000}"#, now), Err(CommandArgsError));
        assert_eq!(parse("read", "{}", now), Ok(CommandArgs::Read));
    }

    #[test]
    fn planned_prices_wait_only_until_their_switch_over() {
        let (args, prices) = (r#"{"prices":[1,2,3,4],"at":1795600000000}"#, [1, 2, 3, 4]);
        let at = BcdTime::from_timestamp(Timestamp(1_795_600_000_000));
        let loaded = vec![Operation::SetPrices { standby: true, prices }, Operation::SetSwitchOver(at)];
        assert_eq!(parse("standby", args, Timestamp(1_795_599_999_999)), Ok(CommandArgs::Operations(loaded)));
        let late = vec![Operation::SetPrices { standby: false, prices }];
        assert_eq!(parse("standby", args, Timestamp(1_795_600_000_000)), Ok(CommandArgs::Operations(late)));
        assert_eq!(
            parse("in_force", args, Timestamp(0)),
            Ok(CommandArgs::PricesInForce { prices, at: Timestamp(1_795_600_000_000) })
        );
    }

    #[test]
    fn modes_and_switches_show_in_the_status_word() {
        let map = &Profiles::load(None).unwrap().get("rpp").unwrap().secured.clone().unwrap().read_back;
        let shows = |bits: u16| StateBlock { status: StatusWord(bits), ..state() };
        let off = Operation::SetMode(ControlMode::ForcedOff);
        let seen = |operation: &Operation, bits, answered| evidence(map, operation, &shows(bits), answered, Timestamp(0));
        assert_eq!(seen(&off, 1 << 7, false), Evidence::State(true));
        assert_eq!(seen(&off, 1 << 6, false), Evidence::State(false));
        assert_eq!(seen(&off, 1 << 7 | 1 << 5, false), Evidence::State(false), "the trip may be older than the command");
        assert_eq!(seen(&off, 1 << 7 | 1 << 5, true), Evidence::State(true));
        assert_eq!(seen(&Operation::UserSwitch(true), 0, false), Evidence::State(true));
        assert_eq!(seen(&Operation::UserSwitch(false), 0, false), Evidence::State(false));
        assert!(relay_fault(&off, &shows(1 << 7 | 1)));
        assert!(!relay_fault(&off, &shows(1 << 7)));
    }

    #[test]
    fn settings_show_in_their_registers() {
        let map = &Profiles::load(None).unwrap().get("rpp").unwrap().secured.clone().unwrap().read_back;
        let registers = |operation: &Operation| match evidence(map, operation, &state(), true, Timestamp(0)) {
            Evidence::Registers { address, words } => (address, words),
            Evidence::State(_) => panic!("in the state block"),
        };
        let limits = Limits { alarm1: 0x1_0002, alarm2: 3, overdraft: 4, hoarding: 5, overload_w: 6 };
        assert_eq!(registers(&Operation::SetLimits(limits)), (0x0140, vec![1, 2, 0, 3, 0, 4, 0, 5, 6]));
        let tiers = Tiers { period: TierPeriod::Year, thresholds: [1, 2], surcharges: [3, 4] };
        assert_eq!(registers(&Operation::SetTiers(tiers)), (0x0151, vec![2, 0, 1, 0, 2, 0, 3, 0, 4]));
        let prices = |standby| Operation::SetPrices { standby, prices: [1, 2, 3, 4] };
        assert_eq!(registers(&prices(false)), (0x0149, vec![0, 1, 0, 2, 0, 3, 0, 4]));
        assert_eq!(registers(&prices(true)).0, 0x015a);
        assert_eq!(registers(&Operation::SetSwitchOver(None)), (0x0162, vec![0; 3]));
        assert_eq!(registers(&Operation::SetDatePlan(Vec::new())), (0x2000, vec![0; 6]));
        let table = Operation::SetDayTable { table: 2, slots: DayTable::default() };
        assert_eq!(registers(&table), (0x201b, vec![0; 21]));
    }

    #[test]
    fn odd_bytes_are_padded() {
        assert_eq!(words(&[1, 2, 3]), [0x0102, 0x0300]);
    }
}
