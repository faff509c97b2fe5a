//! What the matrix is asked about, and by whom: three people with names that nothing else holds, two groups, and
//! everybody who may come.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use openhearth::{
    clock::Timestamp,
    id::Id,
    staff::Role,
    store::{
        Lane, StoreError,
        schema::{groups, shares, staff, staff_tokens, supporters},
    },
};
use serde_json::json;

use super::line::{Line, Who};
use crate::imports::{already, id};
use crate::support::{Client, PASSWORD, TestApp};

/// Words of the person who shares with group A, of the one who shares with B, of the one who shares with none.
pub const PEOPLE: [[&str; 3]; 3] = [
    ["aurelia", "aardvark", "4125550101"],
    ["bartholomew", "bumblebee", "4125550102"],
    ["cassiopeia", "caterpillar", "4125550103"],
];
/// Words of group B that nobody bound to A may read.
pub const GROUP_B: [&str; 2] = ["southern cross league", "southern-cross"];

pub const SCOPES: [&str; 9] = [
    "supporters:read",
    "supporters:write",
    "exports",
    "imports",
    "groups",
    "forms",
    "stats",
    "staff",
    "audit",
];

/// What each role may do, said a second time on purpose.
fn scopes_of(role: Role) -> &'static [&'static str] {
    match role {
        Role::Owner => &SCOPES,
        Role::Organizer => &SCOPES[..7],
        Role::Analyst => &["stats"],
        Role::GroupManager => &["supporters:read", "exports", "groups", "stats"],
    }
}

/// Somebody who comes.
pub struct Caller {
    pub name: String,
    pub client: Client,
    /// Nobody has none.
    pub role: Option<Role>,
    /// Those of the token; `None` for a session.
    pub scopes: Option<Vec<&'static str>>,
    pub bound: bool,
    email: &'static str,
}

impl Caller {
    /// Whether a route that is for `who` lets them through.
    pub fn may(&self, who: Who) -> bool {
        let has = |scope: &str| {
            self.role.is_some_and(|role| scopes_of(role).contains(&scope))
                && self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope))
        };
        match who {
            Who::Open => true,
            Who::Own => self.role.is_some() && self.scopes.is_none(),
            Who::Needs(scope) => has(scope) && !self.bound,
            Who::Session(scope) => has(scope) && !self.bound && self.scopes.is_none(),
            Who::Bound(scope) => has(scope),
        }
    }

    /// Words that no answer to them may hold.
    pub fn must_not_read(&self, line: &Line) -> Vec<&'static str> {
        let people = || PEOPLE.iter().flatten().copied();
        // Scopes that are for work with people, and the roles that have them.
        let knows_people =
            ["supporters:read", "supporters:write", "exports", "imports", "groups"].map(Who::Bound);
        if line.path.contains("/audit")
            || !self.may(line.who)
            || !knows_people.iter().any(|who| self.may(*who))
        {
            people().collect()
        } else if self.bound {
            let others = PEOPLE[1..].iter().flatten().copied();
            others.chain(GROUP_B.into_iter().filter(|_| !line.names_groups)).collect()
        } else {
            Vec::new()
        }
    }

    pub async fn log_in_again(&self) {
        self.client.login(self.email, PASSWORD).await.expect(200);
    }
}

/// All of it.
pub struct World {
    /// Serves until the end.
    _app: TestApp,
    pub callers: Vec<Caller>,
    /// The supporter of A, the one of B.
    pub supporters: [Id; 2],
    /// A and B.
    pub groups: [Id; 2],
    /// A list of all three people that somebody brought.
    pub import: Id,
}

impl World {
    pub async fn new() -> Self {
        let app = TestApp::start().await;
        for [given, family, phone] in PEOPLE {
            let capital = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
            let signup = json!({
                "email": format!("{}.{}@example.org", capital(given), capital(family)),
                "given_name": capital(given), "family_name": capital(family), "phone": format!("+1{phone}"),
                "country": "US", "postal_code": "15201", "consent": { "email": true, "phone": true },
            });
            app.supporter_of(&signup).await;
        }
        let groups = [Id::new(), Id::new()];
        let supporters = seed(&app, groups).await;
        let callers = callers(&app, groups[0]).await;
        let owner = callers.iter().find(|caller| caller.may(Who::Session("staff"))).unwrap();
        let import = import(&app, &owner.client).await;
        Self { _app: app, callers, supporters, groups, import }
    }
}

/// A list that would be refused row by row, and that its preview shows.
async fn import(app: &TestApp, client: &Client) -> Id {
    let rows = PEOPLE.map(|[given, family, phone]| format!("{given}.{family}@,{given},{family},{phone}\n"));
    let list = format!("email,first name,last name,phone\n{}", rows.concat());
    let done = app.take_in(client, list.as_bytes(), &already()).await;
    id(&done).parse().unwrap()
}

