//! Many values over time as SVG from the server: no bytes of WebAssembly, and printable.

use leptos::prelude::*;

/// One column of the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its place, from 0 to the number of places.
    pub place: i64,
    /// The lower end; 0 for a column that stands on the base.
    pub low: i64,
    pub high: i64,
}

/// Size of the drawing in its own units; it scales to the width of the page.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 180;
/// Room for the highest value above and the labels below.
const HEAD: i64 = 18;
const FOOT: i64 = 18;

/// The chart of `columns` on `places` places. `label` says in words what it shows, `most` is the highest value in words, `marks`
/// are the words at its beginning, middle and end.
#[component]
pub fn Series(columns: Vec<Column>, places: i64, #[prop(into)] label: String, most: String, marks: [String; 3]) -> impl IntoView {
    let top = columns.iter().map(|column| column.high).max().unwrap_or(0).max(1);
    let base = HEAD + HEIGHT;
    let places = places.max(1);
    // Hundredths of a unit, so that columns share the width evenly without floats.
    let slot = (WIDTH * 100 / places).max(1);
    let wide = if slot > 200 { slot - slot / 5 } else { slot };
    let at = move |value: i64| base - value.clamp(0, top).saturating_mul(HEIGHT) / top;
    let drawn = columns.into_iter().map(move |column| {
        let (y, end) = (at(column.high), at(column.low));
        view! {
            <rect
                x=hundredths(column.place * (WIDTH * 100) / places + (slot - wide) / 2)
                y=y.to_string()
                width=hundredths(wide)
                height=(end - y).max(1).to_string()
            />
        }
    });
    let [first, middle, last] = marks;
    let foot = (base + FOOT - 4).to_string();
    view! {
        <svg class="series" viewBox=format!("0 0 {WIDTH} {}", base + FOOT) role="img" aria-label=label>
            <text x="0" y=(HEAD - 5).to_string()>{most}</text>
            <line x1="0" x2=WIDTH.to_string() y1=HEAD.to_string() y2=HEAD.to_string() />
            {drawn.collect_view()}
            <line x1="0" x2=WIDTH.to_string() y1=base.to_string() y2=base.to_string() />
            <text x="0" y=foot.clone()>{first}</text>
            <text class="middle" x=(WIDTH / 2).to_string() y=foot.clone()>{middle}</text>
            <text class="end" x=WIDTH.to_string() y=foot>{last}</text>
        </svg>
    }
}

fn hundredths(value: i64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}
