//! A transaction takes no second connection: as many of them at once as the pool has connections would wait for each other.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests is a test, though Clippy sees no #[test] on it"
)]

use std::path::{Path, PathBuf};

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The words and punctuation of a source, without comments and strings.
fn tokens(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => {
                let mut escaped = false;
                let end = rest.char_indices().skip(1).find(|(_, c)| {
                    let ends = *c == '"' && !escaped;
                    escaped = *c == '\\' && !escaped;
                    ends
                });
                end.map_or(rest.len(), |(at, _)| at + 1)
            }
            'r' if rest.starts_with("r#\"") => rest.find("\"#").map_or(rest.len(), |end| end + 2),
            '\'' if rest.starts_with("'\"'") || rest.starts_with("'{'") || rest.starts_with("'}'") => 3,
            '\'' if rest.starts_with("'\\") => 4,
            c if c.is_alphanumeric() || c == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                found.push(&rest[..length]);
                length
            }
            c => {
                if !c.is_whitespace() {
                    found.push(&rest[..c.len_utf8()]);
                }
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    found
}

/// The functions that use the pool between `begin` and `commit`, or that are given both a transaction and the pool.
fn offenders(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let starts = tokens.windows(2).enumerate().filter(|(_, pair)| pair[0] == "fn").map(|(at, pair)| (at, pair[1]));
    for (start, name) in starts {
        let Some(open) = tokens[start..].iter().position(|token| *token == "{" || *token == ";") else { continue };
        let signature = &tokens[start..start + open];
        // What it gives back is not what it is given.
        let given = signature.windows(2).rposition(|pair| pair == ["-", ">"]).map_or(signature, |arrow| &signature[..arrow]);
        if given.contains(&"Tx") && given.windows(2).any(|pair| pair == ["&", "Db"]) {
            found.push(format!("{name} is given a transaction and the pool"));
        }
        if tokens[start + open] == ";" {
            continue;
        }
        let (mut depth, mut inside) = (0, false);
        for (at, token) in tokens.iter().enumerate().skip(start + open) {
            let follows = |words: &[&str]| tokens[at..].starts_with(words);
            match *token {
                "{" => depth += 1,
                "}" => depth -= 1,
                "begin" if follows(&["begin", "(", ")", ".", "await"]) && tokens[at - 2] == "db" => inside = true,
                "begin_fenced" | "begin_reading" if follows(&[token, "(", ")", ".", "await"]) => inside = true,
                "begin_locked" if tokens[at - 1] != "fn" => inside = true,
                "commit" if follows(&["commit", "(", ")"]) => inside = false,
                "drop" if follows(&["drop", "(", "tx", ")"]) => inside = false,
                "db" | "pool" | "read" if inside => {
                    let begins = tokens[at - 2] == "begin_locked"
                        || ["begin", "begin_fenced", "begin_reading"].iter().any(|begin| follows(&[token, ".", begin]));
                    let takes = if *token == "read" { follows(&["read", "!"]) } else { !begins };
                    if takes {
                        found.push(format!("{name} uses the pool inside a transaction"));
                    }
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found.dedup();
    found
}

#[test]
fn no_transaction_takes_a_second_connection() {
    // Of every crate, so that a new one cannot be forgotten.
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directories = std::fs::read_dir(&crates).unwrap().map(|entry| entry.unwrap().path().join("src"));
    let mut sources = Vec::new();
    for directory in directories.chain([crates.join("../src")]).filter(|directory| directory.is_dir()) {
        files(&directory, &mut sources);
    }
    assert!(sources.len() > 500, "{}", sources.len());
    // Which connection is whose is decided there.
    sources.retain(|file| !file.ends_with("store/src/db.rs"));
    let found: Vec<String> = sources
        .iter()
        .flat_map(|file| {
            let offenders = offenders(&std::fs::read_to_string(file).unwrap());
            offenders.into_iter().map(|offender| format!("{}: {offender}", file.display()))
        })
        .collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn second_connections_are_recognised() {
    for wrong in [
        "async fn a(db: &Db) { let mut tx = db.begin().await?; find(db, id).await?; tx.commit().await }",
        "async fn a(&self) { let mut tx = self.db.begin().await?; if x { f(&self.db).await?; } tx.commit().await }",
        "async fn a(db: &Db) { let mut tx = db.begin().await?; read!(db, |pool| 1)?; tx.commit().await }",
        "async fn a(tx: &mut Tx, db: &Db) { other(tx).await }",
        "async fn a(db: &Db) { let mut tx = db.begin_fenced().await?; find(db, id).await?; tx.commit().await }",
        "async fn a(db: &Db) { let mut tx = db.begin_reading().await?; read!(db, |pool| 1) }",
        "async fn a(db: &Db) { let mut tx = begin_locked(db, order).await?; find(db, id).await?; tx.commit().await }",
    ] {
        assert_eq!(offenders(wrong).len(), 1, "{wrong}");
    }
    for right in [
        "async fn a(db: &Db) { find(db).await?; let mut tx = db.begin().await?; tx.commit().await?; find(db).await }",
        "async fn a(db: &Db) { let mut tx = db.begin().await?; // find(db)\n on!(&mut tx, |c| \"db\")?; tx.commit().await }",
        "async fn a(db: &Db) -> Result<Tx> { let mut tx = db.begin().await?; one(&mut tx).await?; Ok(tx) }",
        "async fn a(db: &Db) { let mut tx = db.begin_reading().await?; one(&mut tx).await?; drop(tx); find(db).await }",
        "async fn a(db: &Db) { let mut tx = begin_locked(db, order).await?; one(&mut tx).await?; tx.commit().await }",
        "async fn a(db: &Db) { for x in all { let mut tx = db.begin().await?; one(&mut tx).await?; tx.commit().await?; } }",
    ] {
        assert_eq!(offenders(right), [""; 0], "{right}");
    }
}
