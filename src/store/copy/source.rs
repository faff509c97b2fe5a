//! The SQLite file that is copied: held alone, read row by row, each row already as the target takes it.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::Read,
    path::Path,
};

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    result::Error as DieselError,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::{
    CopyError, PIECE_BYTES, PIECE_ROWS, Piece,
    catalogue::{Kind, SourceTable, Table},
    list, quoted,
};
use crate::store::{dialect, migrate};

/// Where the header of the file counts its changes; bytes that grow with each, unless a log is in use (which is why
/// the source is taken out of WAL mode).
const CHANGES: std::ops::Range<usize> = 24..28;

/// The source, which nobody else can open.
pub(super) struct Source {
    connection: SqliteConnection,
    stamp: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    word: String,
}

#[derive(QueryableByName)]
struct Highest {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    json: String,
}

impl Source {
    /// Waits a moment for whoever has the file open, then holds it until the end of this value or of the process.
    pub(super) fn lock(file: &Path) -> Result<Self, CopyError> {
        if !file.is_file() {
            return Err(CopyError::Missing(file.display().to_string()));
        }
        // Every change since is counted in the file's header, and every start of a server is one.
        alone(&mut open(file)?)?;
        // Read while this process has the file closed: closing it once more would let go of every lock on it.
        let stamp =
            changes(file).map_err(|error| CopyError::Source(format!("{}: {error}", file.display())))?;
        let mut connection = open(file)?;
        connection.batch_execute("BEGIN EXCLUSIVE").map_err(in_use)?;
        alone(&mut connection)?;
        match migrate::sqlite_version(&mut connection).map_err(CopyError::version(CopyError::Source))? {
            migrate::Version::Current => Ok(Self { connection, stamp }),
            migrate::Version::Empty => {
                Err(CopyError::Source(format!("{} is no database of openhearth", file.display())))
            }
            migrate::Version::Older => Err(CopyError::Source(
                "the database is of an older version; run openhearth migrate on it first".to_owned(),
            )),
        }
    }

    /// Tells whether the file was changed between two runs.
    pub(super) fn stamp(&self) -> &str {
        &self.stamp
    }

    fn named(&mut self, query: &str) -> Result<Vec<(String, String)>, CopyError> {
        let rows: Vec<Named> = sql_query(query).load(&mut self.connection).map_err(CopyError::source)?;
        Ok(rows.into_iter().map(|row| (row.name, row.word)).collect())
    }

    /// All tables that hold rows of their own, but the record of migrations.
    pub(super) fn tables(&mut self) -> Result<BTreeMap<String, SourceTable>, CopyError> {
        const TABLES: &str = "(SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_\\_diesel%' ESCAPE '\\') AS t";
        let mut tables: BTreeMap<String, SourceTable> = BTreeMap::new();
        for (table, column) in self
            .named(&format!("SELECT t.name, p.name AS word FROM {TABLES}, pragma_table_info(t.name) AS p"))?
        {
            tables.entry(table).or_default().columns.insert(column);
        }
        let key = format!(
            "SELECT t.name, p.name AS word FROM {TABLES}, pragma_table_info(t.name) AS p WHERE p.pk > 0 \
             ORDER BY t.name, p.pk"
        );
        for (table, column) in self.named(&key)? {
            tables.entry(table).or_default().key.push(column);
        }
        let parents =
            format!("SELECT t.name, f.\"table\" AS word FROM {TABLES}, pragma_foreign_key_list(t.name) AS f");
        for (table, parent) in self.named(&parents)? {
            tables.entry(table).or_default().parents.insert(parent);
        }
        for table in tables.values_mut().filter(|table| table.key.is_empty()) {
            table.key.push("rowid".to_owned());
        }
        Ok(tables)
    }

    pub(super) fn count(&mut self, table: &Table) -> Result<i64, CopyError> {
        let query = format!("SELECT count(*) AS count FROM {}", quoted(&table.name));
        let row: Counted = sql_query(query).get_result(&mut self.connection).map_err(CopyError::source)?;
        Ok(row.count)
    }

