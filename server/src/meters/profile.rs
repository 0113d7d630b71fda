//! A meter model as data: its blocks, what each register means, and what it can do.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

/// The profiles that are built in.
const EMBEDDED: [(&str, &str); 1] = [("rpp.toml", include_str!("../../profiles/rpp.toml"))];

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("meter profile {file} cannot be read")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Its form is wrong; the source names line and key.
    #[error("meter profile {file}")]
    Form {
        /// Which file.
        file: String,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Its form is right and its meaning is not.
    #[error("meter profile {file}: {key}: {problem}")]
    Meaning {
        /// Which file.
        file: String,
        /// Which key.
        key: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// A meter model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What `meters.profile` names.
    pub name: String,
    /// What people read.
    pub title: String,
    /// The most registers one read may ask for.
    pub max_registers: u16,
    /// What the meter can do.
    pub abilities: Abilities,
    /// How secured frames are written.
    pub frame: Frame,
    /// Counters and instantaneous values.
    pub measurement: Block,
    /// Identity, wallet and relay, in one block.
    pub state: Block,
    /// Where settings are read back.
    pub read_back: ReadBack,
}

/// What a meter can do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abilities {
    /// Credit lives in the meter.
    pub meter_wallet: bool,
    /// It can switch.
    pub relay: bool,
    /// Time-of-use rates.
    pub rates: u8,
    /// It keeps a journal of money and relay.
    pub journal: bool,
    /// It keeps midnight values.
    pub freeze: bool,
}

/// How secured frames are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Where a frame is written.
    pub address: u16,
    /// Which versions, by the bit of `accepts` that announces each.
    pub versions: Vec<FrameBit>,
}

/// A frame version and its bit in `accepts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameBit {
    /// 1 (TDES) or 2 (AES).
    pub version: u8,
    /// 0-15.
    pub bit: u8,
}

/// Where the fields of a settings command stand after it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Alarm, overdraft, hoarding and overload limits.
    pub limits: u16,
    /// Prices in force.
    pub prices: u16,
    /// Step prices.
    pub tiers: u16,
    /// Standby prices.
    pub standby_prices: u16,
    /// When the standby prices come into force.
    pub switch_over: u16,
    /// Date plan.
    pub date_plan: u16,
    /// Day tables 1 and 2.
    pub day_tables: [u16; 2],
}

/// Registers that are read in one request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The first register.
    pub address: u16,
    /// How many.
    pub registers: u16,
    /// What they mean.
    pub values: Vec<Value>,
}

/// One value of a block.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// What it means.
    pub field: Field,
    /// Its first register.
    pub address: u16,
    /// Its form.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Our units in one count.
    #[serde(default = "one")]
    pub step: i64,
}

const fn one() -> i64 {
    1
}

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The high byte of a register.
    U8h,
    /// The low byte of a register.
    U8l,
    /// Unsigned, one register.
    U16,
    /// Two's complement, one register.
    I16,
    /// Unsigned, two registers, high word first.
    U32,
    /// Two's complement, two registers.
    I32,
    /// Unsigned, four registers.
    U64,
    /// A clock: YY MM DD hh mm ss.
    Bcd3,
    /// 12 digits.
    Bcd6,
    /// 16 digits.
    Bcd8,
}

impl Kind {
    /// How many registers it takes.
    #[must_use]
    pub const fn registers(self) -> u16 {
        match self {
            Self::U8h | Self::U8l | Self::U16 | Self::I16 => 1,
            Self::U32 | Self::I32 => 2,
            Self::Bcd3 | Self::Bcd6 => 3,
            Self::U64 | Self::Bcd8 => 4,
        }
    }
}

macro_rules! fields {
    ($($name:ident),* $(,)?) => {
        /// What a value means. The comments of `profiles/rpp.toml` give the units.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the names are the words of the profile")]
        pub enum Field { $($name),* }

        impl Field {
            /// How many there are.
            pub const COUNT: usize = [$(Self::$name),*].len();
        }
    };
}

fields! {
    Total, Spike, Peak, Flat, Valley, Voltage, Current, Power, Reactive, Apparent, PowerFactor,
    Serial, Status, Remaining, Cumulative, Count, Epoch, Reverse, Rate, Clock, Challenge, LastOperation, LastResult, LastOrder,
    Journal, Parameters, TierEnergy, Account, Tamper, Accepts,
}

