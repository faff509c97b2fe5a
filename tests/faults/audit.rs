//! `openhearth audit` beside a server and after it: verified, listed, handed out; damage ends it with 3.

use std::path::Path;

use crate::{
    look::Look,
    support::{SOON, Said, Server, command, run, until},
};

async fn audit(folder: &Path, arguments: &[&str]) -> Said {
    let (folder, arguments) =
        (folder.to_owned(), arguments.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    let work = move || {
        let words: Vec<&str> = std::iter::once("audit").chain(arguments.iter().map(String::as_str)).collect();
        run(command(&folder, &words), "")
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_verifies_lists_and_hands_out_and_says_by_its_code_what_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    // Makes the owner's account and a token: both are in the trail.
    let token = server.token().await;
    let logged = || server.process.err();
    until("the head is logged", SOON, async || logged().contains("the audit trail's newest link")).await;

    // Is itself in the trail, at its beginning and end.
    assert_eq!(audit(folder.path(), &["export"]).await.code, Some(0));
    let good = audit(folder.path(), &["verify"]).await;
    assert_eq!(good.code, Some(0), "{}", good.err);
    let head = good.out.lines().find_map(|line| line.strip_prefix("head ")).unwrap().to_owned();
    let (number, mac) = head.split_once(':').unwrap();
    let number: i64 = number.parse().unwrap();
    assert!(number >= 3 && mac.len() == 64, "{}", good.out);
    assert_eq!(audit(folder.path(), &["verify", "--expect", &head]).await.code, Some(0));

    let list = audit(folder.path(), &["list", "--action", "staff.create"]).await;
    assert_eq!((list.code, list.out.lines().count()), (Some(0), 1), "{}{}", list.out, list.err);
    assert!(!list.out.contains("owner@example.org"), "{}", list.out);
    let file = audit(folder.path(), &["export"]).await;
    let lines: Vec<serde_json::Value> =
        file.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Its own beginning is the newest.
    assert_eq!(
        (lines[0]["action"].as_str(), lines.len()),
        (Some("export.begin"), usize::try_from(number).unwrap() + 1)
    );
    assert!(!file.out.contains(&token), "{}", file.out);
    for (arguments, code) in [
        (&["list", "--action", "%"][..], 2),
        (&["verify", "--expect", "7"], 2),
        (&["list", "--from", "soon"], 2),
    ] {
        let refused = audit(folder.path(), arguments).await;
        assert_eq!(refused.code, Some(code), "{arguments:?} {}", refused.err);
    }
    let file = server.database();
    server.stop().await;

    // The end cut off together with the head: only what was kept elsewhere shows it.
    let kept = audit(folder.path(), &["verify"])
        .await
        .out
        .lines()
        .find_map(|line| line.strip_prefix("head ").map(str::to_owned))
        .unwrap();
    let mut look = Look::to_write(&file);
    look.run("DROP TRIGGER audit_entries_unchanged");
    look.run("DROP TRIGGER audit_entries_kept");
    look.run(&format!("DELETE FROM audit_entries WHERE number > {number}"));
    look.run(
        "UPDATE audit_head SET number = (SELECT max(number) FROM audit_entries), \
              mac = (SELECT mac FROM audit_entries ORDER BY number DESC LIMIT 1)",
    );
    assert_eq!(audit(folder.path(), &["verify"]).await.code, Some(0));
    let cut = audit(folder.path(), &["verify", "--expect", &kept]).await;
    assert_eq!(cut.code, Some(3), "{}", cut.err);
    assert!(cut.err.contains(&format!("entry {} is gone", number + 1)), "{}", cut.err);
    for (statement, sentence) in [
        ("UPDATE audit_entries SET action = 'x' WHERE number = 2", "entry 2 was changed"),
        ("DELETE FROM audit_entries WHERE number = 1", "entry 1 is missing"),
    ] {
        look.run(statement);
        let broken = audit(folder.path(), &["verify"]).await;
        assert_eq!(broken.code, Some(3), "{}", broken.err);
        assert!(broken.err.contains(sentence), "{}", broken.err);
    }
}
