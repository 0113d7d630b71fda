//! A few curves over the same places as SVG from the server: no bytes of WebAssembly, and printable.

use leptos::prelude::*;

/// A curve: its name, and a value for each place; `None` where it is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    pub values: Vec<Option<i64>>,
}

/// Size of the drawing in its own units; it scales to the width of the page, and the words around it do not.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 180;

/// Half the length of the stroke that a value alone gets.
const HALF: i64 = 3;

/// The chart. `label` says in words what it shows, `most` is the highest value in words, `marks` are the words at its beginning,
/// middle and end. Curves differ by colour and by dashes.
#[component]
pub fn Lines(lines: Vec<Line>, #[prop(into)] label: String, most: String, marks: [String; 3]) -> impl IntoView {
    let top = lines.iter().flat_map(|line| &line.values).filter_map(|value| *value).max().unwrap_or(0).max(1);
    let names = lines.iter().zip(1..).map(|(line, number)| {
        view! {
            <span class="lines-name">
                <svg viewBox="0 0 24 8" aria-hidden="true"><path class=class(number) d="M0 4H24" /></svg>
                {line.name.clone()}
            </span>
        }
    });
    let names = names.collect_view();
    let curves = lines.iter().zip(1..).map(|(line, number)| {
        view! { <path class=class(number) d=path(&line.values, top) vector-effect="non-scaling-stroke" /> }
    });
    let curves = curves.collect_view();
    let marks = marks.map(|mark| view! { <span>{mark}</span> });
    view! {
        <figure class="series lines">
            <figcaption>{most}{names}</figcaption>
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=label>
                {curves}
            </svg>
            <p class="series-marks" aria-hidden="true">{marks}</p>
        </figure>
    }
}

fn class(number: i64) -> String {
    format!("line-{number}")
}

/// Each value in the middle of its place; where one is unknown the curve is broken, and a value alone is a short stroke.
fn path(values: &[Option<i64>], top: i64) -> String {
    let places = i64::try_from(values.len()).unwrap_or(1).max(1);
    let mut path = String::new();
    let mut is_drawn = false;
    let after = values.iter().skip(1).chain([&None]);
    for ((place, value), next) in (0..).zip(values).zip(after) {
        if let Some(value) = value {
            let across = (2 * place + 1) * WIDTH / (2 * places);
            let down = i128::from(HEIGHT) - i128::from((*value).clamp(0, top)) * i128::from(HEIGHT) / i128::from(top.max(1));
            path += &match (is_drawn, next) {
                (true, _) => format!("L{across} {down}"),
                (false, Some(_)) => format!("M{across} {down}"),
                (false, None) => format!("M{} {down}h{}", across - HALF, 2 * HALF),
            };
        }
        is_drawn = value.is_some();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn curves_break_where_nothing_is_known() {
        assert_eq!(path(&[Some(0), Some(5), None, Some(10)], 10), "M90 180L270 90M627 0h6");
        assert_eq!(path(&[None, Some(10), None], 10), "M357 0h6", "a value alone is seen too");
        assert_eq!((path(&[], 1), path(&[None], 1)), (String::new(), String::new()));
        assert_eq!(path(&[Some(i64::MAX), Some(-3)], i64::MAX), "M180 0L540 180");
    }
}
