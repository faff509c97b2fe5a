//! Several processes on one database file.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::{
    load::{Load, sign_up},
    look::Look,
    support::{SOON, Server, command, run, until},
};

const PASSWORD: &str = "correct horse battery staple\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_commands_work_beside_a_server_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let load = Load::start(&server.url, "beside", 16, 20_000);
    until("the load is on", SOON, async || load.acknowledged() > 50).await;
    for number in 0..3 {
        let email = format!("staff{number}@example.org");
        let path = folder.path().to_owned();
        let token = tokio::task::spawn_blocking(move || {
            let create = ["admin", "create", "--email", &email, "--role", "owner", "--password-stdin"];
            let made = run(command(&path, &create), PASSWORD);
            assert_eq!(made.code, Some(0), "{}", made.err);
            let token =
                ["admin", "token", "--email", &email, "--name", "test", "--scopes", "supporters:read"];
            let made = run(command(&path, &token), "");
            assert_eq!(made.code, Some(0), "{}", made.err);
            made.out.trim_end().to_owned()
        })
        .await
        .unwrap();
        assert!(token.starts_with("oh_") && !token.contains(char::is_whitespace), "the token alone: {token}");
        let list = reqwest::Client::new().get(server.at("/api/v1/admin/signups?limit=1")).bearer_auth(token);
        assert_eq!(list.send().await.unwrap().status(), 200);
    }
    let tally = load.stop().await;
    assert!(tally.put_off.is_empty() && tally.in_doubt.is_empty(), "{tally:?}");
    println!("{} sign-ups beside six commands", tally.acknowledged.len());
    let stored = Look::at(&server.database()).signups();
    assert!(tally.acknowledged.iter().all(|email| stored.get(email) == Some(&1)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_whole_private_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let load = Load::gated(&server.url, "kept", 16);
    load.allow(1_000_000);
    until("the load is on", SOON, async || load.acknowledged() > 200).await;
    let path = folder.path().to_owned();
    let made = tokio::task::spawn_blocking(move || run(command(&path, &["backup", "copy.db"]), ""));
    let made = made.await.unwrap();
    assert_eq!(made.code, Some(0), "{}", made.err);
    let tally = load.stop().await;
    assert!(tally.put_off.is_empty() && tally.in_doubt.is_empty(), "{tally:?}");
    let copy = folder.path().join("copy.db");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let mut look = Look::at(&copy);
    look.check();
    let kept = look.signups();
    assert!(kept.len() >= 200, "all from before it began: {}", kept.len());
    assert!(kept.iter().all(|(email, count)| *count == 1 && tally.acknowledged.contains(email)));
    server.stop().await;

    let before = fs::read(&copy).unwrap();
    let again = run(command(folder.path(), &["backup", "copy.db"]), "");
    assert_eq!(
        (again.code, again.err.as_str()),
        (Some(2), "openhearth: copy.db is there already; name a file that is not\n",)
    );
    assert_eq!(fs::read(&copy).unwrap(), before);
    // A server takes the copy as it is.
    fs::rename(&copy, server_file(folder.path())).unwrap();
    let server = Server::start(folder.path(), &[]).await;
    assert!(Look::at(&server.database()).signups().keys().eq(kept.keys()));
    server.stop().await;
}

/// Where the database is, without what a stopped server may have left beside it.
fn server_file(folder: &Path) -> PathBuf {
    for beside in ["openhearth.db-wal", "openhearth.db-shm"] {
        drop(fs::remove_file(folder.join("var").join(beside)));
    }
    folder.join("var/openhearth.db")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_start_at_once_on_nothing_migrate_once_and_agree_on_their_secret() {
    for round in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = tokio::join!(Server::start(folder.path(), &[]), Server::start(folder.path(), &[]));
        let mut look = Look::at(&one.database());
        assert!(!look.migrations().is_empty() && look.migrations().values().all(|count| *count == 1));
        for (server, name) in [(&one, "one"), (&two, "two")] {
            let email = format!("{name}{round}@example.org");
            let answer = sign_up(&reqwest::Client::new(), &server.url, &email).await.unwrap();
            assert_eq!(answer.status(), 202);
        }
        until("both are mailed once", SOON, async || {
            look.states() == BTreeMap::from([("sent".to_owned(), 2)])
        })
        .await;
        // A link of the one is good at the other.
        let out = one.process.out();
        let path = out.lines().find_map(|line| line.split_once("/setup/")).unwrap().1;
        let page = reqwest::get(two.at(&format!("/setup/{path}"))).await.unwrap();
        assert_eq!(page.status(), 200, "{}", page.text().await.unwrap());
        look.check();
        one.stop().await;
        two.stop().await;
    }
}

#[test]
fn a_database_of_a_newer_version_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let made = run(command(folder.path(), &["migrate"]), "");
    assert_eq!(made.code, Some(0), "{}", made.err);
    let database = folder.path().join("var/openhearth.db");
    let insert = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')";
    Look::to_write(&database).run(insert);
    let before = Look::at(&database).migrations();
    for arguments in [
        &["serve"][..],
        &["migrate"],
        &["admin", "token", "--email", "a@example.org", "--name", "n", "--scopes", "exports"],
    ] {
        let refused = run(command(folder.path(), arguments), "");
        assert_eq!(refused.code, Some(2), "{arguments:?}");
        assert_eq!(
            refused.err.trim_end(),
            "openhearth: database.url: the database was made by a newer version of openhearth \
             (it has migration 99991231000000); start that version",
        );
    }
    assert_eq!(Look::at(&database).migrations(), before);
}

