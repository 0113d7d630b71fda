//! Plans the fewest requests that read a set of fields within the meter's limits.

use super::profile::{Block, MeterField, Profile, ReadRequest, Value};

/// The requests of a profile, planned once when it is loaded.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// A full reading: identity, wallet and relay first, then the measurements.
    pub whole: Vec<ReadRequest>,
    /// How many requests of `whole` read identity, wallet and relay.
    pub status_requests: usize,
    /// Identity, wallet and relay alone; the total for a meter that shows none of them.
    pub meter_status: Vec<ReadRequest>,
}

impl Plan {
    /// The plan of a valid profile.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let everything = [MeterField::STATUS_FIELDS, MeterField::MEASUREMENT].concat();
        let whole = requests(profile, &everything);
        let meter_status = match requests(profile, MeterField::STATUS_FIELDS) {
            nothing if nothing.is_empty() => requests(profile, &[MeterField::Total]),
            meter_status => meter_status,
        };
        let shows = |read: &ReadRequest| profile.readable().any(|block| reads_status(block, read));
        let status_requests = whole.iter().rposition(shows).map_or(whole.len(), |last| last + 1);
        Self { whole, status_requests, meter_status }
    }
}

/// The fewest requests that read the wanted fields: within a block, an atomic block as a whole, none longer than the meter
/// allows. The block with the serial number comes first, then those with wallet and relay, then the rest in profile order.
#[must_use]
pub fn requests(profile: &Profile, wanted: &[MeterField]) -> Vec<ReadRequest> {
    let mut blocks: Vec<&Block> = profile.readable().collect();
    blocks.sort_by_key(|block| read_order(block));
    let mut reads = Vec::new();
    for block in blocks {
        let mut values: Vec<&Value> = block.values.iter().filter(|value| value.field.is_in(wanted)).collect();
        if values.is_empty() {
            continue;
        }
        if block.atomic {
            reads.push(ReadRequest { area: block.area, address: block.address, count: block.registers });
            continue;
        }
        values.sort_by_key(|value| (value.address, value.end()));
        // Starting each request as late and ending it as late as possible leaves the fewest values for the rest.
        let mut current: Option<(u16, u32)> = None;
        for value in values {
            current = Some(match current {
                Some((start, end)) if value.end() - u32::from(start) <= profile.max_registers.into() => {
                    (start, end.max(value.end()))
                }
                closed => {
                    reads.extend(closed.map(|range| request(block, range)));
                    (value.address, value.end())
                }
            });
        }
        reads.extend(current.map(|range| request(block, range)));
    }
    reads
}

fn request(block: &Block, (start, end): (u16, u32)) -> ReadRequest {
    let count = u16::try_from(end - u32::from(start)).unwrap_or(u16::MAX);
    ReadRequest { area: block.area, address: start, count }
}

/// Order of reading: identity, then wallet and relay, then the rest.
fn read_order(block: &Block) -> u8 {
    let holds = |fields: &[MeterField]| block.values.iter().any(|value| value.field.is_in(fields));
    if holds(&[MeterField::Serial]) {
        0
    } else if holds(MeterField::STATUS_FIELDS) {
        1
    } else {
        2
    }
}

fn reads_status(block: &Block, read: &ReadRequest) -> bool {
    block.area == read.area
        && block.values.iter().any(|value| value.field.is_in(MeterField::STATUS_FIELDS) && is_within(value, read))
}

/// Whether a request covers all registers of a value in its area.
#[must_use]
pub fn is_within(value: &Value, read: &ReadRequest) -> bool {
    value.address >= read.address && value.end() <= u32::from(read.address) + u32::from(read.count)
}

#[cfg(test)]
mod tests {
    use super::super::profile::{Area, Profiles};
    use super::*;
    use proptest::prelude::*;

    fn whole(name: &str) -> (Vec<(Area, u16, u16)>, usize) {
        let profile = Profiles::load(None).unwrap().get(name).unwrap();
        let reads = profile.plan.whole.iter().map(|read| (read.area, read.address, read.count)).collect();
        (reads, profile.plan.status_requests)
    }

    #[test]
    fn plans_of_the_built_in_profiles() {
        use Area::{Holding as H, Input as I};
        for (name, expected, status_requests) in [
            ("rpp", vec![(H, 0x0100, 38), (H, 0, 17)], 1),
            ("acrel-ddsy1352", vec![(H, 0x57, 2), (H, 0, 17)], 1),
            ("acrel-dtsy1352", vec![(H, 0x57, 2), (H, 0, 10)], 1),
            ("hiking-dds238", vec![(H, 0x1a, 1), (H, 0, 17)], 1),
            ("eastron-sdm320y", vec![(H, 0xfc00, 2), (H, 0xfbfe, 1), (I, 0, 32), (I, 0x4a, 2), (I, 0x156, 2)], 2),
            ("eastron-sdm530y", vec![(H, 0xfc00, 2), (H, 0xfbfe, 1), (I, 0, 30), (I, 0x3e, 14), (I, 0x156, 2)], 2),
            ("chint-ddsu666", vec![(H, 0x2000, 12), (H, 0x4000, 12)], 2),
            ("generic-float", vec![(H, 0, 2)], 1),
            ("generic-integer", vec![(H, 0, 2)], 1),
        ] {
            assert_eq!(whole(name), (expected, status_requests), "{name}");
        }
    }

