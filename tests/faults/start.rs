//! A start that cannot be: one message that names the key to change, exit code 2, no panic.

use std::{
    ffi::OsString,
    fs,
    net::TcpListener,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    pooler::Pooler,
    postgres::Postgres,
    support::{Server, command, run},
};

/// Starts the server with `variables`, expects its refusal and returns what it said.
fn refusal(folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut serve = command(folder, &["serve"]);
    serve.envs(variables.iter().copied());
    let said = run(serve, "");
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    assert!(said.err.starts_with("openhearth: ") && !said.err.contains("panicked"), "{}", said.err);
    said.err
}

fn names_the_database(said: &str) {
    let sentence = said.trim_end();
    assert!(sentence.starts_with("openhearth: ") && sentence.contains("database.url"), "{sentence}");
    assert!(!sentence.contains('\n'), "{sentence}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn production_without_anything_names_every_missing_key_at_once_and_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let bare = [("OPENHEARTH__MODE", "production")];
    let relay = [("OPENHEARTH__MODE", "production"), ("OPENHEARTH__MAIL__TRANSPORT", "smtp")];
    for (variables, transport_is_missing) in [(&bare[..], true), (&relay[..], false)] {
        let said = refusal(folder.path(), variables);
        for key in [
            "server.base_url",
            "secret",
            "suppression_key",
            "mail.smtp.host",
            "mail.postal_address",
            "mail.from",
        ] {
            assert!(said.contains(&format!("  - {key} ")), "{key} is not named in:\n{said}");
        }
        assert_eq!(said.contains("  - mail.transport "), transport_is_missing, "{said}");
    }
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_wrong_value_or_an_unknown_key_is_refused_under_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, value, names) in [
        ("OPENHEARTH__SERVER__LISTEN", "everywhere", "server.listen"),
        (
            "OPENHEARTH__SERVER__LISTEN",
            "0.0.0.0:0",
            "server.listen must be a loopback address in development",
        ),
        ("OPENHEARTH__SERVER__WORKERS", "513", "server.workers must be from 0"),
        ("OPENHEARTH__SERVER__ALLOWED_ORIGINS", "https://a.example.org/", "server.allowed_origins"),
        ("OPENHEARTH__SERVER__LISTEM", "127.0.0.1:0", "listem"),
        ("OPENHEARTH__SERVFR__LISTEN", "127.0.0.1:0", "servfr"),
        ("OPENHEARTH__SERVER__TRUSTED_PROXIES", "10.0.0.0/8,proxy", "\"proxy\" is not an address or network"),
        ("OPENHEARTH__DATABASE__URL", "mysql://x", "database.url"),
        ("OPENHEARTH__DATABASE__READ_CONNECTIONS", "many", "database.read_connections"),
        ("OPENHEARTH__INTAKE__QUEUE_CAPACITY", "0", "intake.queue_capacity"),
        ("OPENHEARTH__MAIL__FROM", "nobody", "mail.from"),
        ("OPENHEARTH__MAIL__TRANSPORT", "pigeon", "mail.transport"),
        ("OPENHEARTH__MAIL__SMTP__TLS", "maybe", "\"starttls\", \"tls\" or \"none\" for key `mail.smtp.tls`"),
        ("OPENHEARTH__MAIL__SMTP__PORT", "0", "mail.smtp.port"),
        ("OPENHEARTH__DATABASE__URL", "sqlite://:memory:", "database.url must name a file"),
        ("OPENHEARTH_DATABASE__URL", "sqlite://x", "OPENHEARTH__DATABASE__URL is probably meant"),
        ("OPENHEARTH__CAMPAIGN__TIMEZONE", "Mars/Olympus", "campaign.timezone"),
        ("OPENHEARTH__METRICS__LISTEN", "9100", "metrics.listen"),
        ("OPENHEARTH__LOG__FILTER", "openhearth=loud", "log.filter"),
        ("OPENHEARTH__MODE", "staging", "mode"),
    ] {
        let said = refusal(folder.path(), &[(variable, value)]);
        assert!(said.contains(names), "{variable}={value}: {names} is not named in:\n{said}");
    }
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_configuration_file_that_is_missing_or_not_toml_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(folder.path(), &[("OPENHEARTH_ENV", "campaign")]);
    assert!(said.contains("config/campaign.toml"), "{said}");
    fs::create_dir(folder.path().join("config")).unwrap();
    fs::write(folder.path().join("config/campaign.toml"), "[server\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let said = refusal(folder.path(), &[("OPENHEARTH_ENV", "campaign")]);
    assert!(said.contains("config/campaign.toml") && said.contains("line 1"), "{said}");
    fs::write(folder.path().join("config/campaign.toml"), "[server]\nlistem = \"127.0.0.1:0\"\n").unwrap();
    let said = refusal(folder.path(), &[("OPENHEARTH_ENV", "campaign")]);
    assert!(said.contains("listem"), "{said}");
    fs::remove_file(folder.path().join("config/campaign.toml")).unwrap();
    fs::create_dir(folder.path().join("config/campaign.toml")).unwrap();
    let said = refusal(folder.path(), &[("OPENHEARTH_ENV", "campaign")]);
    assert!(said.contains("config/campaign.toml: ") && said.contains("OPENHEARTH_ENV"), "{said}");
}

#[test]
fn a_secret_in_a_file_that_cannot_be_read_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    for text in [
        "[database]\nurl = \"postgres://oh:WRONGpw9@x/y\n",
        "[mail.smtp]\npassword = WRONGpw9\n",
        "\nsecret = \"WRONGpw9\n[mail.smtp]\npassword = \"WRONGpw9\"\n",
    ] {
        fs::write(folder.path().join("config/campaign.toml"), text).unwrap();
        let said = refusal(folder.path(), &[("OPENHEARTH_ENV", "campaign")]);
        assert!(said.contains("config/campaign.toml, line 2: "), "{said}");
        assert!(!said.contains("WRONG") && said.trim_end().lines().count() == 1, "{said}");
    }
}

