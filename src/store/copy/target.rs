//! The PostgreSQL database that is filled: empty at the beginning, piece by piece, with a record of how far it is, which
//! keeps servers away until all is there.

use std::collections::{BTreeMap, HashMap};

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};

use super::{
    CopyError, Piece, Place,
    catalogue::{Table, TargetColumns},
    list, names, quoted,
};
use crate::{
    config::DatabaseUrl,
    store::{Db, connection::Purpose, dialect::write_transaction, lock, migrate},
};

/// The record: a row for each table, and one with an empty name for the source's stamp. Gone when all is there.
const RECORD: &str = "openhearth_copy";

/// The target.
pub(super) struct Target {
    db: Db,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    data_type: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Recorded {
    #[diesel(sql_type = Text)]
    last_key: String,
    #[diesel(sql_type = BigInt)]
    row_count: i64,
}

#[derive(QueryableByName)]
struct Holds {
    #[diesel(sql_type = Bool)]
    holds: bool,
}

#[derive(QueryableByName)]
struct Sequence {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sequence: Option<String>,
}

/// Whether a copy into this database was begun and is not whole yet.
pub(in crate::store) fn is_unfinished(connection: &mut PgConnection) -> QueryResult<bool> {
    let query = format!("SELECT to_regclass('{RECORD}') IS NOT NULL AS holds");
    Ok(sql_query(query).get_result::<Holds>(connection)?.holds)
}

impl Target {
    /// Connects, and brings an empty database to this version.
    pub(super) fn open(url: &DatabaseUrl) -> Result<Self, CopyError> {
        let mut db = Db::open(url, Purpose::Write).map_err(|error| CopyError::Target(error.to_string()))?;
        let Db::Pg(connection) = &mut db else { return Err(CopyError::Direction) };
        migrate::demand_utf8(connection).map_err(CopyError::version(CopyError::Target))?;
        let tables = "SELECT count(*) AS count FROM pg_tables WHERE schemaname = current_schema()";
        let count: Counted = sql_query(tables).get_result(connection).map_err(CopyError::target)?;
        if count.count == 0 {
            migrate::run(&mut db).map_err(CopyError::version(CopyError::Target))?;
            return Ok(Self { db });
        }
        // Asking for the version would make this table in a stranger's database.
        let record = "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS holds";
        let record: Holds = sql_query(record).get_result(connection).map_err(CopyError::target)?;
        if !record.holds {
            return Err(CopyError::foreign());
        }
        match migrate::postgres_version(connection).map_err(CopyError::version(CopyError::Target))? {
            migrate::Version::Current => Ok(Self { db }),
            migrate::Version::Older => Err(CopyError::Target(
                "the database is of another version of openhearth; name an empty one".to_owned(),
            )),
            migrate::Version::Empty => Err(CopyError::foreign()),
        }
    }

    pub(super) fn columns(&mut self) -> Result<TargetColumns, CopyError> {
        let query = format!(
            "SELECT c.table_name::text, c.column_name::text, c.data_type::text FROM information_schema.columns AS c \
             JOIN pg_tables AS t ON t.schemaname = c.table_schema AND t.tablename = c.table_name \
             WHERE c.table_schema = current_schema() AND c.is_generated = 'NEVER' \
             AND c.table_name NOT IN ('{RECORD}', '__diesel_schema_migrations') \
             ORDER BY c.table_name, c.ordinal_position"
        );
        let rows: Vec<Column> = sql_query(query).load(&mut self.db).map_err(CopyError::target)?;
        let mut columns: TargetColumns = BTreeMap::new();
        for row in rows {
            columns.entry(row.table_name).or_default().push((row.column_name, row.data_type));
        }
        Ok(columns)
    }

    /// Goes on with a copy of the same source, or begins one in a database that holds nothing but what migrations put
    /// there.
    pub(super) fn begin(&mut self, stamp: &str, tables: &[Table]) -> Result<(), CopyError> {
        let seeds = seeds(tables)?;
        transaction(&mut self.db, |db| {
            lock::once(db, lock::Once::Migrate)?;
            if let Db::Pg(connection) = db
                && is_unfinished(connection)?
            {
                let begun = recorded(db, "")?;
                return if begun.last_key == stamp { Ok(()) } else { Err(CopyError::Changed.into()) };
            }
            let mut seeded = Vec::new();
            for table in tables {
                let count = count(db, &table.name)?;
                if count > 0 {
                    seeded.push(table.name.clone());
                }
                if count > seeds.get(&table.name).copied().unwrap_or(0) {
                    let reason = format!(
                        "the database holds data already ({count} rows in {}); name an empty one",
                        table.name
                    );
                    return Err(CopyError::Target(reason).into());
                }
            }
            // The source has these in its own way. Only these: some tables refuse to be emptied, empty or not.
            for name in &seeded {
                db.batch_execute(&format!("DELETE FROM {}", quoted(name)))?;
            }
            db.batch_execute(&format!(
                "CREATE TABLE {RECORD} (table_name TEXT NOT NULL PRIMARY KEY, last_key TEXT NOT NULL, \
                 row_count BIGINT NOT NULL)"
            ))?;
            // The figures that triggers keep are copied, too.
            db.batch_execute(&set_triggers(tables, "DISABLE"))?;
            let insert = format!("INSERT INTO {RECORD} (table_name, last_key, row_count) VALUES ($1, $2, 0)");
            sql_query(&insert).bind::<Text, _>("").bind::<Text, _>(stamp).execute(db)?;
            for table in tables {
                sql_query(&insert).bind::<Text, _>(&table.name).bind::<Text, _>("").execute(db)?;
            }
            Ok(())
        })
    }

