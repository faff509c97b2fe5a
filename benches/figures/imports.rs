//! Bringing a list of new people, and of people of whom only the address was known, each round beside its ceiling: `psql
//! \copy` and sqlite3's `.import` of the same rows into a bare table with the same indexes. On SQLite in bulk, and in pieces
//! beside 500 sign-ups a second.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::interval,
};

use crate::{
    arguments::Arguments,
    database::{Database, Engine, beside_the_build},
    process::memory,
    rounds::Rounds,
};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Sign-ups a second beside a list that is brought in pieces, and connections that send them.
const SIGNUPS: u64 = 500;
const CONNECTIONS: u64 = 50;
const CONSENT: [&str; 6] = ["--consent", "already", "--wording", "Yes.", "--consent-date", "2025-05-01"];
/// Indexes over columns of which the list says nothing: `.import` would fill them with empty texts.
const EMPTY: [&str; 8] =
    ["word_4", "word_5", "word_6", "source_code", "utm_campaign", "unsubscribed_at", "erased", "field"];

/// Measures one engine.
pub fn measure(engine: Engine, arguments: &Arguments) -> Fallible<()> {
    let rows = arguments.number("--listed", 300_000);
    let folder = tempfile::tempdir_in(beside_the_build())?;
    let list = folder.path().join("list.csv");
    fs::write(&list, list_of(rows)?)?;
    let addresses = folder.path().join("addresses.csv");
    let only_them = |line: &str| format!("{}\n", line.split(',').next().unwrap_or_default());
    fs::write(&addresses, fs::read_to_string(&list)?.lines().map(only_them).collect::<String>())?;
    println!("\nA list of {rows} people on {}, beside its ceiling", engine.name());
    let (mut own, mut bare, mut growth) = (Vec::new(), Vec::new(), 0.0_f64);
    let mut filling = Vec::new();
    for _ in 0..arguments.rounds(3) {
        let database = Database::make(engine, 0)?;
        let home = tempfile::tempdir_in(beside_the_build())?;
        let (seconds, peak) = bring(&database, home.path(), &list, engine == Engine::Sqlite)?;
        own.push(per_second(rows, seconds));
        let one = folder.path().join("one.csv");
        fs::write(&one, "email\nnobody-else@example.org\n")?;
        growth = growth.max(peak - bring(&database, home.path(), &one, engine == Engine::Sqlite)?.1);
        bare.push(per_second(rows, ceiling(engine, &database, folder.path())?));
        let known = Database::make(engine, 0)?;
        bring(&known, home.path(), &addresses, engine == Engine::Sqlite)?;
        let (seconds, peak) = bring(&known, home.path(), &list, engine == Engine::Sqlite)?;
        filling.push(per_second(rows, seconds));
        growth = growth.max(peak - bring(&known, home.path(), &one, engine == Engine::Sqlite)?.1);
    }
    let way = if engine == Engine::Sqlite { "in bulk" } else { "beside a server" };
    println!(
        "{:28} {:>9.0} rows/s, ceiling {:>9.0}, ratio {}, memory grows by {growth:.0} MB",
        way,
        Rounds::new(own.clone()).median(),
        Rounds::new(bare.clone()).median(),
        Rounds::ratios(&own, &bare).spread(),
    );
    println!(
        "{:28} {:>9.0} rows/s, ratio to the same ceiling {}",
        format!("{way}, all known"),
        Rounds::new(filling.clone()).median(),
        Rounds::ratios(&filling, &bare).spread(),
    );
    if engine == Engine::Sqlite {
        let pieces = in_pieces(rows, &list)?;
        println!(
            "{:28} {:>9.0} rows/s, ratio to the same ceiling {:.2}; meanwhile {} sign-ups, p50 {:.1} ms, p99 {:.1} ms",
            "in pieces beside sign-ups",
            pieces.rate,
            pieces.rate / Rounds::new(bare).median(),
            pieces.latencies.len(),
            percentile(&pieces.latencies, 50),
            percentile(&pieces.latencies, 99),
        );
    }
    Ok(())
}

fn per_second(rows: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(rows).unwrap_or(u32::MAX)) / seconds
}

fn list_of(rows: usize) -> Fallible<String> {
    let mut list = String::with_capacity(rows * 90);
    list.push_str("email,first_name,last_name,phone,zip,state\n");
    for row in 0..rows {
        let (area, line) = (200 + row % 700, row % 10_000);
        writeln!(
            list,
            "person.{row}@host{}.example.org,Wilhelmina{},Smelter{row},{area}-555-{line:04},44{:03},OH",
            row % 500,
            row % 3000,
            row % 1000
        )?;
    }
    Ok(list)
}

