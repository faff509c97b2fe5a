//! Which database the suite runs on. The one place to choose it; PostgreSQL comes with its own issue.

use std::{fs, path::PathBuf};

use openhearth::config::DatabaseUrl;
use tempfile::TempDir;

/// A database of one test's own, gone with it.
pub enum Backend {
    /// A file in a folder of its own.
    Sqlite(TempDir),
}

impl Backend {
    /// The backend of this run.
    pub fn choose() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// Where it is.
    pub fn url(&self) -> DatabaseUrl {
        match self {
            Self::Sqlite(folder) => DatabaseUrl::Sqlite(folder.path().join("openhearth.db")),
        }
    }

    /// The files that hold it, as they are now: the database, and SQLite's write-ahead log beside it.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Sqlite(folder) => {
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
            }
        }
    }

    /// Names of the files in which `text` stands, whatever row, free page or log it is in.
    pub fn files_with(&self, text: &str) -> Vec<String> {
        let holds = |path: &PathBuf| {
            let bytes = fs::read(path).unwrap();
            bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
        };
        let names = self.files().into_iter().filter(holds);
        names.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }
}
