//! The languages of the screens.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Lang {
    /// Simplified Chinese, the first language.
    #[default]
    Zh,
    En,
}

impl Lang {
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// Its BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// From a cookie value or an `Accept-Language` header: the first of our languages that is named.
    #[must_use]
    pub fn choose(text: &str) -> Option<Self> {
        let primary = |lang: Self| lang.tag().split('-').next().unwrap_or_default();
        text.split(',').find_map(|part| {
            let tag = part.trim().to_ascii_lowercase();
            Self::ALL.into_iter().find(|lang| tag.starts_with(primary(*lang)))
        })
    }
}
