//! The binary: reads the command line and says what went wrong.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::main()
}
