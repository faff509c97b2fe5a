//! Shares: they begin and end inside the transactions of others, and only with members.

use openhearth::{
    clock::Timestamp,
    groups::{
        self,
        shares::{self, Begun},
    },
    id::Id,
    store::{Lane, StoreError},
    supporters,
};

use crate::support::TestApp;

const MEMBER: Id = Id::from_bytes(*b"a member of ours");
const DECLINED: Id = Id::from_bytes(*b"one we declined.");

async fn two_groups(app: &TestApp) {
    let columns = "INSERT INTO groups (id, slug, name, kind, website, regions, sectors, about, contact_name, \
         contact_email, contact_email_key, status, is_listed, language, terms_id, created_at, updated_at) VALUES ";
    for (id, slug, status) in
        [("a member of ours", "valley", "member"), ("one we declined.", "mill", "declined")]
    {
        let row = format!(
            "{columns} (CAST('{id}' AS BLOB), '{slug}', 'The {slug}', 'faith', 'https://{slug}.example.org', ',OH,', \
             ',steel,', '', 'Grace', 'grace@example.org', 'grace@example.org', '{status}', TRUE, 'en', \
             CAST('the terms of ours' AS BLOB), 1, 1)"
        );
        app.execute(row.leak()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_begins_once_with_members_alone_and_ends_when_it_is_withdrawn() {
    let app = TestApp::start().await;
    two_groups(&app).await;
    app.supporter("ada@example.org").await;
    let store = &app.app().kernel.store;
    let now = Timestamp::from_seconds(1_800_000_000);
    let work = move |db: &mut _| {
        let ada = supporters::find_by_key(db, "ada@example.org")?.unwrap();
        let begin =
            |db: &mut _, now| shares::begin(db, ada.number, &[DECLINED, MEMBER], ada.notice_id, None, now);
        let first = Begun { begun: vec![MEMBER], dropped: vec![DECLINED] };
        assert_eq!(begin(db, now)?, first);
        assert_eq!(
            begin(db, now)?,
            Begun { begun: Vec::new(), dropped: vec![DECLINED] },
            "it is there already"
        );
        let active = shares::active_of(db, ada.number)?;
        let seen: Vec<_> = active.iter().map(|share| (share.slug.as_str(), share.given_at)).collect();
        assert_eq!(seen, [("valley", now)]);
        assert_eq!(shares::active_groups_of(db, &[ada.number])?, [(ada.number, MEMBER)]);

        assert!(!shares::withdraw(db, ada.number, DECLINED, now)?);
        assert!(shares::withdraw(db, ada.number, MEMBER, now)?);
        assert!(!shares::withdraw(db, ada.number, MEMBER, now)?);
        assert_eq!(shares::active_of(db, ada.number)?, []);

        assert_eq!(begin(db, now)?.begun, [MEMBER], "given again");
        assert!(groups::all_share(db, MEMBER, &[ada.number])?);
        assert!(!groups::all_share(db, MEMBER, &[ada.number, ada.number + 1])?);
        assert_eq!(shares::withdraw_all(db, ada.number, now)?, [MEMBER]);
        assert!(!groups::all_share(db, MEMBER, &[ada.number])?, "no batch with them leaves");
        assert_eq!(shares::withdraw_all(db, ada.number, now)?, []);
        assert_eq!(begin(db, now)?.begun, [MEMBER]);
        assert_eq!(shares::end_all_of_group(db, DECLINED, now, 10)?, Vec::<i64>::new());
        assert_eq!(shares::end_all_of_group(db, MEMBER, now, 10)?, [ada.number]);
        assert_eq!(shares::end_all_of_group(db, MEMBER, now, 10)?, Vec::<i64>::new());
        Ok::<_, StoreError>(())
    };
    store.write(Lane::Staff, work).await.unwrap();
    assert_eq!(app.count("SELECT count(*) AS n FROM shares WHERE withdrawn_at IS NOT NULL").await, 3);
}
