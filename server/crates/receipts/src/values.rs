//! The values of a receipt, by the names that templates use.

/// All values as text; one that the receipt does not have is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(Vec<(&'static str, String)>);

/// The names, in the order in which the editor lists them.
pub const VALUES: [&str; 22] = [
    "title",
    "kind",
    "number",
    "copy_for",
    "copy",
    "site",
    "at",
    "room",
    "residents",
    "account",
    "meter",
    "order",
    "amount",
    "capitals",
    "tender",
    "trade",
    "refunded",
    "count",
    "remaining",
    "reason",
    "corrects",
    "by",
];

/// A receipt for the preview: long names, a reason, all values.
pub const SAMPLE: [(&str, &str); 22] = [
    ("title", "售电收据"),
    ("kind", "sale"),
    ("number", "E2026-000123"),
    ("copy_for", "客户联"),
    ("copy", "副本"),
    ("site", "示例职工宿舍"),
    ("at", "2026-11-29 09:41"),
    ("room", "1号楼 3层 301"),
    ("residents", "张三, 李四"),
    ("account", "0012345"),
    ("meter", "202600000123"),
    ("order", "1764380460123456"),
    ("amount", "120.00"),
    ("capitals", "壹佰贰拾元整"),
    ("tender", "支付宝"),
    ("trade", "2026112922001412345678901234"),
    ("refunded", "已退款"),
    ("count", "7"),
    ("remaining", "143.65"),
    ("reason", "充错房间"),
    ("corrects", "E2026-000100"),
    ("by", "王五"),
];

impl Values {
    /// Sets a value of [`VALUES`].
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        debug_assert!(VALUES.contains(&name), "{name}");
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.into()));
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// [`SAMPLE`].
    #[must_use]
    pub fn sample() -> Self {
        SAMPLE.iter().fold(Self::default(), |values, (name, value)| values.with(name, *value))
    }

    /// `None` for a name that is not in [`VALUES`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        VALUES.contains(&name).then(|| self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_every_value() {
        assert_eq!(SAMPLE.map(|(name, _)| name), VALUES);
        assert_eq!((Values::default().get("room"), Values::default().get("password")), (Some(""), None));
    }
}
