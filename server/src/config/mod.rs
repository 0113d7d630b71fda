//! The configuration. `dormwatt.example.toml` lists every key with its default; a test compares the two.

mod error;
mod layers;
mod network;
pub mod permissions;
mod sections;
pub mod trial;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use domain::secret::Secret;
pub use error::ConfigError;
pub use network::Network;

use domain::returns::Rules;
use store::seal::SealKey;

/// The whole configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The web server.
    pub server: Server,
    /// Where data is kept.
    pub database: Database,
    pub log: Log,
    /// How meters are read.
    pub meters: meters::config::Config,
    /// How residents pay.
    pub pay: payments::Config,
    /// Files that are made in the background.
    pub exports: Exports,
    /// How reports are sent.
    pub mail: notify::MailConfig,
    /// How people are told.
    pub notify: notify::NotifyConfig,
    /// Returns and corrections at the counter.
    pub cash_desk: Rules,
    /// The site's keys for secured meter commands.
    pub keys: Keys,
    /// The proof of the books.
    pub audit: Audit,
    /// What else is watched.
    pub watch: Watch,
    /// The demo, whose sandbox needs no warning. Not a key of the file.
    #[serde(skip)]
    pub is_demo: bool,
}

/// The web server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Where to listen.
    pub address: SocketAddr,
    /// How people and payment channels reach this server, without a slash at the end.
    pub public_url: String,
    /// Cookies without the Secure flag; only for a demo on a LAN.
    pub insecure_cookies: bool,
    /// The proxies in front: from them alone the caller's address is taken from `X-Forwarded-For`, which anybody could forge.
    pub trusted_proxies: Vec<Network>,
    /// The most connections at the same time. Fewer where the process may not open so many files.
    pub max_connections: u32,
    /// The most of one address (IPv6: of one /64), which a whole dormitory may share. Trusted proxies have no such limit.
    pub max_connections_per_address: u32,
}

/// Where data is kept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: Secret,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Which events: `info`, or a filter such as `info,meters=debug`.
    pub level: String,
    /// For people or for machines.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Files that are made in the background.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exports {
    /// Where they lie.
    pub directory: Option<PathBuf>,
}

/// What is watched beside meters and payment channels.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Where backups are put: an alarm is raised when the newest file is too old.
    pub backup_directory: Option<PathBuf>,
}

/// The site's keys, as hex; empty until given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// 16 bytes: encryption of version 1 frames.
    pub enc: Secret,
    /// 16 bytes: authentication of version 1 frames.
    pub mac: Secret,
    /// 32 bytes: version 2 frames.
    pub aes: Secret,
}

/// The proof of the books.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// File with the key of audit lines and seals, 32 bytes in hexadecimal.
    pub key_file: Option<PathBuf>,
    /// File outside the database to which the last audit line is appended every hour.
    pub anchor_file: Option<PathBuf>,
}

