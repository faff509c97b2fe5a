//! A database with many sign-ups in it, made by one statement.

use std::path::Path;

use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use openhearth::{config::Config, config::DatabaseUrl, store::migrate::migrate};

/// Fills `var/openhearth.db` under `folder` with `count` sign-ups of past months, most of them confirmed.
pub fn seed(folder: &Path, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let file = folder.join("var/openhearth.db");
    let mut config = Config::defaults()?.database;
    config.url = DatabaseUrl::Sqlite(file.clone());
    migrate(&config)?;
    let mut connection = SqliteConnection::establish(&file.to_string_lossy())?;
    // Ids grow with time, as the app's do: 48 bits of milliseconds, then what tells rows apart.
    let rows = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO signups (id, state, email, form, notice_id, language, details, client_hash, created_at,
                              address_hash, triaged_at, confirmed_at, supporter_id)
         SELECT unhex(printf('%012x7%03x8%015x', 1700000000000 + i * 1000, i % 4096, i)),
                CASE i % 4 WHEN 0 THEN 'repeated' ELSE 'confirmed' END,
                'seed-' || i || '@example.org', 'join', randomblob(16), 'en',
                '{{\"given_name\":\"Ada\",\"family_name\":\"Furnace\",\"postal_code\":\"44035\",\"region\":\"OH\"}}',
                randomblob(16), 1700000000000000 + i * 1000000, randomblob(16),
                1700000000000000 + i * 1000000, 1700000000000000 + i * 1000000, randomblob(16)
         FROM n"
    );
    sql_query(rows).execute(&mut connection)?;
    Ok(())
}
