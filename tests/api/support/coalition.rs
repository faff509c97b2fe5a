//! Groups and what they hold, for tests that begin where groups have been approved long since.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use openhearth::{
    disclosures,
    groups::shares,
    id::Id,
    staff::Role,
    store::{
        Lane, StoreError,
        schema::{groups, staff},
    },
    supporters,
};

use super::{Client, TestApp, staff::Office};

impl TestApp {
    /// A member of this slug; its name is "The <slug>".
    pub async fn group(&self, slug: &str) -> Id {
        let (id, slug, now) = (Id::new(), slug.to_owned(), self.clock.now());
        self.write(move |db| {
            diesel::insert_into(groups::table)
                .values((
                    (groups::id.eq(id), groups::slug.eq(&slug), groups::name.eq(format!("The {slug}"))),
                    (
                        groups::kind.eq("faith"),
                        groups::website.eq("https://example.org"),
                        groups::about.eq(""),
                    ),
                    (groups::regions.eq(",OH,"), groups::sectors.eq(",steel,"), groups::status.eq("member")),
                    (groups::contact_name.eq("Grace"), groups::is_listed.eq(true)),
                    groups::contact_email.eq(format!("grace@{slug}.example.org")),
                    groups::contact_email_key.eq(format!("grace@{slug}.example.org")),
                    (groups::language.eq("en"), groups::terms_id.eq(Id::new())),
                    (groups::created_at.eq(now), groups::updated_at.eq(now)),
                ))
                .execute(db)
        })
        .await;
        id
    }

    /// Writes as nothing in the product does.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut openhearth::store::Db) -> diesel::QueryResult<T> + Send + 'static,
    ) -> T {
        let write = move |db: &mut _| work(db).map_err(StoreError::from);
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap()
    }

    /// The supporter with this address shares with `group` from now on.
    pub async fn share(&self, email: &str, group: Id) {
        let (key, now) = (email.to_lowercase(), self.clock.now());
        let begun = self
            .write(move |db| {
                let person = supporters::find_by_key(db, &key)?.unwrap();
                shares::begin(db, person.number, &[group], person.notice_id, None, now)
            })
            .await;
        assert_eq!(begun.begun, [group]);
    }

    /// Those with these addresses were in an export for `group`.
    pub async fn hold(&self, group: Id, emails: &[&str]) {
        let (keys, now) =
            (emails.iter().map(|email| email.to_lowercase()).collect::<Vec<_>>(), self.clock.now());
        self.write(move |db| {
            let number = |key: &String| supporters::find_by_key(db, key).map(|found| found.unwrap().number);
            let numbers = keys.iter().map(number).collect::<Result<Vec<_>, _>>()?;
            let export = disclosures::Begun {
                id: Id::new(),
                staff_id: None,
                taken_by: "group_manager".to_owned(),
                group_id: Some(group),
                format: "csv".to_owned(),
                preset: "default".to_owned(),
                purpose: "the newsletter".to_owned(),
                filter: "{}".to_owned(),
                started_at: now,
            };
            disclosures::begin(db, &export)?;
            disclosures::add_piece(db, export.id, 0, &numbers)
        })
        .await;
    }

    /// The manager of `group`, logged in, and a program of theirs.
    pub async fn manager(&self, email: &str, group: Id) -> (Office, Client) {
        let office = self.staff(email, Role::GroupManager).await;
        let key = email.to_owned();
        self.write(move |db| {
            diesel::update(staff::table.filter(staff::email_key.eq(key)))
                .set(staff::group_id.eq(Some(group)))
                .execute(db)
        })
        .await;
        let program = office.token(&["supporters:read", "exports", "groups"]).await;
        (office, program)
    }
}