impl Profile {
    /// Reads a profile; `file` is for the error.
    ///
    /// # Errors
    /// [`ProfileError`] names the file, and the line or key.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let profile: Self =
            toml::from_str(text).map_err(|source| ProfileError::Form { file: file.into(), source: Box::new(source) })?;
        let wrong = |key: String, problem| Err(ProfileError::Meaning { file: file.into(), key, problem });
        if !(1..=125).contains(&profile.max_registers) {
            return wrong("max_registers".into(), "must be 1 to 125");
        }
        for (name, block) in profile.blocks() {
            let end = u32::from(block.address) + u32::from(block.registers);
            if block.registers == 0 || block.registers > profile.max_registers || end > 0x1_0000 {
                return wrong(format!("{name}.registers"), "must be 1 to max_registers, within the address range");
            }
            for value in &block.values {
                let last = u32::from(value.address) + u32::from(value.kind.registers());
                if value.address < block.address || last > end {
                    return wrong(format!("{name}.values.{:?}", value.field), "does not stand inside its block");
                }
                if value.step == 0 || value.step.abs() > 1_000_000 {
                    return wrong(format!("{name}.values.{:?}.step", value.field), "must be 1 to 1000000");
                }
            }
        }
        for (n, entry) in profile.frame.versions.iter().enumerate() {
            if !(1..=2).contains(&entry.version) || entry.bit > 15 {
                return wrong(format!("frame.versions[{n}]"), "must be version 1 or 2 at bit 0 to 15");
            }
        }
        Ok(profile)
    }

    fn blocks(&self) -> [(&'static str, &Block); 2] {
        [("measurement", &self.measurement), ("state", &self.state)]
    }
}

/// All profiles, by name.
#[derive(Clone, Debug)]
pub struct Profiles(Arc<BTreeMap<String, Arc<Profile>>>);

impl Profiles {
    /// The built-in profiles, and those of a directory over them.
    ///
    /// # Errors
    /// [`ProfileError`] for the first that cannot be used.
    pub fn load(directory: Option<&str>) -> Result<Self, ProfileError> {
        let mut all = BTreeMap::new();
        for (file, text) in EMBEDDED {
            let profile = Profile::parse(file, text)?;
            all.insert(profile.name.clone(), Arc::new(profile));
        }
        if let Some(directory) = directory {
            for file in toml_files(directory)? {
                let text = std::fs::read_to_string(&file).map_err(|source| ProfileError::Io { file: file.clone(), source })?;
                let profile = Profile::parse(&file, &text)?;
                all.insert(profile.name.clone(), Arc::new(profile));
            }
        }
        Ok(Self(Arc::new(all)))
    }

    /// The profile of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Profile>> {
        self.0.get(name).cloned()
    }
}

fn toml_files(directory: &str) -> Result<Vec<String>, ProfileError> {
    let failed = |source| ProfileError::Io { file: directory.into(), source };
    let mut files = Vec::new();
    for entry in Path::new(directory).read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path.display().to_string());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_is_there() {
        let profile = Profiles::load(None).unwrap().get("rpp").unwrap();
        assert_eq!((profile.state.address, profile.state.registers), (0x0100, 38));
        assert!(profile.abilities.meter_wallet);
        assert_eq!(profile.frame.address, 0x0200);
    }

    #[test]
    fn errors_name_file_and_line_or_key() {
        let text = EMBEDDED[0].1;
        let error = Profile::parse("a.toml", &text.replace("rates = 4", "rates = \"four\"")).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(error.to_string(), "meter profile a.toml");
        assert!(source.contains("line") && source.contains("rates"), "{source}");

        let error = Profile::parse("b.toml", &text.replace("0x011F, type = \"u16\"", "0x0126, type = \"u16\"")).unwrap_err();
        assert_eq!(error.to_string(), "meter profile b.toml: state.values.Tamper: does not stand inside its block");

        let error = Profile::parse("c.toml", &text.replace("registers = 38", "registers = 130")).unwrap_err();
        assert!(error.to_string().starts_with("meter profile c.toml: state.registers:"), "{error}");
        let error = Profile::parse("d.toml", &text.replace("relay = true", "relays = true")).unwrap_err();
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("relays"));
    }

    #[test]
    fn a_directory_adds_profiles() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("other.toml"), EMBEDDED[0].1.replace("name = \"rpp\"", "name = \"other\"")).unwrap();
        std::fs::write(dir.path().join("notes.txt"), "not a profile").unwrap();
        let profiles = Profiles::load(Some(dir.path().to_str().unwrap())).unwrap();
        assert!(profiles.get("other").is_some() && profiles.get("rpp").is_some());
        assert!(Profiles::load(Some("/no/such/directory")).is_err());
    }
}
