//! The wall's colours: the page's tokens, read from CSS, so that light, dark and print have one source.

use wasm_bindgen::JsValue;

use model::meter::SupplyState;

/// Colours and fonts, ready for a canvas.
#[derive(Clone, Debug)]
pub struct Theme {
    pub paper: String,
    pub surface: String,
    pub ink: String,
    pub muted: String,
    pub line: String,
    pub accent: String,
    pub guaranteed: String,
    pub forced_off: String,
    states: [String; 7],
    family: String,
}

impl Theme {
    /// As an element is styled now.
    ///
    /// # Errors
    /// Where there is no window.
    pub fn read(element: &web_sys::Element) -> Result<Self, JsValue> {
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let style = window.get_computed_style(element)?.ok_or(JsValue::NULL)?;
        let token = |name: &str| style.get_property_value(name).map(|value| value.trim().to_owned());
        Ok(Self {
            paper: token("--paper")?,
            surface: token("--surface")?,
            ink: token("--ink")?,
            muted: token("--muted")?,
            line: token("--line")?,
            accent: token("--accent")?,
            guaranteed: token("--guaranteed")?,
            forced_off: token("--forced-off")?,
            states: [
                token("--open")?,
                token("--alarm1")?,
                token("--alarm2")?,
                token("--arrears")?,
                token("--closed")?,
                token("--lost")?,
                token("--unreadable")?,
            ],
            family: token("font-family")?,
        })
    }

    /// A state's colour.
    #[must_use]
    pub fn state(&self, state: SupplyState) -> &str {
        self.states.get(state as usize).map_or("", String::as_str)
    }

    /// A font for the canvas.
    #[must_use]
    pub fn font(&self, weight: u16, px: u8) -> String {
        format!("{weight} {px}px {}", self.family)
    }
}

/// How strongly a tile takes its state's colour.
#[must_use]
pub const fn tint(state: SupplyState) -> f64 {
    match state {
        SupplyState::Open | SupplyState::NotOpen | SupplyState::Lost | SupplyState::Unreadable => 0.0,
        SupplyState::Alarm1 => 0.10,
        SupplyState::Alarm2 => 0.16,
        SupplyState::Arrears => 0.22,
    }
}