#[test]
fn a_variable_that_is_no_text_is_named_and_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = command(folder.path(), &["serve"]);
    serve.env("OPENHEARTH__SECRET", OsString::from_vec(b"WRONG\xffpw9".to_vec()));
    let said = run(serve, "");
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err.contains("OPENHEARTH__SECRET is not UTF-8") && !said.err.contains("WRONG"),
        "{}",
        said.err
    );
}

#[test]
fn a_url_that_cannot_be_taken_apart_is_not_printed_whichever_command_is_given_it() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "postgres://oh:WRO/NG@h/one",
        "postgres://oh:WRONG@pw9@127.0.0.1:1/one",
        "postgres://oh:WRONGpw9/one",
        "postgres://oh:WRONG pw9@127.0.0.1:1/one",
        "postgres://oh@127.0.0.1:1/one?sslpassword=a&password=WRONG pw9",
        "postgres://oh@127.0.0.1:1/one?password=a&WRONGpw9",
        "postgres://oh@127.0.0.1:1/one?sslmode=WRONGpw9",
    ] {
        let mut migrate = command(folder.path(), &["migrate"]);
        migrate.env("OPENHEARTH__DATABASE__URL", url);
        let copy = command(folder.path(), &["copy", "--from", "sqlite://source.db", "--to", url]);
        fs::write(folder.path().join("source.db"), "").unwrap();
        for (run_it, name) in [(migrate, "database.url: "), (copy, "--to: ")] {
            let said = run(run_it, "");
            assert_eq!(said.code, Some(2), "{url}: {}", said.err);
            let is_source = said.err.contains("--from: ");
            assert!(said.err.contains(name) || is_source, "{url}: {}", said.err);
            let is_shown = ["WRO", "NG", "pw9"].iter().any(|piece| said.err.contains(piece));
            assert!(!is_shown && said.err.trim_end().lines().count() == 1, "{url}: {}", said.err);
        }
    }
}

#[test]
fn a_database_that_cannot_hold_every_name_is_refused() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let postgres = Postgres::encoded(encoding);
        let folder = tempfile::tempdir().unwrap();
        let said = refusal(folder.path(), &[("OPENHEARTH__DATABASE__URL", &postgres.url())]);
        let sentence =
            format!("openhearth: database.url: the database must have the encoding UTF8, not {encoding}");
        assert!(said.starts_with(&sentence), "{said}");
        assert!(postgres.count("SELECT tablename::text AS word, 1::bigint AS count FROM pg_tables WHERE schemaname = 'public'").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_is_not_configured_is_thought_of() {
    let (folder, postgres) = (tempfile::tempdir().unwrap(), Postgres::empty());
    let pooler = Pooler::before(&postgres).await;
    let (path, url) = (folder.path().to_owned(), pooler.url.clone());
    // Each leaves its statements on a connection that one of the next is lent.
    let said = tokio::task::spawn_blocking(move || {
        let mut all = (0..8).map(|_| {
            let mut migrate = command(&path, &["migrate"]);
            migrate.env("OPENHEARTH__DATABASE__URL", &url);
            run(migrate, "")
        });
        all.find(|said| said.code != Some(0))
    });
    let said = said.await.unwrap().expect("one that is lent a connection of another");
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.starts_with("openhearth: database.url: ") && said.err.contains("database.pooler = true"),
        "{}",
        said.err
    );
}

