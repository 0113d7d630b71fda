//! The map of the code names every crate, and its picture has the dependencies of the manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const MAP: &str = include_str!("../../README.md");
/// Crates that serve tests only and are not in the picture.
const OF_TESTS: [&str; 2] = ["story-support", "test-support"];

/// What each crate depends on.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Name and folder of each crate, from the table.
fn crates() -> Vec<(String, String)> {
    let rows = MAP.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | `"));
    rows.filter_map(|(name, rest)| Some((name.to_owned(), rest.split_once('`')?.0.to_owned()))).collect()
}

/// The boxes of one end of an arrow. `edge` and `cli` are the two halves of `server`.
fn boxes(end: &str) -> Vec<String> {
    let names = end.split('&').map(str::trim);
    names.map(|name| if matches!(name, "edge" | "cli") { "server" } else { name }).map(str::to_owned).collect()
}

fn drawn() -> Graph {
    let mut graph = Graph::new();
    for line in MAP.split("```").nth(1).unwrap().lines() {
        let Some((from, to)) = line.split_once("-->").or_else(|| line.split_once(".->")) else { continue };
        for name in boxes(from.split("-.").next().unwrap()) {
            graph.entry(name).or_default().extend(boxes(to));
        }
    }
    graph
}

fn declared(root: &Path, crates: &[(String, String)]) -> Graph {
    let mut graph = Graph::new();
    for (name, folder) in crates {
        let manifest = std::fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
        let manifest = manifest.parse::<toml::Table>().unwrap();
        let dependencies =
            manifest.get("dependencies").and_then(|table| table.as_table()).into_iter().flat_map(|table| table.keys());
        let ours = dependencies.filter(|dependency| crates.iter().any(|(ours, _)| ours == *dependency));
        graph.insert(name.clone(), ours.cloned().collect());
    }
    graph
}

/// All that a crate depends on, directly or through others.
fn reached(graph: &Graph, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![name.to_owned()];
    while let Some(one) = next.pop() {
        for dependency in graph.get(&one).into_iter().flatten() {
            if found.insert(dependency.clone()) {
                next.push(dependency.clone());
            }
        }
    }
    found.remove(name);
    found
}

#[test]
fn the_map_shows_every_crate_and_dependency() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let crates = crates();
    for entry in std::fs::read_dir(root.join("server/crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(crates.iter().any(|(row, _)| *row == name), "{name} is not in the table of crates");
    }
    let (drawn, declared) = (drawn(), declared(root, &crates));
    for name in declared.keys().filter(|name| !OF_TESTS.contains(&name.as_str())) {
        assert_eq!(reached(&drawn, name), reached(&declared, name), "what {name} depends on, in the picture and in its manifest");
    }
}