    #[test]
    fn status_is_read_alone_and_an_instrument_by_its_total() {
        for (name, address, count) in [("rpp", 0x0100, 38), ("hiking-dds238", 0x1a, 1), ("chint-ddsu666", 0x4000, 2)] {
            let profile = Profiles::load(None).unwrap().get(name).unwrap();
            assert_eq!(profile.plan.meter_status, [ReadRequest { area: Area::Holding, address, count }], "{name}");
        }
    }

    #[test]
    fn wanted_values_share_requests_within_the_limit() {
        let read = |fields: &[MeterField]| {
            let profile = Profiles::load(None).unwrap().get("eastron-sdm320y").unwrap();
            requests(&profile, fields).iter().map(|read| (read.address, read.count)).collect::<Vec<_>>()
        };
        assert_eq!(read(&[MeterField::Voltage]), [(0, 2)]);
        assert_eq!(read(&[MeterField::Current, MeterField::Voltage]), [(0, 8)]);
        assert_eq!(read(&[MeterField::Alarm1, MeterField::Overdraft, MeterField::Price]), [(0xfc04, 2), (0xfc16, 6)]);
        assert_eq!(read(&[MeterField::Epoch]), []);
    }

    /// A profile of one area with blocks of values and gaps, each value of another field.
    fn profile(max: u16, blocks: &[(bool, Vec<(u16, u8)>)]) -> Profile {
        let kinds = [("u16", 1), ("u32", 2), ("bcd12", 3), ("u64", 4)];
        let fields = ["total", "voltage", "current", "power_factor", "remaining", "count", "serial", "alarm1", "alarm2", "price"];
        let (mut next, mut names) = (0_u16, fields.iter());
        let mut text = String::new();
        for (atomic, values) in blocks {
            let (start, mut lines) = (next, String::new());
            for &(gap, kind) in values {
                let (kind, length) = kinds[usize::from(kind)];
                let Some(field) = names.next() else { break };
                lines += &format!("{{ field = \"{field}\", address = {}, type = \"{kind}\" }},\n", next + gap);
                next += gap + length;
            }
            let registers = next - start;
            if registers > 0 {
                let atomic = *atomic && registers <= max;
                text +=
                    &format!("[[block]]\naddress = {start}\nregisters = {registers}\natomic = {atomic}\nvalues = [\n{lines}]\n");
            }
            next += 1;
        }
        let serial = text.contains("serial");
        let head = format!(
            "name = \"x\"\ntitle = \"x\"\nsource = [\"x\"]\nmax_registers = {max}\n\
             [abilities]\nwallet = \"none\"\nserial = {serial}\n"
        );
        Profile::parse("x.toml", &(head + &text)).unwrap()
    }

    /// The fewest requests for values in address order, by exhaustive search.
    fn minimum_requests(values: &[&Value], max: u32) -> usize {
        let Some(first) = values.first() else { return 0 };
        let fits = |n: &usize| values.iter().take(*n).all(|value| value.end() - u32::from(first.address) <= max);
        (1..=values.len())
            .filter(fits)
            .map(|n| 1 + minimum_requests(values.get(n..).unwrap_or_default(), max))
            .min()
            .unwrap_or(usize::MAX)
    }

    proptest! {
        #[test]
        fn plans_are_complete_within_limits_and_minimal(
            max in 4_u16..30,
            blocks in prop::collection::vec((any::<bool>(), prop::collection::vec((0_u16..8, 0_u8..4), 1..5)), 1..4),
            picked in prop::collection::vec(any::<bool>(), 10),
        ) {
            let profile = profile(max, &blocks);
            let fields: Vec<MeterField> = profile.values().map(|value| value.field).collect();
            let picks = fields.into_iter().zip(picked);
            let wanted: Vec<MeterField> = picks.filter(|(_, pick)| *pick).map(|(field, _)| field).collect();
            let reads = requests(&profile, &wanted);
            for value in profile.values().filter(|value| value.field.is_in(&wanted)) {
                prop_assert_eq!(reads.iter().filter(|read| is_within(value, read)).count(), 1);
            }
            for read in &reads {
                prop_assert!(read.count <= max);
                let end = u32::from(read.address) + u32::from(read.count);
                let of = profile.blocks.iter().find(|block| block.address <= read.address && end <= block.end());
                prop_assert!(of.is_some_and(|block| !block.atomic || block.registers == read.count));
            }
            let least: usize = profile.blocks.iter().map(|block| {
                let values: Vec<&Value> = block.values.iter().filter(|value| value.field.is_in(&wanted)).collect();
                if block.atomic { usize::from(!values.is_empty()) } else { minimum_requests(&values, max.into()) }
            }).sum();
            prop_assert_eq!(reads.len(), least);
        }
    }
}
