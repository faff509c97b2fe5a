//! [`StoreError`]: what can go wrong with the database, sorted by what the caller should do about it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failure of the database or of the way to it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// As many writes as configured are waiting; try again in a moment.
    #[error("the queue of writes is full")]
    QueueFull,
    /// The disk is full or read-only, the file is locked, the server is away. Nothing was stored, unless
    /// PostgreSQL went away in the middle of a commit: whoever tries again may then be stored twice.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// This process is stopping.
    #[error("the store is closed")]
    Closed,
    /// A statement failed: a fault of ours.
    #[error("a statement failed: {}", told(.0.to_string()))]
    Query(DieselError),
}

/// What the database says, and the key to change where it is no fault of a statement: a pooler lent a connection that
/// knows statements of others, or not ours.
pub(super) fn told(message: String) -> String {
    let is_of_others = message.contains("prepared statement \"")
        && ["already exists", "does not exist"].iter().any(|end| message.contains(end));
    if is_of_others {
        return format!(
            "{message}; set database.pooler = true if a pooler (PgBouncer) stands before PostgreSQL"
        );
    }
    message
}

/// Parts of messages that mean "not now" rather than "never", by SQLite and PostgreSQL.
const PASSING: [&str; 17] = [
    "disk is full",
    "readonly database",
    "disk I/O error",
    "is locked",
    "unable to open",
    "connection",
    "terminating",
    "shutting down",
    "starting up",
    "recovery mode",
    "No space left",
    "SSL SYSCALL",
    "could not translate host",
    "timed out",
    "timeout",
    "read-only transaction",
    "deadlock detected",
];

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        let passing = match &error {
            DieselError::BrokenTransactionManager | DieselError::AlreadyInTransaction => true,
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ReadOnlyTransaction,
                _,
            ) => true,
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, info) => {
                PASSING.iter().any(|part| info.message().contains(part))
            }
            DieselError::RollbackErrorOnCommit { commit_error, .. } => {
                return match Self::from(clone_kind(commit_error)) {
                    Self::Query(_) => Self::Query(error),
                    other => other,
                };
            }
            _ => false,
        };
        if passing { Self::Unavailable(error.to_string()) } else { Self::Query(error) }
    }
}

/// Diesel's errors are not `Clone`; what matters for sorting is kind and message.
fn clone_kind(error: &DieselError) -> DieselError {
    match error {
        DieselError::DatabaseError(kind, info) => {
            DieselError::DatabaseError(*kind, Box::new(info.message().to_owned()))
        }
        DieselError::BrokenTransactionManager => DieselError::BrokenTransactionManager,
        _ => DieselError::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database_error(message: &str) -> DieselError {
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()))
    }

    #[test]
    fn a_statement_of_another_connection_names_the_key_of_the_pooler() {
        let said = |message: &str| StoreError::from(database_error(message)).to_string();
        assert!(
            said("prepared statement \"__diesel_stmt_1\" already exists").contains("database.pooler = true")
        );
        assert!(!said("relation \"people\" already exists").contains("database.pooler"));
    }

    #[test]
    fn faults_that_pass_are_told_from_faults_of_ours() {
        for message in [
            "database or disk is full",
            "attempt to write a readonly database",
            "database is locked",
            "deadlock detected",
        ] {
            assert!(
                matches!(StoreError::from(database_error(message)), StoreError::Unavailable(_)),
                "{message}"
            );
        }
        assert!(matches!(StoreError::from(database_error("no such table: x")), StoreError::Query(_)));
    }

    #[test]
    fn a_commit_that_the_connection_was_lost_in_is_no_fault_of_its_statements() {
        let lost = || {
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection,
                Box::new("unexpected eof while reading".to_owned()),
            )
        };
        let in_doubt = DieselError::RollbackErrorOnCommit {
            rollback_error: Box::new(lost()),
            commit_error: Box::new(lost()),
        };
        assert!(matches!(StoreError::from(in_doubt), StoreError::Unavailable(_)));
    }
}
