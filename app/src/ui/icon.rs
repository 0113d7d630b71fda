//! Line icons on a 24-unit grid, drawn in the colour of the text.

use leptos::prelude::*;

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Home,
    Bars,
    /// A plus in a circle.
    TopUp,
    List,
    Person,
    /// The power mark.
    Power,
    /// A magnifying glass.
    Search,
    Purse,
    /// A speech bubble.
    Bubble,
    /// A bank card.
    Card,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Home => "M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z",
            Self::Bars => "M5 20v-7M12 20V5M19 20v-10",
            Self::TopUp => "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M12 8v8M8 12h8",
            Self::List => "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
            Self::Person => "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8M4 21a8 8 0 0 1 16 0",
            Self::Power => "M12 3v8M6.3 6.8a8 8 0 1 0 11.4 0",
            Self::Search => "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14M16 16l4 4",
            Self::Purse => "M4 7h15a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1zM4 7l11-4v4M16 13.5h.01",
            Self::Bubble => {
                "M12 4c5 0 9 3.1 9 7s-4 7-9 7c-.9 0-1.8-.1-2.6-.3L5 20l1-3.6C4.1 15.1 3 13.2 3 11c0-3.9 4-7 9-7M9
                 11h.01M15 11h.01"
            }
            Self::Card => "M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1M3 10h18M7 15h4",
        }
    }
}

/// The icon; hidden from screen readers, because a text always stands next to it.
#[component]
pub fn IconMark(icon: Icon) -> impl IntoView {
    view! {
        <svg
            viewBox="0 0 24 24"
            width="24"
            height="24"
            fill="none"
            stroke="currentColor"
            stroke-width="1.8"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=icon.path() />
        </svg>
    }
}
