//! Semantic checks of a profile that parsed. Each problem names the key at which it occurs.

use std::ops::Range;

use model::meter::Wallet;

use super::dlt645::ItemType;
use super::{AccessMode, Area, Block, MeterField, Profile, Protocol, Table, Value};

/// Problems by the path of the key: `block[1].values[3].step`.
pub(super) struct Findings(pub(super) Vec<(String, String)>);

impl Findings {
    fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push((path.into(), problem.into()));
    }

    fn unless(&mut self, good: bool, path: impl Into<String>, problem: impl Into<String>) {
        if !good {
            self.add(path, problem);
        }
    }
}

/// All problems of a profile.
pub(super) fn findings(profile: &Profile) -> Findings {
    let mut found = Findings(Vec::new());
    let named = !profile.name.is_empty() && profile.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    found.unless(named, "name", "must be letters, digits, - _ or .");
    found.unless(!profile.source.is_empty(), "source", "must say where the facts come from");
    found.unless((1..=125).contains(&profile.max_registers), "max_registers", "must be 1 to 125");
    found.unless(profile.most_w.is_none_or(|most| most > 0), "most_w", "must be above 0");
    found.unless(profile.wraps_wh.is_none_or(|wraps| wraps > 0), "wraps_wh", "must be above 0");
    for (n, block) in profile.blocks.iter().enumerate() {
        self::block(profile, &format!("block[{n}]"), block, &mut found);
    }
    check_overlaps(profile, &mut found);
    check_duplicates(profile, &mut found);
    if let Some(freeze) = &profile.freeze {
        table(profile, "freeze", freeze, MeterField::FREEZE, &mut found);
        let has = |field| freeze.values.iter().any(|value| value.field == field);
        found.unless(has(MeterField::Day) && has(MeterField::Total), "freeze.values", "must hold day and total");
    }
    for (n, journal) in profile.journals.iter().enumerate() {
        let path = format!("journal[{n}]");
        table(profile, &path, journal, MeterField::JOURNAL, &mut found);
        let has_kind = journal.values.iter().any(|value| value.field == MeterField::Kind);
        let valid = if has_kind { !journal.kinds.is_empty() && journal.kind.is_none() } else { journal.kind.is_some() };
        found.unless(valid, path, "needs either a value kind with kinds, or kind");
    }
    relay(profile, &mut found);
    time_of_use(profile, &mut found);
    secured(profile, &mut found);
    dlt645(profile, &mut found);
    abilities(profile, &mut found);
    found
}

fn block(profile: &Profile, path: &str, block: &Block, found: &mut Findings) {
    let fits = block.registers > 0 && block.end() <= 0x1_0000;
    found.unless(fits, format!("{path}.registers"), "must be 1 or more, and end within the address range");
    let whole = !block.atomic || block.registers <= profile.max_registers;
    found.unless(whole, format!("{path}.registers"), "must not be above max_registers in an atomic block");
    values(
        profile,
        path,
        &block.values,
        u32::from(block.address)..block.end(),
        &[MeterField::STATUS_FIELDS, MeterField::MEASUREMENT, MeterField::SETTINGS],
        found,
    );
}

fn values(profile: &Profile, path: &str, values: &[Value], within: Range<u32>, allowed: &[&[MeterField]], found: &mut Findings) {
    for (n, value) in values.iter().enumerate() {
        let path = format!("{path}.values[{n}]");
        let inside = u32::from(value.address) >= within.start && value.end() <= within.end;
        found.unless(inside, format!("{path}.address"), format!("{:?} is outside the block", value.field));
        found.unless(value.kind.registers() <= profile.max_registers, format!("{path}.type"), "is longer than max_registers");
        let belongs = allowed.iter().any(|fields| value.field.is_in(fields));
        found.unless(belongs, format!("{path}.field"), format!("{:?} is not allowed here", value.field));
        let (is_flag, is_time) = (value.field.is_in(MeterField::FLAGS), value.field.is_in(MeterField::TIMES));
        found.unless(
            is_flag == value.flag.is_some(),
            path.clone(),
            "flag is required for relay_closed and relay_fault, and not allowed elsewhere",
        );
        found.unless(is_time == value.kind.is_time(), format!("{path}.type"), "must be a time for times, and only for those");
    }
}

/// Blocks of one area must not overlap.
fn check_overlaps(profile: &Profile, found: &mut Findings) {
    for (n, block) in profile.blocks.iter().enumerate() {
        let meets = |other: &&Block| {
            other.area == block.area && u32::from(other.address) < block.end() && u32::from(block.address) < other.end()
        };
        let shared = profile.blocks.iter().take(n).find(meets);
        found.unless(shared.is_none(), format!("block[{n}].address"), "shares registers with a block above");
    }
}

