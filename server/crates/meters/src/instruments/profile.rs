//! An instrument model as data: where its energy counters are.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use model::instrument::MAX_CIRCUITS;
use serde::Deserialize;

use crate::profile::{Area, ProfileError, ProfileProblem, Protocol, Step, Value, ValueType, WordOrder, toml_files};

macro_rules! embedded {
    ($($file:literal),* $(,)?) => { &[$(($file, include_str!(concat!("../../profiles/instruments/", $file)))),*] };
}

const EMBEDDED: &[(&str, &str)] =
    embedded!["energy-u32.toml", "energy-u32-low.toml", "energy-f32.toml", "multi-12-u32.toml", "dlt645-total.toml"];
/// Below the directory of meter profiles.
const DIRECTORY: &str = "instruments";
/// The most registers of one read.
const MOST_REGISTERS: u16 = 125;

/// An instrument model. The format is described in `profiles/README.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentProfile {
    /// Referenced by `instruments.profile`.
    pub name: String,
    pub title: String,
    #[serde(default = "one")]
    pub circuits: u8,
    /// Wh in one count, where nothing is set for the instrument.
    #[serde(default)]
    pub step: Step,
    pub read: CounterSource,
}

const fn one() -> u8 {
    1
}

/// How the counters are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CounterSource {
    Modbus(CounterRegisters),
    Dlt645(EnergyItem),
}

/// The counters of all circuits, at equal distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterRegisters {
    #[serde(default)]
    pub area: Area,
    /// The first counter, where nothing is set for the instrument.
    pub address: u16,
    #[serde(rename = "type")]
    pub kind: ValueType,
    #[serde(default)]
    pub word_order: WordOrder,
    /// Registers from one circuit to the next; without it they follow each other.
    pub spacing: Option<u16>,
    /// Registers from a circuit's counter to its reverse counter.
    pub reverse: Option<u16>,
    #[serde(default = "most_registers")]
    pub max_registers: u16,
}

const fn most_registers() -> u16 {
    MOST_REGISTERS
}

/// The identifier of the total energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyItem {
    /// DI3 to DI0.
    pub di: u32,
    /// Two a byte.
    pub digits: u8,
}

impl CounterRegisters {
    pub fn spacing(&self) -> u16 {
        self.spacing.unwrap_or_else(|| self.kind.registers())
    }

    /// The register after the last one of `circuits` counters from `start` on.
    pub fn end(&self, start: u16, circuits: u8) -> u32 {
        let last = u32::from(circuits.saturating_sub(1)) * u32::from(self.spacing());
        u32::from(start) + last + u32::from(self.reverse.unwrap_or(0)) + u32::from(self.kind.registers())
    }

    /// Whether no register belongs to two counters, of this circuit or of another.
    fn are_apart(&self, circuits: u8) -> bool {
        let size = u32::from(self.kind.registers());
        let first = |circuit: u8| u32::from(circuit) * u32::from(self.spacing());
        let counters = |first: u32| [Some(first), self.reverse.map(|reverse| first + u32::from(reverse))];
        let mut all: Vec<u32> = (0..circuits).map(first).flat_map(counters).flatten().collect();
        all.sort_unstable();
        all.is_sorted_by(|one, next| one + size <= *next)
    }

    /// As the codec takes it.
    pub fn value(&self, step: Step) -> Value {
        Value::counter(self.kind, step)
    }
}

impl InstrumentProfile {
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        match self.read {
            CounterSource::Modbus(_) => Protocol::Modbus,
            CounterSource::Dlt645(_) => Protocol::Dlt645,
        }
    }

    /// Whether all its counters are registers if the first one is there.
    #[must_use]
    pub fn fits(&self, start: u16) -> bool {
        match &self.read {
            CounterSource::Modbus(registers) => registers.end(start, self.circuits) <= 0x1_0000,
            CounterSource::Dlt645(_) => true,
        }
    }

    /// The register of the first counter, where nothing is set for the instrument.
    #[must_use]
    pub const fn start(&self) -> u16 {
        match self.read {
            CounterSource::Modbus(registers) => registers.address,
            CounterSource::Dlt645(_) => 0,
        }
    }

    /// How many counts a counter has before it begins again; `None` where that is not known.
    pub(super) fn counts(&self) -> Option<i128> {
        match &self.read {
            CounterSource::Modbus(registers) => match registers.kind {
                ValueType::U32 => Some(1 << 32),
                ValueType::Bcd8 => Some(100_000_000),
                _ => None,
            },
            CounterSource::Dlt645(item) => 10_i128.checked_pow(item.digits.into()),
        }
    }

    /// Parses and checks a profile; `file` is used in messages only.
    ///
    /// # Errors
    /// [`ProfileError::Wrong`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let wrong = |line, key: &str, message: String| {
            Err(ProfileError::Wrong(vec![ProfileProblem { file: file.into(), line, key: key.into(), message }]))
        };
        let profile: Self = match toml::from_str(text) {
            Ok(profile) => profile,
            Err(error) => {
                let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
                return wrong(1 + before.matches('\n').count(), "", error.message().to_owned());
            }
        };
        match profile.problem() {
            None => Ok(profile),
            Some((key, message)) => wrong(1, key, message.to_owned()),
        }
    }

    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let named = !self.name.is_empty() && self.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let (key, is_right, message) = match &self.read {
            _ if !named => ("name", false, "must be letters, digits, - _ or ."),
            _ if !(1..=MAX_CIRCUITS).contains(&self.circuits) => ("circuits", false, "must be 1 to 64"),
            CounterSource::Dlt645(item) => {
                let whole = self.circuits == 1 && item.digits % 2 == 0 && (2..=16).contains(&item.digits);
                ("read.dlt645", whole, "has one circuit, and 2 to 16 digits, two a byte")
            }
            CounterSource::Modbus(registers) => {
                let size = registers.kind.registers();
                let bounded = (size..=MOST_REGISTERS).contains(&registers.max_registers);
                let is_counter = !registers.kind.is_time() && size > 1;
                let apart = registers.are_apart(self.circuits);
                let whole = bounded && is_counter && apart && self.fits(registers.address);
                (
                    "read.modbus",
                    whole,
                    "needs numbers of two or more registers, none of which belongs to two counters, within the address range",
                )
            }
        };
        (!is_right).then_some((key, message))
    }
}

