//! `gassync`: see `gassync help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gassync::cli::main()
}
