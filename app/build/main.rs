//! Generates the catalogue of screen texts from `locales/<language>/<area>.toml`.

mod catalogue;
mod emit;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=locales");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("locales: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (manifest, out) = (variable("CARGO_MANIFEST_DIR")?, variable("OUT_DIR")?);
    let catalogue = catalogue::read(&Path::new(&manifest).join("locales"))?;
    fs::write(Path::new(&out).join("catalogue.rs"), emit::rust(&catalogue)).map_err(|error| error.to_string())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
