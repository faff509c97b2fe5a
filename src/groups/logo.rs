//! A member's logo: kept as the PNG that is served.

use diesel::{QueryResult, prelude::*};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    Groups,
    picture::{self, PictureError},
    review::editable,
    words::GroupStatus,
};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    each,
    error::AppError,
    id::Id,
    keys::sha256_hex,
    staff::Sight,
    store::{
        Db, Lane,
        schema::{group_logos, groups},
    },
};

/// Pictures that are decoded at once, since each may take tens of megabytes.
static DECODING: Semaphore = Semaphore::const_new(1);

/// A logo as it is served.
#[derive(Queryable)]
pub struct Logo {
    /// The PNG.
    pub png: Vec<u8>,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

impl Groups {
    /// Takes `file` as the logo of a group.
    ///
    /// # Errors
    /// 422 when it is no picture that is taken, 404 when the group is not within `sight`.
    pub async fn set_logo(
        &self,
        (actor, sight): (Actor, Sight),
        id: Id,
        file: Vec<u8>,
    ) -> Result<(), AppError> {
        let see = move |db: &mut Db| editable(db, sight, id).map(drop);
        self.kernel.store.read(see).await?;
        let png = {
            let _permit = DECODING.acquire().await.map_err(|error| AppError::internal(&error))?;
            let made = spawn_blocking(move || picture::to_png(&file)).await;
            made.map_err(|error| AppError::internal(&error))?
        };
        let png =
            png.map_err(|error: PictureError| AppError::field("logo", error.code(), error.to_string()))?;
        let sha256 = sha256_hex(&png);
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                editable(db, sight, id)?;
                upsert(db, id, &png, &sha256, now)?;
                let act = Act::new(actor, "group.logo").on("group", id);
                let act = act.with(serde_json::json!({ "sha256": sha256 }));
                Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
            })
            .await?;
        self.changed().await;
        Ok(())
    }

    /// Takes the logo of a group away.
    ///
    /// # Errors
    /// 404 when the group is not within `sight`.
    pub async fn delete_logo(&self, (actor, sight): (Actor, Sight), id: Id) -> Result<(), AppError> {
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                editable(db, sight, id)?;
                let gone =
                    diesel::delete(group_logos::table.filter(group_logos::group_id.eq(id))).execute(db)?;
                if gone > 0 {
                    let act = Act::new(actor, "group.logo").on("group", id);
                    let act = act.with(serde_json::json!({ "sha256": null }));
                    audit::append(db, &keys, &[act], now)?;
                }
                Ok::<_, AppError>(())
            })
            .await?;
        self.changed().await;
        Ok(())
    }

    /// The logo of the member with this slug.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn logo(&self, slug: String) -> Result<Option<Logo>, AppError> {
        self.kernel.store.read(move |db| Ok::<_, AppError>(find(db, &slug)?)).await
    }
}

fn upsert(db: &mut Db, id: Id, png: &[u8], sha256: &str, now: Timestamp) -> QueryResult<()> {
    let columns = (group_logos::png.eq(png), group_logos::sha256.eq(sha256), group_logos::updated_at.eq(now));
    each!(db, c => diesel::insert_into(group_logos::table)
        .values((group_logos::group_id.eq(id), columns))
        .on_conflict(group_logos::group_id)
        .do_update()
        .set(columns)
        .execute(c))
    .map(drop)
}

fn find(db: &mut Db, slug: &str) -> QueryResult<Option<Logo>> {
    group_logos::table
        .inner_join(groups::table)
        .filter(groups::slug.eq(slug))
        .filter(groups::status.eq(GroupStatus::Member))
        .select((group_logos::png, group_logos::sha256))
        .first(db)
        .optional()
}