/// All profiles of instruments, by name.
#[derive(Clone, Debug)]
pub struct InstrumentProfiles(Arc<BTreeMap<String, Arc<InstrumentProfile>>>);

impl InstrumentProfiles {
    /// Loads the built-in profiles, then those of the folder `instruments` in a directory, which may replace them.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn load(directory: Option<&str>) -> Result<Self, ProfileError> {
        let folder = directory.map(|directory| Path::new(directory).join(DIRECTORY)).filter(|folder| folder.is_dir());
        let mut all = BTreeMap::new();
        for (file, text) in EMBEDDED {
            let profile = InstrumentProfile::parse(file, text)?;
            all.insert(profile.name.clone(), Arc::new(profile));
        }
        let files = folder.map(|folder| toml_files(&folder.to_string_lossy())).transpose()?;
        for file in files.unwrap_or_default() {
            let text = std::fs::read_to_string(&file).map_err(|source| ProfileError::Io { file: file.clone(), source })?;
            let profile = InstrumentProfile::parse(&file, &text)?;
            all.insert(profile.name.clone(), Arc::new(profile));
        }
        Ok(Self(Arc::new(all)))
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<InstrumentProfile>> {
        self.0.get(name).cloned()
    }

    /// In alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<InstrumentProfile>> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profiles_are_sound() {
        let profiles = InstrumentProfiles::load(None).unwrap();
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["dlt645-total", "energy-f32", "energy-u32", "energy-u32-low", "multi-12-u32"]);
        let multi = profiles.get("multi-12-u32").unwrap();
        assert!(multi.fits(65_512) && !multi.fits(65_513));
        assert_eq!(multi.counts(), Some(4_294_967_296));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let text = EMBEDDED.iter().find(|(file, _)| *file == "multi-12-u32.toml").unwrap().1;
        for (right, bad, key) in [
            ("circuits = 12", "circuits = 65", "circuits"),
            ("\"u32\"", "\"clock\"", "read.modbus"),
            ("\"u32\"", "\"u32\"\nspacing = 1", "read.modbus"),
            ("0x0000", "0xFFF0", "read.modbus"),
            ("name = \"multi-12-u32\"", "name = \"\"", "name"),
        ] {
            let Err(ProfileError::Wrong(problems)) = InstrumentProfile::parse("a.toml", &text.replacen(right, bad, 1)) else {
                panic!("{bad}")
            };
            assert_eq!(problems.first().map(|problem| problem.key.as_str()), Some(key), "{bad}");
        }
        assert!(InstrumentProfile::parse("a.toml", &text.replacen("title", "titel", 1)).is_err());
    }

    #[test]
    fn a_reverse_counter_is_no_other_circuits_counter() {
        let text = EMBEDDED.iter().find(|(file, _)| *file == "multi-12-u32.toml").unwrap().1;
        let is_sound = |more: &str| InstrumentProfile::parse("a.toml", &format!("{text}{more}")).is_ok();
        for good in ["spacing = 4\nreverse = 2", "reverse = 24", "spacing = 10\nreverse = 4", "spacing = 4\nreverse = 50"] {
            assert!(is_sound(good), "{good}");
        }
        for bad in
            ["reverse = 2", "spacing = 2\nreverse = 4", "spacing = 4\nreverse = 1", "reverse = 23", "spacing = 4\nreverse = 7"]
        {
            assert!(!is_sound(bad), "{bad}");
        }
    }

    #[test]
    fn the_example_for_integrators_is_sound() {
        let readme = include_str!("../../profiles/README.md");
        let (_, chapter) = readme.split_once("\n## Instruments\n").unwrap();
        let (_, example) = chapter.split_once("```toml\n").unwrap();
        InstrumentProfile::parse("README.md", example.split_once("```").unwrap().0).unwrap();
    }
}