impl Audit {
    /// The key; none where no file is named.
    ///
    /// # Errors
    /// Where the file cannot be read or holds something else, in a sentence without its content.
    pub fn key(&self) -> Result<SealKey, String> {
        let Some(file) = &self.key_file else { return Ok(SealKey::none()) };
        let named = |problem: &str| format!("audit.key_file names {}, {problem}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| named(&format!("which cannot be read: {error}")))?;
        SealKey::parse(&text).ok_or_else(|| named("which does not hold 32 bytes in hexadecimal (openssl rand -hex 32)"))
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: "http://127.0.0.1:8080".to_owned(),
            insecure_cookies: false,
            trusted_proxies: Vec::new(),
            max_connections: 4_000,
            max_connections_per_address: 400,
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { url: Secret::from("sqlite:data/dormwatt.db") }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Config {
    /// Reads the file, if one is named, and the environment over it.
    ///
    /// # Errors
    /// Names the key, and the file or variable it stands in. A table of a payment channel that is wrong is noted instead.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let variables = std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        let mut unreadable = sections::Unreadable::new();
        let mut config: Self =
            layers::load(file, variables, |table, key, error| sections::set_aside(table, key, error, &mut unreadable))?;
        config.pay.unreadable = unreadable;
        // One address serves both, unless payers reach the server by another one.
        if config.pay.public_url.is_empty() {
            config.pay.public_url.clone_from(&config.server.public_url);
        }
        config.notify.public_url.clone_from(&config.server.public_url);
        config.check().map_err(|problem| ConfigError::unusable(&problem, file))?;
        Ok(config)
    }

    /// Where files lie that are made in the background: beside the database, unless the configuration says otherwise.
    #[must_use]
    pub fn exports_directory(&self) -> PathBuf {
        let beside = || {
            let database = self.database.url.expose().strip_prefix("sqlite:")?;
            Some(format!("{}.exports", database.split('?').next().unwrap_or(database)).into())
        };
        self.exports.directory.clone().or_else(beside).unwrap_or_else(|| PathBuf::from("data/exports"))
    }

    /// Where data is kept on this machine: the directory of the database, or where files are made.
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        let database = self.database.url.expose().strip_prefix("sqlite:");
        let database = database.map(|path| PathBuf::from(path.split('?').next().unwrap_or(path)));
        let file = database.unwrap_or_else(|| self.exports_directory());
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    }

    /// What the types alone do not check.
    fn check(&self) -> Result<(), String> {
        let url = &self.server.public_url;
        if !(url.starts_with("http://") || url.starts_with("https://")) || url.ends_with('/') {
            return Err("server.public_url must be http:// or https:// and a host, without a slash at the end".to_owned());
        }
        let (all, of_one) = (self.server.max_connections, self.server.max_connections_per_address);
        if !(16..=100_000).contains(&all) || !(8..=all).contains(&of_one) {
            return Err("server.max_connections must be 16 to 100000, and max_connections_per_address 8 to that".to_owned());
        }
        let database = self.database.url.expose();
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| database.starts_with(scheme)) {
            return Err("database.url must begin with sqlite: or postgres://".to_owned());
        }
        self.meters.check()?;
        self.cash_desk.validate().map_err(|(key, problem)| format!("cash_desk.{key} {problem}"))?;
        self.pay.addresses().map_err(|error| error.to_string())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(file.path(), text).unwrap();
        let said = |error: ConfigError| error.to_string().replace(&file.path().display().to_string(), "FILE");
        Config::load(Some(file.path())).map_err(said)
    }

    const EXAMPLE: &str = include_str!("../../dormwatt.example.toml");

    #[test]
    fn the_example_is_the_defaults() {
        let example = read(EXAMPLE).unwrap();
        let mut defaults = Config::default();
        defaults.pay.public_url.clone_from(&defaults.server.public_url);
        defaults.notify.public_url.clone_from(&defaults.server.public_url);
        assert_eq!(format!("{example:#?}"), format!("{defaults:#?}"));
        assert_eq!(example.database.url, defaults.database.url);
        // Every key is there, also those that have no default and so are commented out.
        for key in format!("{defaults:#?}").lines().filter_map(|line| line.trim().split_once(": ")).map(|(key, _)| key) {
            if ["is_demo", "unreadable"].contains(&key) {
                continue;
            }
            assert!(EXAMPLE.contains(key), "{key} is not in the example");
        }
    }

    #[test]
    fn the_commented_keys_of_the_example_are_valid() {
        let bare = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned();
        let all: Vec<String> = EXAMPLE.lines().map(bare).collect();
        let config = read(&all.join("\n")).unwrap();
        assert!(config.pay.alipay.is_some() && config.meters.profiles_dir.is_some());
        assert!(config.pay.unreadable.is_empty(), "{:?}", config.pay.unreadable);
    }

