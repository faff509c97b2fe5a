//! The `openhearth` binary; everything is in the library.

fn main() -> std::process::ExitCode {
    openhearth::cli::run()
}