/// A field must occur once; only phases may be repeated, and are added.
fn check_duplicates(profile: &Profile, found: &mut Findings) {
    let mut seen: Vec<(MeterField, usize)> = Vec::new();
    for (n, block) in profile.blocks.iter().enumerate() {
        for (m, value) in block.values.iter().enumerate() {
            let before = seen.iter().find(|(field, _)| *field == value.field);
            let phase = value.field.is_in(MeterField::PHASES);
            found.unless(
                before.is_none() || phase,
                format!("block[{n}].values[{m}].field"),
                format!("{:?} occurs above already", value.field),
            );
            seen.push((value.field, n));
        }
    }
}

fn table(profile: &Profile, path: &str, table: &Table, allowed: &[MeterField], found: &mut Findings) {
    found.unless((1..=1_000).contains(&table.records), format!("{path}.records"), "must be 1 to 1000");
    let fits = table.registers > 0 && table.registers <= profile.max_registers;
    found.unless(fits, format!("{path}.registers"), "must be 1 to max_registers");
    found.unless(table.stride() >= table.registers, format!("{path}.spacing"), "must not be below registers");
    found.unless(table.end() <= 0x1_0000, format!("{path}.address"), "must end within the address range");
    values(profile, path, &table.values, 0..table.registers.into(), &[allowed], found);
}

fn relay(profile: &Profile, found: &mut Findings) {
    let Some(relay) = &profile.relay else { return };
    let forms = [("open", Some(&relay.open)), ("close", Some(&relay.close)), ("release", relay.release.as_ref())];
    for (key, words) in forms.into_iter().filter_map(|(key, words)| Some((key, words?))) {
        let count = u32::try_from(words.len()).unwrap_or(u32::MAX);
        found.unless((1..=123).contains(&count), format!("relay.{key}"), "must be 1 to 123 registers");
        found.unless(
            is_writable(profile, relay.address, count),
            "relay.address",
            format!("{key} writes outside the blocks with access w or rw"),
        );
    }
    found.unless(relay.open != relay.close, "relay.close", "must not be the same as open");
    found.unless(
        profile.has(MeterField::RelayClosed),
        "relay",
        "needs a value relay_closed, because commands are completed by reading it back",
    );
}

/// Whether function 16 may write these registers.
fn is_writable(profile: &Profile, address: u16, count: u32) -> bool {
    let (start, end) = (u32::from(address), u32::from(address).saturating_add(count));
    let holds = |block: &&Block| u32::from(block.address) <= start && end <= block.end();
    profile.blocks.iter().filter(|block| block.access != AccessMode::R && block.area == Area::Holding).any(|block| holds(&block))
}

fn time_of_use(profile: &Profile, found: &mut Findings) {
    let Some(tables) = &profile.time_of_use else { return };
    let registers = |entries: u8| (u32::from(entries) * 3).div_ceil(2);
    let (plan, days) = (&tables.date_plan, &tables.day_tables);
    found.unless((1..=80).contains(&plan.entries), "time_of_use.date_plan.entries", "must be 1 to 80");
    found.unless((1..=80).contains(&days.slots), "time_of_use.day_tables.slots", "must be 1 to 80");
    let writable = is_writable(profile, plan.address, registers(plan.entries));
    found.unless(writable, "time_of_use.date_plan.address", "is written outside the blocks with access w or rw");
    let writable = days.addresses.iter().all(|&address| is_writable(profile, address, registers(days.slots)));
    found.unless(writable, "time_of_use.day_tables.addresses", "are written outside the blocks with access w or rw");
    let each = |same: bool, path, found: &mut Findings| found.unless(!same, path, "must name each part once");
    let [a, b, c] = plan.order;
    each(a == b || b == c || a == c, "time_of_use.date_plan.order", found);
    let [a, b, c] = days.order;
    each(a == b || b == c || a == c, "time_of_use.day_tables.order", found);
}

