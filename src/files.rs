//! Files with what people gave, made on this machine for whoever runs a command.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Makes a file that its owner alone can read.
///
/// # Errors
/// When it cannot be made, above all because it is there already.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