    /// Rows that are there.
    pub(super) fn copied(&mut self) -> Result<i64, CopyError> {
        let query = format!("SELECT coalesce(sum(row_count), 0)::bigint AS count FROM {RECORD}");
        let row: Counted = sql_query(query).get_result(&mut self.db).map_err(CopyError::target)?;
        Ok(row.count)
    }

    pub(super) fn place(&mut self, table: &Table) -> Result<Place, CopyError> {
        let found = recorded(&mut self.db, &table.name).map_err(CopyError::target)?;
        Ok(Place { last: found.last_key, rows: found.row_count })
    }

    /// Stores a piece together with how far the table is then.
    pub(super) fn append(
        &mut self,
        table: &Table,
        place: &mut Place,
        piece: &Piece<'_>,
    ) -> Result<(), CopyError> {
        let (name, columns) = (quoted(&table.name), list(&names(table)));
        let insert = format!(
            "INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE \
             SELECT {columns} FROM json_populate_recordset(NULL::{name}, $1::json)"
        );
        let record = format!(
            "UPDATE {RECORD} SET last_key = $1, row_count = row_count + $2 WHERE table_name = $3 AND row_count = $4"
        );
        transaction(&mut self.db, |db| {
            // First: whoever else copies waits here, and then finds that the table is further than it thought.
            let moved = sql_query(record)
                .bind::<Text, _>(piece.last)
                .bind::<BigInt, _>(piece.rows)
                .bind::<Text, _>(&table.name)
                .bind::<BigInt, _>(place.rows)
                .execute(db)?;
            if moved != 1 {
                return Err(CopyError::Interfered(table.name.clone()).into());
            }
            sql_query(insert).bind::<Text, _>(piece.json).execute(db)?;
            Ok(())
        })?;
        place.rows += piece.rows;
        piece.last.clone_into(&mut place.last);
        Ok(())
    }

    /// Compares the counts, lets numbers go on behind the highest that was ever given, and opens the database to
    /// servers.
    pub(super) fn finish(
        &mut self,
        tables: &[Table],
        counts: &[i64],
        highest: &HashMap<String, i64>,
    ) -> Result<(), CopyError> {
        transaction(&mut self.db, |db| {
            for (table, here) in tables.iter().zip(counts.iter().copied()) {
                let there = count(db, &table.name)?;
                if here != there {
                    return Err(CopyError::Miscounted { table: table.name.clone(), here, there }.into());
                }
            }
            for Sequence { table_name, column_name, sequence } in sequences(db)? {
                let Some(sequence) = sequence else { continue };
                let given = highest.get(&table_name).copied().unwrap_or(0);
                let (table, column) = (quoted(&table_name), quoted(&column_name));
                let set = format!(
                    "SELECT setval($1::regclass, greatest(n, 1), n > 0) \
                     FROM (SELECT greatest(coalesce(max({column}), 0), $2) AS n FROM {table}) AS highest"
                );
                sql_query(set).bind::<Text, _>(sequence).bind::<BigInt, _>(given).execute(db)?;
            }
            db.batch_execute(&set_triggers(tables, "ENABLE"))?;
            db.batch_execute(&format!("DROP TABLE {RECORD}"))?;
            Ok(())
        })?;
        // What the planner knows of tables that were empty is wrong now.
        self.db.batch_execute("ANALYZE").map_err(CopyError::target)
    }
}

/// Switches off, or on again, what a change of a row does by itself, but for the keys that rows refer by.
fn set_triggers(tables: &[Table], word: &str) -> String {
    tables.iter().map(|table| format!("ALTER TABLE {} {word} TRIGGER USER;", quoted(&table.name))).collect()
}

/// Rows that the migrations themselves put into each table, and that the source has in its own way.
fn seeds(tables: &[Table]) -> Result<HashMap<String, i64>, CopyError> {
    let fresh =
        SqliteConnection::establish(":memory:").map_err(|error| CopyError::Source(error.to_string()))?;
    let mut fresh = Db::Sqlite(fresh);
    migrate::run(&mut fresh).map_err(CopyError::version(CopyError::Source))?;
    let count =
        |table: &Table| Ok((table.name.clone(), count(&mut fresh, &table.name).map_err(CopyError::source)?));
    tables.iter().map(count).collect()
}

fn count(db: &mut Db, table: &str) -> QueryResult<i64> {
    let query = format!("SELECT count(*) AS count FROM {}", quoted(table));
    Ok(sql_query(query).get_result::<Counted>(db)?.count)
}

fn recorded(db: &mut Db, table: &str) -> QueryResult<Recorded> {
    let query = format!("SELECT last_key, row_count FROM {RECORD} WHERE table_name = $1");
    sql_query(query).bind::<Text, _>(table).get_result(db)
}

fn sequences(db: &mut Db) -> QueryResult<Vec<Sequence>> {
    sql_query(
        "SELECT table_name::text, column_name::text, \
         pg_get_serial_sequence(quote_ident(table_schema) || '.' || quote_ident(table_name), column_name) AS sequence \
         FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'",
    )
    .load(db)
}

/// Either what the database says, or what we say.
enum Failure {
    Query(diesel::result::Error),
    Ours(CopyError),
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Query(error)
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        Self::Ours(error)
    }
}

fn transaction<T>(db: &mut Db, work: impl FnOnce(&mut Db) -> Result<T, Failure>) -> Result<T, CopyError> {
    write_transaction(db, work).map_err(|failure| match failure {
        Failure::Query(error) => CopyError::target(error),
        Failure::Ours(error) => error,
    })
}
