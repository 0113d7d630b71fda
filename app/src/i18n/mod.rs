//! Typed catalogues: one struct an area, one value a language. A missing key does not compile.

pub mod audit;
pub mod auth;
pub mod cases;
pub mod commands;
pub mod common;
pub mod counter;
pub mod errors;
pub mod events;
pub mod exposed;
pub mod gateways;
pub mod guide;
pub mod ledger;
pub mod life;
pub mod memory;
pub mod operator;
pub mod prices;
pub mod reconcile;
pub mod refunds;
pub mod register;
pub mod resident;
pub mod room;
pub mod shifts;
pub mod site;
pub mod till;
pub mod wall;

use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};

/// The languages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lang {
    /// Simplified Chinese, the first language.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
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
        text.split(',').find_map(|part| {
            let tag = part.trim().to_ascii_lowercase();
            if tag.starts_with("zh") {
                Some(Self::Zh)
            } else if tag.starts_with("en") {
                Some(Self::En)
            } else {
                None
            }
        })
    }

    /// The value of this language.
    pub const fn pick<T: Copy>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// The language of this request.
#[must_use]
pub fn lang() -> Lang {
    use_context().unwrap_or_default()
}
