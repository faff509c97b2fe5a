//! Statements over second factors.

use diesel::{QueryResult, prelude::*};

use crate::{
    id::Id,
    keys::AddressHash,
    store::{
        Db,
        schema::{staff, staff_recovery_codes},
    },
};

/// Remembers what a secret that is not confirmed yet is derived from.
pub fn set_pending(db: &mut Db, id: Id, nonce: &[u8]) -> QueryResult<()> {
    diesel::update(staff::table.filter(staff::id.eq(id)))
        .set(staff::totp_pending.eq(Some(nonce)))
        .execute(db)
        .map(drop)
}

pub fn find_pending(db: &mut Db, id: Id) -> QueryResult<Option<Vec<u8>>> {
    staff::table.filter(staff::id.eq(id)).select(staff::totp_pending).first(db)
}

/// Turns the second factor on; `step` was used to show that it works. A login that is under way with the password alone
/// finds `link_version` raised, and a mailed link is void.
pub fn enable(db: &mut Db, id: Id, nonce: &[u8], step: i64) -> QueryResult<()> {
    diesel::update(staff::table.filter(staff::id.eq(id)))
        .set((
            staff::totp_nonce.eq(Some(nonce)),
            staff::totp_pending.eq(None::<Vec<u8>>),
            staff::totp_step.eq(Some(step)),
            staff::link_version.eq(staff::link_version + 1),
        ))
        .execute(db)
        .map(drop)
}

/// Turns it off, recovery codes included; false when it was off.
pub fn disable(db: &mut Db, id: Id) -> QueryResult<bool> {
    diesel::delete(staff_recovery_codes::table.filter(staff_recovery_codes::staff_id.eq(id))).execute(db)?;
    diesel::update(staff::table.filter(staff::id.eq(id)))
        .filter(staff::totp_nonce.is_not_null())
        .set((
            staff::totp_nonce.eq(None::<Vec<u8>>),
            staff::totp_pending.eq(None::<Vec<u8>>),
            staff::totp_step.eq(None::<i64>),
        ))
        .execute(db)
        .map(|changed| changed > 0)
}

/// Uses a step up; false when it, or a later one, was used before.
pub fn use_step(db: &mut Db, id: Id, step: i64) -> QueryResult<bool> {
    diesel::update(staff::table.filter(staff::id.eq(id)))
        .filter(staff::totp_step.is_null().or(staff::totp_step.lt(Some(step))))
        .set(staff::totp_step.eq(Some(step)))
        .execute(db)
        .map(|changed| changed > 0)
}

/// Uses a recovery code up; false when there is no such one.
pub fn use_recovery_code(db: &mut Db, id: Id, code: AddressHash) -> QueryResult<bool> {
    use staff_recovery_codes::dsl;
    diesel::delete(dsl::staff_recovery_codes.filter(dsl::staff_id.eq(id)).filter(dsl::code_hash.eq(code)))
        .execute(db)
        .map(|deleted| deleted > 0)
}

/// Stores new recovery codes in place of the old ones.
pub fn replace_recovery_codes(db: &mut Db, id: Id, codes: &[AddressHash]) -> QueryResult<()> {
    use staff_recovery_codes::dsl;
    diesel::delete(dsl::staff_recovery_codes.filter(dsl::staff_id.eq(id))).execute(db)?;
    for code in codes {
        diesel::insert_into(dsl::staff_recovery_codes)
            .values((dsl::staff_id.eq(id), dsl::code_hash.eq(code)))
            .execute(db)?;
    }
    Ok(())
}

pub fn count_recovery_codes(db: &mut Db, id: Id) -> QueryResult<i64> {
    use staff_recovery_codes::dsl;
    dsl::staff_recovery_codes.filter(dsl::staff_id.eq(id)).count().get_result(db)
}
