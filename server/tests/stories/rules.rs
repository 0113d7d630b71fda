//! The list of payment rules names tests that exist.

use std::path::Path;

const LIST: &str = include_str!("../../crates/payments/README.md");

fn sources(dir: &Path, all: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, all);
        } else if entry.extension().is_some_and(|ext| ext == "rs") {
            all.push_str(&std::fs::read_to_string(entry).unwrap());
        }
    }
}

#[test]
fn every_payment_rule_names_existing_tests() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for dir in ["src", "tests", "crates", "../app/src", "../app/model/src"] {
        sources(&here.join(dir), &mut all);
    }
    let all: String = all.split_whitespace().collect::<Vec<_>>().join(" ").replace("both!( ", "both!(");
    let rules: Vec<&str> =
        LIST.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| | ") && !line.starts_with("| -")).collect();
    assert_eq!(rules.len(), 17);
    for rule in rules {
        let tests: Vec<&str> = rule.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{rule}");
        for test in tests {
            let there = [format!("fn {test}("), format!("both!({test},")].iter().any(|form| all.contains(form));
            assert!(there, "{test} is not there: {rule}");
        }
    }
}