#[test]
fn the_admin_commands_list_disable_and_reset_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let admin = |arguments: &[&str], input: &str| {
        run(command(folder.path(), &[&["admin"], arguments].concat()), input)
    };
    let create = ["create", "--role", "owner", "--password-stdin", "--email", "owner@example.org"];
    assert_eq!(admin(&create, PASSWORD).code, Some(0));
    let create = ["create", "--role", "analyst", "--password-stdin", "--email", "ada@example.org"];
    assert_eq!(admin(&create, PASSWORD).code, Some(0));
    for (arguments, reason) in [
        (
            &["create", "--role", "group_manager", "--password-stdin", "--email", "m@example.org"][..],
            "group: ",
        ),
        (
            &[
                "create",
                "--role",
                "group_manager",
                "--group",
                "x",
                "--password-stdin",
                "--email",
                "m@example.org",
            ],
            "no member group",
        ),
        (&["disable", "--email", "owner@example.org"], "last owner"),
        (&["disable", "--email", "nobody@example.org"], "no account"),
        (&["reset-password", "--email", "nobody@example.org"], "no account"),
    ] {
        let refused = admin(arguments, PASSWORD);
        assert_eq!(refused.code, Some(2), "{arguments:?}");
        assert!(refused.err.starts_with("openhearth: ") && refused.err.contains(reason), "{}", refused.err);
    }
    let weak = ["reset-password", "--password-stdin", "--email", "ada@example.org"];
    let refused = admin(&weak, "password1234\n");
    assert!(refused.code == Some(2) && refused.err.contains("easy to guess"), "{}", refused.err);
    assert_eq!(admin(&weak, "nine lanterns on the coke oven\n").code, Some(0));
    let link = admin(&["reset-password", "--remove-totp", "--email", "ada@example.org"], "");
    let link = link.out.trim_end();
    assert!(
        link.starts_with("http://") && link.contains("/reset/") && !link.contains(char::is_whitespace),
        "{link}"
    );
    assert_eq!(admin(&["disable", "--email", "ada@example.org"], "").code, Some(0));
    let listed = admin(&["list"], "").out;
    let row =
        |email: &str| listed.lines().find(|line| line.starts_with(email)).unwrap_or_default().to_owned();
    assert!(row("ada@example.org").contains("analyst\tdisabled"), "{listed}");
    assert!(row("owner@example.org").contains("owner\tactive") && !listed.contains("argon2"), "{listed}");
    assert_eq!(admin(&["enable", "--email", "ada@example.org"], "").code, Some(0));
}
