//! From the values that are wanted to the fewest requests that bring them, within the meter's limits. Pure.

use super::profile::{Block, Field, Profile, Read, Value};

/// The requests of a profile, made once.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Everything: identity, wallet and relay first, then what is measured.
    pub whole: Vec<Read>,
    /// How many of `whole` it takes until identity, wallet and relay are known.
    pub until_face: usize,
    /// Identity, wallet and relay alone; the total where a meter shows none of them.
    pub meter_status: Vec<Read>,
}

impl Plan {
    /// The plan of a profile that was checked.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let everything = [Field::FACE, Field::MEASUREMENT].concat();
        let whole = requests(profile, &everything);
        let meter_status = match requests(profile, Field::FACE) {
            nothing if nothing.is_empty() => requests(profile, &[Field::Total]),
            meter_status => meter_status,
        };
        let shows = |read: &Read| profile.readable().any(|block| shows_face(block, read));
        let until_face = whole.iter().rposition(shows).map_or(whole.len(), |last| last + 1);
        Self { whole, until_face, meter_status }
    }
}

/// The fewest requests that bring the wanted values: never across the edge of a block, an atomic block whole, none longer than
/// the meter allows. The block with the serial number comes first, then those that show wallet and relay, then as in the profile.
#[must_use]
pub fn requests(profile: &Profile, wanted: &[Field]) -> Vec<Read> {
    let mut blocks: Vec<&Block> = profile.readable().collect();
    blocks.sort_by_key(|block| rank(block));
    let mut reads = Vec::new();
    for block in blocks {
        let mut values: Vec<&Value> = block.values.iter().filter(|value| value.field.is_in(wanted)).collect();
        if values.is_empty() {
            continue;
        }
        if block.atomic {
            reads.push(Read { area: block.area, address: block.address, count: block.registers });
            continue;
        }
        values.sort_by_key(|value| (value.address, value.end()));
        // Beginning each request as late and ending it as late as possible leaves the fewest for the rest.
        let mut open: Option<(u16, u32)> = None;
        for value in values {
            open = Some(match open {
                Some((start, end)) if value.end() - u32::from(start) <= profile.max_registers.into() => {
                    (start, end.max(value.end()))
                }
                closed => {
                    reads.extend(closed.map(|range| request(block, range)));
                    (value.address, value.end())
                }
            });
        }
        reads.extend(open.map(|range| request(block, range)));
    }
    reads
}

fn request(block: &Block, (start, end): (u16, u32)) -> Read {
    let count = u16::try_from(end - u32::from(start)).unwrap_or(u16::MAX);
    Read { area: block.area, address: start, count }
}

/// Identity first, then wallet and relay, then the rest.
fn rank(block: &Block) -> u8 {
    let holds = |fields: &[Field]| block.values.iter().any(|value| value.field.is_in(fields));
    if holds(&[Field::Serial]) {
        0
    } else if holds(Field::FACE) {
        1
    } else {
        2
    }
}

fn shows_face(block: &Block, read: &Read) -> bool {
    block.area == read.area && block.values.iter().any(|value| value.field.is_in(Field::FACE) && is_within(value, read))
}

/// Whether a request brings all registers of a value of its area.
#[must_use]
pub fn is_within(value: &Value, read: &Read) -> bool {
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
        (reads, profile.plan.until_face)
    }

    #[test]
    fn the_shipped_profiles_are_read_so() {
        use Area::{Holding as H, Input as I};
        for (name, expected, until_face) in [
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
            assert_eq!(whole(name), (expected, until_face), "{name}");
        }
    }

    #[test]
    fn a_face_is_looked_at_alone_and_an_instrument_by_its_total() {
        for (name, address, count) in [("rpp", 0x0100, 38), ("hiking-dds238", 0x1a, 1), ("chint-ddsu666", 0x4000, 2)] {
            let profile = Profiles::load(None).unwrap().get(name).unwrap();
            assert_eq!(profile.plan.meter_status, [Read { area: Area::Holding, address, count }], "{name}");
        }
    }

    #[test]
    fn wanted_values_of_a_block_share_requests_within_the_limit() {
        let read = |fields: &[Field]| {
            let profile = Profiles::load(None).unwrap().get("eastron-sdm320y").unwrap();
            requests(&profile, fields).iter().map(|read| (read.address, read.count)).collect::<Vec<_>>()
        };
        assert_eq!(read(&[Field::Voltage]), [(0, 2)]);
        assert_eq!(read(&[Field::Current, Field::Voltage]), [(0, 8)]);
        assert_eq!(read(&[Field::Alarm1, Field::Overdraft, Field::Price]), [(0xfc04, 2), (0xfc16, 6)]);
        assert_eq!(read(&[Field::Epoch]), []);
    }

    /// A profile of one area: blocks of values one after the other with gaps, of one field each.
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
            "name = \"x\"\ntitle = \"x\"\nsource = [\"x\"]\nmax_registers = {max}\n[abilities]\nwallet = \"none\"\nserial = {serial}\n"
        );
        Profile::parse("x.toml", &(head + &text)).unwrap()
    }

    /// The fewest requests for values in the order of their addresses, by trying every way to cut them.
    fn fewest(values: &[&Value], max: u32) -> usize {
        let Some(first) = values.first() else { return 0 };
        let fits = |n: &usize| values.iter().take(*n).all(|value| value.end() - u32::from(first.address) <= max);
        (1..=values.len()).filter(fits).map(|n| 1 + fewest(values.get(n..).unwrap_or_default(), max)).min().unwrap_or(usize::MAX)
    }

    proptest! {
        #[test]
        fn every_value_is_read_once_by_the_shortest_plan(
            max in 4_u16..30,
            blocks in prop::collection::vec((any::<bool>(), prop::collection::vec((0_u16..8, 0_u8..4), 1..5)), 1..4),
            picked in prop::collection::vec(any::<bool>(), 10),
        ) {
            let profile = profile(max, &blocks);
            let fields: Vec<Field> = profile.values().map(|value| value.field).collect();
            let wanted: Vec<Field> = fields.into_iter().zip(picked).filter(|(_, pick)| *pick).map(|(field, _)| field).collect();
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
                if block.atomic { usize::from(!values.is_empty()) } else { fewest(&values, max.into()) }
            }).sum();
            prop_assert_eq!(reads.len(), least);
        }
    }
}