    #[test]
    fn errors_name_key_and_file() {
        let error = read("[server]\nadress = \"0.0.0.0:80\"").unwrap_err();
        assert!(error.contains("FILE") && error.contains("server.adress") && error.contains("`address`"), "{error}");
        let error = read("[server]\naddress = \"all\"").unwrap_err();
        assert!(error.contains("FILE") && error.contains("server.address"), "{error}");
        let error = read("[server\n").unwrap_err();
        assert!(error.contains("FILE"), "{error}");
        let error = read("[server]\npublic_url = \"example.org\"").unwrap_err();
        assert!(error.contains("FILE") && error.contains("server.public_url"), "{error}");
        for text in ["trusted_proxies = [\"everybody\"]", "trusted_proxies = [\"10.0.0.0/33\"]", "max_connections = 1"] {
            let error = read(&format!("[server]\n{text}")).unwrap_err();
            assert!(error.contains("FILE") && error.contains("server."), "{error}");
        }
        let error = read("[meters]\nbaud = 300").unwrap_err();
        assert!(error.contains("FILE") && error.contains("meters.baud"), "{error}");
        let error = read("[pay]\npublicurl = \"https://a.example\"").unwrap_err();
        assert!(error.contains("FILE") && error.contains("pay.publicurl"), "{error}");
        let error = Config::load(Some(Path::new("no-such-file.toml"))).unwrap_err();
        assert!(error.to_string().contains("no-such-file.toml"), "{error}");
    }

    #[test]
    fn a_wrong_table_of_a_channel_is_set_aside() {
        let text = "[pay.alipay]\nappid = \"1\"\nsubject = 3\n[pay.wechat]\nmchid = \"19\"\nprivate_key = [\"hunter2\"]\n\
                    [pay.unionpay]\nsubject = \"x\"\n[[pay.former.unionpay]]\nsubject = \"y\"\n\
                    [[pay.former.unionpay]]\nmerid = \"1\"\n";
        let pay = read(text).unwrap().pay;
        let wrong: Vec<(&str, &str)> = pay.unreadable.iter().map(|(table, error)| (table.as_str(), error.key.as_str())).collect();
        let expected = [
            ("pay.alipay", "pay.alipay.appid"),
            ("pay.former.unionpay[1]", "pay.former.unionpay[1].merid"),
            ("pay.wechat", "pay.wechat.private_key"),
        ];
        assert_eq!(wrong, expected);
        let said: Vec<String> = pay.unreadable.values().map(ToString::to_string).collect();
        assert!(said[0].contains("there is no such key; there are") && said[0].contains("app_id"), "{said:?}");
        assert!(!said.join("").contains("hunter2"), "{said:?}");
        assert!(pay.alipay.is_some() && pay.wechat.is_some(), "configured, and off");
        assert_eq!((pay.unionpay.unwrap().subject, pay.former.unionpay.len()), ("x".to_owned(), 2));
    }

    #[test]
    fn files_lie_beside_the_database() {
        let lie = |text: &str| read(text).unwrap().exports_directory();
        assert_eq!(lie(""), Path::new("data/dormwatt.db.exports"));
        assert_eq!(lie("[database]\nurl = \"sqlite:/var/d.db?mode=rwc\""), Path::new("/var/d.db.exports"));
        assert_eq!(lie("[database]\nurl = \"postgres://u@h/n\""), Path::new("data/exports"));
        assert_eq!(lie("[exports]\ndirectory = \"/srv/x\""), Path::new("/srv/x"));
        assert_eq!(read("").unwrap().data_directory(), Path::new("data"));
        assert_eq!(read("[database]\nurl = \"sqlite:d.db\"").unwrap().data_directory(), Path::new("."));
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = read("[database]\nurl = \"postgres://u:hunter2@h/n\"").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let error = read("[keys]\nenc = [\"hunter2\"]").unwrap_err();
        assert!(error.contains("keys.enc") && !error.contains("hunter2"), "{error}");
    }
}
