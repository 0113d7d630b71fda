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
    pub face: Vec<Read>,
}

impl Plan {
    /// The plan of a profile that was checked.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let everything = [Field::FACE, Field::MEASUREMENT].concat();
        let whole = requests(profile, &everything);
        let face = match requests(profile, Field::FACE) {
            nothing if nothing.is_empty() => requests(profile, &[Field::Total]),
            face => face,
        };
        let shows = |read: &Read| profile.readable().any(|block| shows_face(block, read));
        let until_face = whole.iter().rposition(shows).map_or(whole.len(), |last| last + 1);
        Self { whole, until_face, face }
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
