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

/// Size of the drawing in its own units; it scales to the width of the page, and the words around it do not.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 180;

/// The chart of `columns` on `places` places. `label` says in words what it shows, `most` is the highest value in words, `marks`
/// are the words at its beginning, middle and end.
#[component]
pub fn Series(columns: Vec<Column>, places: i64, #[prop(into)] label: String, most: String, marks: [String; 3]) -> impl IntoView {
    let top = columns.iter().map(|column| column.high).max().unwrap_or(0).max(1);
    let places = places.max(1);
    // Hundredths of a unit, so that columns share the width evenly without floats.
    let slot = (WIDTH * 100 / places).max(1);
    let wide = if slot > 200 { slot - slot / 5 } else { slot };
    let at = move |value: i64| HEIGHT - value.clamp(0, top).saturating_mul(HEIGHT) / top;
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
    let marks = marks.map(|mark| view! { <span>{mark}</span> });
    view! {
        <figure class="series">
            <figcaption>{most}</figcaption>
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=label>
                {drawn.collect_view()}
            </svg>
            <p class="series-marks" aria-hidden="true">{marks}</p>
        </figure>
    }
}

fn hundredths(value: i64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}