#[test]
fn a_backup_that_cannot_be_written_names_its_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(command(folder.path(), &["migrate"]), "").code, Some(0));
    fs::write(folder.path().join("file"), "in the way").unwrap();
    let said = run(command(folder.path(), &["backup", "file/x.db"]), "");
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.starts_with("openhearth: file/x.db: ") && said.err.contains("name a file"),
        "{}",
        said.err
    );
}

#[test]
fn a_secret_file_that_cannot_be_read_is_named_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("var/secret")).unwrap();
    let said = refusal(folder.path(), &[]);
    assert!(said.contains("secret_file var/secret"), "{said}");
    fs::remove_dir(folder.path().join("var/secret")).unwrap();
    fs::write(folder.path().join("var/secret"), "half\n").unwrap();
    let said = refusal(folder.path(), &[]);
    assert!(said.contains("secret_file var/secret") && said.contains("backup"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("var/secret")).unwrap(), "half\n");
}

#[test]
fn a_port_in_use_is_named_before_any_file_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refusal(folder.path(), &[("OPENHEARTH__SERVER__LISTEN", &address)]);
    assert!(said.contains("server.listen: ") && said.contains("in use"), "{said}");
    assert!(files(folder.path()).is_empty());
    let said = refusal(folder.path(), &[("OPENHEARTH__METRICS__LISTEN", &address)]);
    assert!(said.contains("metrics.listen: ") && said.contains("in use"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bare_start_writes_under_var_alone_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    assert!(!server.url.ends_with(":0"), "links name the port that was given: {}", server.url);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let var = folder.path().join("var");
    assert_eq!(mode(&var), 0o700);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{:?}", files(folder.path()));
    let found = files(&var);
    for name in ["secret", "openhearth.db", "openhearth.db-wal"] {
        assert!(found.contains(&var.join(name)), "{name} is not in {found:?}");
    }
    for path in found {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_of_digits_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[("OPENHEARTH__CAMPAIGN__NAME", "0047")]).await;
    let page = reqwest::get(server.at("/")).await.unwrap().text().await.unwrap();
    assert!(page.contains("0047"), "{page}");
    server.stop().await;
}

#[test]
fn what_is_wrong_with_a_postgres_url_is_one_sentence_that_names_the_key_and_not_the_password() {
    let postgres = Postgres::empty();
    let server = postgres.url();
    let host = server.split_once('@').unwrap().1.split('/').next().unwrap();
    for (url, reason) in [
        (format!("{server}_not"), "does not exist"),
        (format!("postgres://nobody:geheim@{host}/postgres"), "role \"nobody\" does not exist"),
        (format!("postgres://openhearth:geheim@{host}/postgres?sslmode=require"), "does not support SSL"),
        ("postgres://openhearth:geheim@127.0.0.1:1/postgres".to_owned(), "Connection refused"),
        ("postgres://openhearth:geheim@nosuch.invalid/postgres".to_owned(), "could not translate host name"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let said = refusal(folder.path(), &[("OPENHEARTH__DATABASE__URL", &url)]);
        let sentence = said.trim_end();
        assert!(
            sentence.starts_with("openhearth: database.url: ") && sentence.contains(reason),
            "{sentence}"
        );
        assert!(!sentence.contains('\n') && !sentence.contains("heim"), "{sentence}");
    }
}

#[test]
fn a_sqlite_file_that_cannot_be_one_is_refused_in_a_sentence_that_names_the_key() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    fs::write(folder.path().join("letter"), "Dear all, this is no database. ".repeat(100)).unwrap();
    fs::write(folder.path().join("file"), "in the way").unwrap();
    for path in ["folder", "letter", "file/openhearth.db"] {
        let url = format!("sqlite://{}", folder.path().join(path).display());
        names_the_database(&refusal(folder.path(), &[("OPENHEARTH__DATABASE__URL", &url)]));
    }
    let letter = fs::read_to_string(folder.path().join("letter")).unwrap();
    assert!(letter.starts_with("Dear all"), "it was written to");
}