fn openhearth(database: &Database, home: &Path, arguments: &[&str]) -> Fallible<Command> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openhearth"));
    command
        .args(arguments)
        .current_dir(home)
        .env("OPENHEARTH__DATABASE__URL", database.url()?)
        .env("OPENHEARTH__SERVER__LISTEN", "127.0.0.1:0")
        .env("OPENHEARTH__LOG__FILTER", "warn")
        .stdout(Stdio::piped());
    Ok(command)
}

/// Takes the list in; seconds, and megabytes at the peak.
fn bring(database: &Database, home: &Path, list: &Path, in_bulk: bool) -> Fallible<(f64, f64)> {
    let file = list.to_string_lossy();
    let mut arguments = [&["import", &file], CONSENT.as_slice()].concat();
    if in_bulk {
        arguments.push("--offline-bulk");
    }
    let begun = Instant::now();
    let mut child = openhearth(database, home, &arguments)?.spawn()?;
    let mut peak = 0.0_f64;
    let status = loop {
        peak = peak.max(memory(child.id(), "VmHWM:").unwrap_or(0.0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    if status.success() {
        Ok((begun.elapsed().as_secs_f64(), peak))
    } else {
        Err("a list did not go in".into())
    }
}

/// Seconds that the engine's own tool takes for the rows that are in `database`, into a bare table with their indexes.
fn ceiling(engine: Engine, database: &Database, folder: &Path) -> Fallible<f64> {
    let rows = folder.join("rows.csv");
    let _ = fs::remove_file(&rows);
    let url = database.url()?;
    let copy = |statement: &str| {
        let command = format!("\\copy {statement} '{}' (format csv)", rows.display());
        tell(Command::new("psql").args(["-q", "-v", "ON_ERROR_STOP=1", &url, "-c", &command]), "")
    };
    if engine == Engine::Postgres {
        copy("supporters TO")?;
        database.run("", "CREATE TABLE bare (LIKE supporters INCLUDING INDEXES); CHECKPOINT")?;
        let begun = Instant::now();
        copy("bare FROM")?;
        return Ok(begun.elapsed().as_secs_f64());
    }
    let file = PathBuf::from(url.trim_start_matches("sqlite://"));
    let bare = folder.join("bare.db");
    for name in ["bare.db", "bare.db-journal"] {
        let _ = fs::remove_file(folder.join(name));
    }
    let sqlite = |path: &Path, script: &str| tell(Command::new("sqlite3").arg(path), script);
    let columns = sqlite(&file, "SELECT group_concat(name) FROM pragma_table_info('supporters');")?;
    let picked = columns.trim().split(',').map(|name| match name {
        "id" | "address_hash" | "notice_id" => format!("hex({name})"),
        name => name.to_owned(),
    });
    let picked = picked.collect::<Vec<_>>().join(",");
    sqlite(&file, &format!(".mode csv\n.output {}\nSELECT {picked} FROM supporters;\n", rows.display()))?;
    let indexes = "SELECT sql || ';' FROM sqlite_master WHERE tbl_name = 'supporters' AND type = 'index' \
                   AND sql IS NOT NULL;";
    let indexes = sqlite(&file, indexes)?;
    let held = indexes.lines().filter(|line| !EMPTY.iter().any(|column| line.contains(column)));
    let held = held.collect::<Vec<_>>().join("\n");
    sqlite(
        &bare,
        &format!(
            "ATTACH '{}' AS own; CREATE TABLE supporters AS SELECT * FROM own.supporters WHERE 0;\n{held}\n\
             CREATE UNIQUE INDEX a ON supporters (id); CREATE UNIQUE INDEX b ON supporters (email_key);\n\
             CREATE UNIQUE INDEX c ON supporters (address_hash); CREATE UNIQUE INDEX d ON supporters (number);",
            file.display()
        ),
    )?;
    let begun = Instant::now();
    sqlite(&bare, &format!(".mode csv\n.import {} supporters\n", rows.display()))?;
    Ok(begun.elapsed().as_secs_f64())
}

fn tell(command: &mut Command, script: &str) -> Fallible<String> {
    use std::io::Write as _;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or("no input")?.write_all(script.as_bytes())?;
    let output = child.wait_with_output()?;
    if output.status.success() { Ok(String::from_utf8(output.stdout)?) } else { Err("a tool failed".into()) }
}

struct Pieces {
    rate: f64,
    /// Milliseconds, sorted.
    latencies: Vec<f64>,
}

/// A server that takes the list in while people sign up at a steady pace.
fn in_pieces(rows: usize, list: &Path) -> Fallible<Pieces> {
    let database = Database::make(Engine::Sqlite, 0)?;
    let home = tempfile::tempdir_in(beside_the_build())?;
    const OWNER: [&str; 2] = ["--email", "owner@example.org"];
    let create = [&["admin", "create", "--role", "owner", "--password-stdin"], OWNER.as_slice()].concat();
    tell(&mut openhearth(&database, home.path(), &create)?, "correct horse battery staple\n")?;
    let token = [&["admin", "token", "--name", "bench", "--scopes", "imports"], OWNER.as_slice()].concat();
    let token = tell(&mut openhearth(&database, home.path(), &token)?, "")?.trim().to_owned();
    let mut server = Ended(openhearth(&database, home.path(), &["serve"])?.stderr(Stdio::null()).spawn()?);
    let mut said = std::io::BufReader::new(server.0.stdout.take().ok_or("no output")?);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line)?;
    let address = line.trim().trim_end_matches('/').rsplit("http://").next().ok_or("no address")?.to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let begun = runtime.block_on(start_import(&address, &token, list))?;
    let done = runtime.block_on(async {
        let mut people = JoinSet::new();
        for number in 0..CONNECTIONS {
            people.spawn(sign_up(address.clone(), number));
        }
        let at = Instant::now();
        while !begun.is_done().await? {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if at.elapsed() > Duration::from_secs(600) {
                return Err("the list did not go in within ten minutes".into());
            }
        }
        let seconds = at.elapsed().as_secs_f64();
        people.abort_all();
        let mut latencies = LATENCIES.lock().map_err(|_| "a task failed")?.clone();
        latencies.sort_by(f64::total_cmp);
        Ok::<_, Box<dyn std::error::Error>>(Pieces { rate: per_second(rows, seconds), latencies })
    });
    drop(server);
    done
}

/// Ended by its own id.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An import that works.
struct Begun {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Begun {
    async fn is_done(&self) -> Fallible<bool> {
        Ok(self.state().await? == "done")
    }

    async fn state(&self) -> Fallible<String> {
        let import = self.client.get(&self.url).bearer_auth(&self.token).send().await?;
        let import: serde_json::Value = import.json().await?;
        Ok(import["state"].as_str().unwrap_or("").to_owned())
    }
}

async fn start_import(address: &str, token: &str, list: &Path) -> Fallible<Begun> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let options = r#"{"consent":{"basis":"already","wording":"Yes.","date":"2025-05-01"}}"#;
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n{options}\r\n--x\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{}\r\n--x--\r\n",
        fs::read_to_string(list)?
    );
    let made = client
        .post(format!("http://{address}/api/v1/admin/imports"))
        .bearer_auth(token)
        .header("content-type", "multipart/form-data; boundary=x")
        .body(body)
        .send()
        .await?;
    let made: serde_json::Value = made.error_for_status()?.json().await?;
    let url = format!("http://{address}/api/v1/admin/imports/{}", made["id"].as_str().ok_or("no id")?);
    let begun = Begun { client, url, token: token.to_owned() };
    while begun.state().await? == "uploaded" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let start = begun.client.post(format!("{}/start", begun.url)).bearer_auth(token);
    start.header("content-type", "application/json").body("{}").send().await?.error_for_status()?;
    Ok(begun)
}

/// Milliseconds of all sign-ups.
static LATENCIES: std::sync::Mutex<Vec<f64>> = std::sync::Mutex::new(Vec::new());

/// Signs people up at a steady pace, whatever the server takes for each.
async fn sign_up(address: String, number: u64) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let mut pace = interval(Duration::from_micros(1_000_000 * CONNECTIONS / SIGNUPS));
    let mut answer = vec![0; 4096];
    for count in 0_u64.. {
        let due = pace.tick().await;
        let body = format!(r#"{{"email":"new-{number}-{count}@example.net","consent":{{"email":true}}}}"#);
        let request = format!(
            "POST /api/v1/signups HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let read = stream.read(&mut answer).await?;
        if !answer.get(..read).unwrap_or_default().starts_with(b"HTTP/1.1 202") {
            return Err(std::io::Error::other("a sign-up was not taken"));
        }
        // Counted from when it was due: who waits behind another waits too.
        let took = due.elapsed().as_secs_f64() * 1e3;
        if let Ok(mut all) = LATENCIES.lock() {
            all.push(took);
        }
    }
    Ok(())
}

fn percentile(sorted: &[f64], part: usize) -> f64 {
    sorted.get(sorted.len() * part / 100).copied().unwrap_or(0.0)
}