async fn seed(app: &TestApp, ids: [Id; 2]) -> [Id; 2] {
    let now = app.clock.now();
    let write = move |db: &mut _| {
        let names =
            [("Northern Lights Union", "northern-lights"), ("Southern Cross League", "southern-cross")];
        let mut found = [Id::new(); 2];
        for (at, ((name, slug), id)) in names.into_iter().zip(ids).enumerate() {
            diesel::insert_into(groups::table)
                .values((
                    (groups::id.eq(id), groups::slug.eq(slug), groups::name.eq(name)),
                    (groups::kind.eq("labor_union"), groups::website.eq(""), groups::about.eq("")),
                    (groups::regions.eq(","), groups::sectors.eq(","), groups::status.eq("member")),
                    (groups::contact_name.eq("Ms Contact"), groups::is_listed.eq(true)),
                    groups::contact_email.eq(format!("contact@{slug}.example.org")),
                    groups::contact_email_key.eq(format!("contact@{slug}.example.org")),
                    (groups::language.eq("en"), groups::terms_id.eq(Id::new())),
                    (groups::created_at.eq(now), groups::updated_at.eq(now)),
                    (groups::confirmed_at.eq(Some(now)), groups::decided_at.eq(Some(now))),
                ))
                .execute(db)?;
            let key = format!("{}.{}@example.org", PEOPLE[at][0], PEOPLE[at][1]);
            let (number, supporter): (i64, Id) = supporters::table
                .filter(supporters::email_key.eq(key))
                .select((supporters::number, supporters::id))
                .first(db)?;
            found[at] = supporter;
            share(db, number, id, now)?;
        }
        Ok::<_, StoreError>(found)
    };
    app.app().kernel.store.write(Lane::Staff, write).await.unwrap()
}

fn share(
    db: &mut openhearth::store::Db,
    number: i64,
    group: Id,
    now: Timestamp,
) -> diesel::QueryResult<usize> {
    diesel::insert_into(shares::table)
        .values((
            (shares::id.eq(Id::new()), shares::supporter_number.eq(number), shares::group_id.eq(group)),
            (shares::notice_id.eq(Id::new()), shares::given_at.eq(now)),
        ))
        .execute(db)
}

async fn callers(app: &TestApp, group: Id) -> Vec<Caller> {
    let (owner, organizer) = ("owner@example.org", "organizer@example.org");
    let (analyst, manager) = ("analyst@example.org", "manager@example.org");
    let mut callers = vec![Caller {
        name: "nobody".to_owned(),
        client: app.client().clone(),
        role: None,
        scopes: None,
        bound: false,
        email: "",
    }];
    for (email, role) in [
        (owner, Role::Owner),
        (organizer, Role::Organizer),
        (analyst, Role::Analyst),
        (manager, Role::GroupManager),
    ] {
        let office = app.staff(email, role).await;
        let bound = role == Role::GroupManager;
        let mut tokens =
            vec![(format!("a token of {email} with all its scopes"), scopes_of(role).to_vec(), bound)];
        if role == Role::Owner {
            let each = |scope| (format!("a token of {email} for {scope}"), vec![scope], false);
            tokens.extend(SCOPES.into_iter().map(each));
            tokens.push((format!("a token of {email} with all scopes, bound to A"), SCOPES.to_vec(), true));
        }
        for (name, scopes, bound) in tokens {
            let client = office.token(&scopes).await;
            callers.push(Caller { name, client, role: Some(role), scopes: Some(scopes), bound, email });
            if bound && role != Role::GroupManager {
                bind_newest_token(app, group).await;
            }
        }
        let name = format!("the session of {email}");
        callers.push(Caller { name, client: office.session, role: Some(role), scopes: None, bound, email });
    }
    let write = move |db: &mut _| {
        let managers = staff::table.filter(staff::role.eq("group_manager"));
        let changed = diesel::update(managers).set(staff::group_id.eq(Some(group))).execute(db)?;
        Ok::<_, StoreError>(changed)
    };
    assert_eq!(app.app().kernel.store.write(Lane::Staff, write).await.unwrap(), 1);
    callers
}

async fn bind_newest_token(app: &TestApp, group: Id) {
    let write = move |db: &mut _| {
        let newest: Id =
            staff_tokens::table.order(staff_tokens::id.desc()).select(staff_tokens::id).first(db)?;
        let bound = diesel::update(staff_tokens::table.filter(staff_tokens::id.eq(newest)))
            .set(staff_tokens::group_id.eq(Some(group)))
            .execute(db)?;
        Ok::<_, StoreError>(bound)
    };
    assert_eq!(app.app().kernel.store.write(Lane::Staff, write).await.unwrap(), 1);
}