fn secured(profile: &Profile, found: &mut Findings) {
    let inside = profile.abilities.wallet == Wallet::Meter;
    let Some(secured) = &profile.secured else {
        found.unless(!inside, "abilities.wallet", "a wallet in the meter needs [secured]");
        return;
    };
    found.unless(inside, "secured", "only a wallet in the meter is written by secured frames");
    for (n, entry) in secured.versions.iter().enumerate() {
        let valid = (1..=2).contains(&entry.version) && entry.bit <= 15;
        found.unless(valid, format!("secured.versions[{n}]"), "must be version 1 or 2 at bit 0 to 15");
    }
    let together = |block: &Block| {
        let missing = |field: &&MeterField| !block.values.iter().any(|value| value.field == **field);
        MeterField::WALLET.iter().filter(missing).count()
    };
    let atomic = profile.readable().filter(|block| block.atomic).map(together).min();
    found.unless(atomic == Some(0), "secured", "needs one atomic block with everything of a wallet; see profiles/README.md");
}

fn dlt645(profile: &Profile, found: &mut Findings) {
    let Some(dlt645) = &profile.dlt645 else {
        found.unless(profile.protocol == Protocol::Modbus, "protocol", "dlt645 needs [dlt645]");
        return;
    };
    let alone = profile.protocol == Protocol::Dlt645
        && profile.blocks.is_empty()
        && profile.relay.is_none()
        && profile.time_of_use.is_none()
        && profile.freeze.is_none()
        && profile.journals.is_empty();
    found.unless(alone, "dlt645", "needs protocol = \"dlt645\", and nothing of registers");
    for (n, item) in dlt645.items.iter().enumerate() {
        let path = format!("dlt645.item[{n}]");
        let whole = item.digits % 2 == 0 && (2..=16).contains(&item.digits);
        found.unless(whole, format!("{path}.digits"), "must be even, 2 to 16");
        let belongs = [MeterField::STATUS_FIELDS, MeterField::MEASUREMENT, &[MeterField::Date, MeterField::Time]]
            .iter()
            .any(|list| item.field.is_in(list));
        found.unless(belongs, format!("{path}.field"), format!("{:?} is not allowed here", item.field));
        let form = match item.field {
            MeterField::Date => item.form == ItemType::Date && item.digits == 8,
            MeterField::Time => item.form == ItemType::Time && item.digits == 6,
            _ => !matches!(item.form, ItemType::Date | ItemType::Time),
        };
        found.unless(form, format!("{path}.type"), "must be date with 8 digits for date, time with 6 for time, and only there");
        let is_flag = item.field.is_in(MeterField::FLAGS);
        found.unless(
            is_flag == item.flag.is_some(),
            path,
            "flag is required for relay_closed and relay_fault, and not allowed elsewhere",
        );
    }
    if let Some(freeze) = dlt645.freeze {
        let whole = freeze.digits % 2 == 0 && (2..=16).contains(&freeze.digits);
        found.unless(whole, "dlt645.freeze.digits", "must be even, 2 to 16");
        let within = |di: u32| u32::from(freeze.days) + (di & 0xff) <= 0x100;
        let counted = freeze.days > 0 && within(freeze.di) && within(freeze.when);
        found.unless(counted, "dlt645.freeze.days", "must be 1 or more, and counted by the last byte of di and of when");
    }
}

/// The declared abilities must match what the profile describes.
fn abilities(profile: &Profile, found: &mut Findings) {
    let can = &profile.abilities;
    let by_dlt645 = profile.dlt645.as_ref();
    let relay = profile.relay.is_some() || profile.secured.is_some() || by_dlt645.is_some_and(|d| d.relay.is_some());
    found.unless(can.relay == relay, "abilities.relay", "must be true exactly if there is [relay], [secured] or dlt645.relay");
    found.unless(can.relay || can.wallet != Wallet::Server, "abilities.wallet", "a server wallet needs a relay");
    found.unless(
        can.journal != profile.journals.is_empty(),
        "abilities.journal",
        "must be true exactly if there is a [[journal]]",
    );
    let freeze = profile.freeze.is_some() || by_dlt645.is_some_and(|d| d.freeze.is_some());
    found.unless(can.freeze == freeze, "abilities.freeze", "must be true exactly if there is a freeze");
    // A DL/T 645 meter answers with its address, which is its serial number.
    let serial = profile.has(MeterField::Serial) || by_dlt645.is_some();
    found.unless(can.serial == serial, "abilities.serial", "must be true exactly if the meter reports its serial number");
    let rates = [MeterField::Spike, MeterField::Peak, MeterField::Flat, MeterField::Valley]
        .iter()
        .filter(|rate| profile.has(**rate))
        .count();
    found.unless(rates == 0 || rates == 4, "abilities.rates", "spike, peak, flat and valley are all required, or none");
    found.unless(rates == usize::from(can.rates), "abilities.rates", "must be the count of rate counters: 0 or 4");
    found.unless(profile.has(MeterField::Total), "block", "no value has the field total");
}
