//! SQL of our own that each connection prepares once. diesel's `sql_query` prepares anew each time it runs: on PostgreSQL
//! one round trip more, and a statement parsed and planned again. For what runs all the time; called by slices through
//! [`prepared`].

use std::marker::PhantomData;

use diesel::{
    AppearsOnTable, Expression, QueryResult, RunQueryDsl, SelectableExpression,
    backend::Backend,
    expression::{ValidGrouping, is_aggregate},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Bool, HasSqlType, Untyped},
};

/// A condition of diesel's query builder in words of our own. A partial index serves only who asks in the words of its own
/// condition, not by a value that is bound; and diesel's `sql` would have the statement prepared anew each time.
#[must_use]
pub const fn literally(condition: &'static str) -> Literally {
    Literally(condition)
}

/// What [`literally`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Literally(&'static str);

impl Expression for Literally {
    type SqlType = Bool;
}
impl<Source: ?Sized> AppearsOnTable<Source> for Literally {}
impl<Source: ?Sized> SelectableExpression<Source> for Literally {}
impl ValidGrouping<()> for Literally {
    type IsAggregate = is_aggregate::Never;
}
impl<DB: Backend> QueryFragment<DB> for Literally {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}
impl QueryId for Literally {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// SQL in which each `?` is a value, bound in this order. It reads rows by the names of their columns.
#[must_use = "nothing happens until it is executed or loaded"]
pub fn prepared(sql: &'static str) -> Prepared {
    let (piece, rest) = sql.split_once('?').unwrap_or((sql, ""));
    Prepared { piece, rest }
}

/// Up to its first value.
#[derive(Clone, Copy, Debug)]
pub struct Prepared {
    piece: &'static str,
    rest: &'static str,
}

/// `before`, a value, and the SQL up to the next.
#[derive(Clone, Copy, Debug)]
pub struct Bound<Before, Value, Type> {
    before: Before,
    value: Value,
    piece: &'static str,
    rest: &'static str,
    kind: PhantomData<Type>,
}

fn bound<Before, Value, Type>(
    before: Before,
    rest: &'static str,
    value: Value,
) -> Bound<Before, Value, Type> {
    let (piece, rest) = rest.split_once('?').unwrap_or((rest, ""));
    Bound { before, value, piece, rest, kind: PhantomData }
}

impl Prepared {
    /// The first `?`.
    pub fn bind<Type, Value>(self, value: Value) -> Bound<Self, Value, Type> {
        bound(self, self.rest, value)
    }
}

impl<Before, Before2, Type2> Bound<Before, Before2, Type2> {
    /// The next `?`.
    pub fn bind<Type, Value>(self, value: Value) -> Bound<Self, Value, Type> {
        let rest = self.rest;
        bound(self, rest, value)
    }
}

impl<DB: Backend> QueryFragment<DB> for Prepared {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.piece);
        Ok(())
    }
}

impl<DB, Before, Value, Type> QueryFragment<DB> for Bound<Before, Value, Type>
where
    DB: Backend + HasSqlType<Type>,
    Before: QueryFragment<DB>,
    Value: ToSql<Type, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.before.walk_ast(out.reborrow())?;
        out.push_bind_param::<Type, Value>(&self.value)?;
        out.push_sql(self.piece);
        Ok(())
    }
}

// By its text, which is what tells two of them apart.
impl QueryId for Prepared {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Before, Value, Type> QueryId for Bound<Before, Value, Type> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Prepared {
    type SqlType = Untyped;
}

impl<Before, Value, Type> Query for Bound<Before, Value, Type> {
    type SqlType = Untyped;
}

impl<C> RunQueryDsl<C> for Prepared {}
impl<C, Before, Value, Type> RunQueryDsl<C> for Bound<Before, Value, Type> {}
