//! `scanner`: see `scanner --help`.

fn main() -> std::process::ExitCode {
    scanner::cli::main()
}
