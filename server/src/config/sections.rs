//! Tables of payment channels that cannot be read. They switch off their own merchant, as any other wrong configuration of a
//! channel does, and not the server.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::ConfigError;

const CHANNELS: [&str; 3] = ["alipay", "wechat", "unionpay"];

/// What is wrong with each such table, by its name.
pub type Unreadable = BTreeMap<String, payments::ConfigError>;

/// Empties the table of a payment channel in which this key is wrong, and notes why. Gives whether it is in one, and that one was
/// not emptied before.
pub fn set_aside(table: &mut Table, key: &str, error: &ConfigError, unreadable: &mut Unreadable) -> bool {
    let Some((section, found)) = find(table, key) else { return false };
    if unreadable.contains_key(&section) {
        return false;
    }
    *found = Value::Table(Table::new());
    let text = error.to_string();
    // The key is said before the problem.
    let problem = text.strip_prefix(key).map_or_else(|| format!("is wrong: {text}"), |rest| rest.trim_start().to_owned());
    unreadable.insert(section, payments::ConfigError { key: key.to_owned(), problem });
    true
}

/// The name of the table of a channel in which a key is, as in `pay.alipay` or `pay.former.alipay[0]`, and the table.
fn find<'a>(table: &'a mut Table, key: &str) -> Option<(String, &'a mut Value)> {
    let path: Vec<&str> = key.split('.').collect();
    match path[..] {
        ["pay", "former", element, ..] => {
            let (channel, rest) = element.split_once('[').filter(|(channel, _)| CHANNELS.contains(channel))?;
            let n: usize = rest.strip_suffix(']')?.parse().ok()?;
            let former = table.get_mut("pay")?.as_table_mut()?.get_mut("former")?.as_table_mut()?;
            let found = former.get_mut(channel)?.as_array_mut()?.get_mut(n)?;
            Some((format!("pay.former.{element}"), found))
        }
        ["pay", channel, ..] if CHANNELS.contains(&channel) => {
            let found = table.get_mut("pay")?.as_table_mut()?.get_mut(channel)?;
            Some((format!("pay.{channel}"), found))
        }
        _ => None,
    }
}