    /// The highest number that each table has ever given, also to rows that are gone.
    pub(super) fn highest_numbers(&mut self) -> Result<HashMap<String, i64>, CopyError> {
        let query = "SELECT name, CAST(seq AS BIGINT) AS number FROM sqlite_sequence";
        let rows: Vec<Highest> = sql_query(query).load(&mut self.connection).map_err(CopyError::source)?;
        Ok(rows.into_iter().map(|row| (row.name, row.number)).collect())
    }

    /// Hands over the rows of `table` behind the key `last`, piece by piece.
    pub(super) fn pieces(
        &mut self,
        table: &Table,
        last: &str,
        mut take: impl FnMut(&Piece<'_>) -> Result<(), CopyError>,
    ) -> Result<(), CopyError> {
        let rows = sql_query(rows_behind(table, last))
            .load_iter::<Row, diesel::connection::DefaultLoadingMode>(&mut self.connection)
            .map_err(CopyError::source)?;
        let (mut json, mut count, mut last) = (String::new(), 0, String::new());
        let mut hand_over = |json: &mut String, count: &mut usize, last: &str| {
            json.push(']');
            let rows = i64::try_from(*count).unwrap_or(i64::MAX);
            let outcome = take(&Piece { json, rows, last });
            json.clear();
            *count = 0;
            outcome
        };
        for row in rows {
            let row = row.map_err(CopyError::source)?;
            json.push(if count == 0 { '[' } else { ',' });
            json.push_str(&row.json);
            count += 1;
            last = row.key;
            if count == PIECE_ROWS || json.len() >= PIECE_BYTES {
                hand_over(&mut json, &mut count, &last)?;
            }
        }
        if count == 0 { Ok(()) } else { hand_over(&mut json, &mut count, &last) }
    }
}

fn open(file: &Path) -> Result<SqliteConnection, CopyError> {
    let mut connection = SqliteConnection::establish(&file.to_string_lossy())
        .map_err(|error| CopyError::Source(format!("{}: {error}", file.display())))?;
    connection
        .batch_execute("PRAGMA busy_timeout = 2000; PRAGMA cache_size = -16000")
        .map_err(CopyError::source)?;
    Ok(connection)
}

/// Takes the file out of WAL mode, which only its one user can.
fn alone(connection: &mut SqliteConnection) -> Result<(), CopyError> {
    #[derive(QueryableByName)]
    struct Mode {
        #[diesel(sql_type = Text)]
        journal_mode: String,
    }
    let mode: Mode = sql_query("PRAGMA journal_mode = DELETE").get_result(connection).map_err(in_use)?;
    if mode.journal_mode == "delete" { Ok(()) } else { Err(CopyError::InUse) }
}

fn in_use(error: DieselError) -> CopyError {
    if dialect::is_locked(&error) { CopyError::InUse } else { CopyError::source(error) }
}

fn changes(file: &Path) -> std::io::Result<String> {
    let mut header = [0; 100];
    File::open(file)?.read_exact(&mut header)?;
    Ok(header[CHANGES].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Each row as one JSON object, and its key as the SQL text that finds what is behind it.
fn rows_behind(table: &Table, last: &str) -> String {
    let pairs = table.columns.iter().map(|column| {
        let name = quoted(&column.name);
        let value = match column.kind {
            Kind::Plain => name,
            // Without the condition, nothing would become no bytes.
            Kind::Bytes => format!("CASE WHEN {name} IS NOT NULL THEN '\\x' || hex({name}) END"),
            Kind::Bool => format!("json(CASE {name} WHEN 0 THEN 'false' WHEN 1 THEN 'true' END)"),
            Kind::Real => format!("CASE WHEN {name} IS NOT NULL THEN printf('%!.17g', {name}) END"),
        };
        format!("'{}', {value}", column.name.replace('\'', "''"))
    });
    let pairs = pairs.collect::<Vec<_>>().join(", ");
    let key: Vec<String> = table.key.iter().map(|column| format!("quote({})", quoted(column))).collect();
    let (key, order) = (key.join(" || ',' || "), list(&table.key));
    let behind = if last.is_empty() { String::new() } else { format!("WHERE ({order}) > ({last})") };
    format!(
        "SELECT {key} AS key, json_object({pairs}) AS json FROM {} {behind} ORDER BY {order}",
        quoted(&table.name)
    )
}
