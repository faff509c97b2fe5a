//! Who was in which export, as other slices ask for it.

use openhearth::{
    clock::Timestamp,
    disclosures::{self, Begun, ExportSummary},
    id::Id,
    store::{Lane, StoreError},
};

use crate::support::TestApp;

/// An export that is under way, for a group or for everybody.
fn begun(group_id: Option<Id>, at: i64) -> Begun {
    Begun {
        id: Id::new(),
        staff_id: None,
        taken_by: "command_line".to_owned(),
        group_id,
        format: "csv".to_owned(),
        preset: "default".to_owned(),
        purpose: "a letter".to_owned(),
        filter: "{}".to_owned(),
        started_at: Timestamp::from_seconds(at),
    }
}

impl TestApp {
    async fn disclose(&self, export: &Begun, pieces: Vec<Vec<i64>>) {
        let export = export.clone();
        let write = move |db: &mut _| {
            disclosures::begin(db, &export)?;
            for (piece, numbers) in (0..).zip(&pieces) {
                disclosures::add_piece(db, export.id, piece, numbers)?;
            }
            Ok::<_, StoreError>(())
        };
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap();
    }

    async fn including(&self, number: i64) -> Vec<ExportSummary> {
        let read = move |db: &mut _| Ok::<_, StoreError>(disclosures::including(db, number)?);
        self.app().kernel.store.read(read).await.unwrap()
    }

    async fn groups_holding(&self, number: i64) -> Vec<Id> {
        let read = move |db: &mut _| Ok::<_, StoreError>(disclosures::groups_holding(db, number)?);
        self.app().kernel.store.read(read).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_in_an_export_is_found_across_pieces_and_blocks() {
    let app = TestApp::start().await;
    let (whole, some) = (begun(None, 1000), begun(None, 2000));
    app.disclose(&whole, vec![(1..70_000).collect(), (70_000..140_000).collect()]).await;
    app.disclose(&some, vec![vec![5, 70_001], vec![70_001, 9_000_000_000]]).await;
    let ids = async |number: i64| -> Vec<Id> {
        app.including(number).await.into_iter().map(|export| export.id).collect()
    };
    assert_eq!(ids(5).await, [some.id, whole.id], "newest first");
    assert_eq!(ids(6).await, [whole.id]);
    assert_eq!(ids(70_001).await, [some.id, whole.id], "once, though two pieces hold it");
    assert_eq!(ids(139_999).await, [whole.id]);
    assert_eq!(ids(140_000).await, []);
    assert_eq!(ids(9_000_000_000).await, [some.id]);
    let told = app.including(6).await.remove(0);
    assert_eq!(
        (told.taken_by.as_str(), told.purpose.as_str(), told.format.as_str()),
        ("command_line", "a letter", "csv")
    );
    assert_eq!(told.at, Timestamp::from_seconds(1000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_groups_that_ever_took_somebody_out_are_named_once() {
    let app = TestApp::start().await;
    let (a, b) = (Id::new(), Id::new());
    app.disclose(&begun(None, 1), vec![vec![1, 2, 3]]).await;
    for at in 2..4 {
        app.disclose(&begun(Some(a), at), vec![vec![1, 2]]).await;
    }
    app.disclose(&begun(Some(b), 4), vec![vec![2, 3]]).await;
    assert_eq!(app.groups_holding(1).await, [a]);
    assert_eq!(app.groups_holding(2).await, [a, b]);
    assert_eq!(app.groups_holding(3).await, [b]);
    assert_eq!(app.groups_holding(4).await, []);
}
