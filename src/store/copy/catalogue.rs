//! What there is to copy: the tables of the source beside those of the target, parents before their children.

use std::collections::{BTreeMap, BTreeSet};

use super::CopyError;

/// How a column's values cross over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes, as hexadecimal.
    Bytes,
    /// 0 and 1 on SQLite.
    Bool,
    /// Whole numbers and texts, as they are.
    Plain,
    /// Numbers with a fraction, with all their digits.
    Real,
}

impl Kind {
    /// Of a type by its name in PostgreSQL.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "bytea" => Self::Bytes,
            "boolean" => Self::Bool,
            "bigint" | "integer" | "smallint" | "text" => Self::Plain,
            "double precision" => Self::Real,
            _ => return None,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A table to copy.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub name: String,
    /// What orders its rows; never empty.
    pub key: Vec<String>,
    pub columns: Vec<Column>,
}

/// A table as the source has it.
#[derive(Clone, Debug, Default)]
pub(super) struct SourceTable {
    pub key: Vec<String>,
    pub columns: BTreeSet<String>,
    /// Tables that its rows refer to.
    pub parents: BTreeSet<String>,
}

/// The target's columns: by table, each with its type. Generated ones are left out.
pub(super) type TargetColumns = BTreeMap<String, Vec<(String, String)>>;

/// Pairs the tables of both and puts them into an order in which every row finds the rows that it refers to.
pub(super) fn match_up(
    mut source: BTreeMap<String, SourceTable>,
    target: &TargetColumns,
) -> Result<Vec<Table>, CopyError> {
    if let Some(name) = target.keys().find(|name| !source.contains_key(*name)) {
        return Err(CopyError::Source(format!("it has no table {name}")));
    }
    let mut tables = Vec::with_capacity(source.len());
    while !source.is_empty() {
        let waits = |name: &str, table: &SourceTable| {
            table.parents.iter().any(|parent| parent != name && source.contains_key(parent))
        };
        let ready: Vec<String> =
            source.iter().filter(|(name, table)| !waits(name, table)).map(|(name, _)| name.clone()).collect();
        if ready.is_empty() {
            let names: Vec<_> = source.keys().map(String::as_str).collect();
            return Err(CopyError::Source(format!(
                "the tables {} refer to each other in a ring",
                names.join(", ")
            )));
        }
        for name in ready {
            if let Some(table) = source.remove(&name) {
                tables.push(pair(name, table, target)?);
            }
        }
    }
    Ok(tables)
}

fn pair(name: String, table: SourceTable, target: &TargetColumns) -> Result<Table, CopyError> {
    let Some(there) = target.get(&name) else {
        return Err(CopyError::Target(format!("it has no table {name}")));
    };
    let names: BTreeSet<String> = there.iter().map(|(column, _)| column.clone()).collect();
    if let Some(column) = names.symmetric_difference(&table.columns).next() {
        return Err(CopyError::Target(format!("only one of the two has a column {name}.{column}")));
    }
    let columns = there.iter().map(|(column, kind)| {
        let known = Kind::of(kind).ok_or_else(|| {
            CopyError::Target(format!("{name}.{column} is of a type that is not known here: {kind}"))
        })?;
        Ok(Column { name: column.clone(), kind: known })
    });
    let columns = columns.collect::<Result<Vec<_>, CopyError>>()?;
    Ok(Table { name, key: table.key, columns })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn table(parents: &[&str]) -> SourceTable {
        SourceTable {
            key: vec!["id".to_owned()],
            columns: ["id".to_owned()].into(),
            parents: parents.iter().map(ToString::to_string).collect(),
        }
    }

    fn target(names: &[&str], kind: &str) -> TargetColumns {
        names.iter().map(|name| (name.to_string(), vec![("id".to_owned(), kind.to_owned())])).collect()
    }

    #[test]
    fn parents_come_before_their_children_and_a_table_may_refer_to_itself() {
        let source = BTreeMap::from([
            ("a".to_owned(), table(&["b", "c"])),
            ("b".to_owned(), table(&["c"])),
            ("c".to_owned(), table(&["c"])),
        ]);
        let tables = match_up(source, &target(&["a", "b", "c"], "bytea")).unwrap();
        let order: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(order, ["c", "b", "a"]);
    }

    #[test]
    fn a_ring_a_table_or_column_of_one_side_and_an_unknown_type_are_named() {
        let ring = || BTreeMap::from([("a".to_owned(), table(&["b"])), ("b".to_owned(), table(&["a"]))]);
        let one = || BTreeMap::from([("a".to_owned(), table(&[]))]);
        let mut more = one();
        more.get_mut("a").unwrap().columns.insert("extra".to_owned());
        for (source, target, expected) in [
            (ring(), target(&["a", "b"], "text"), "a, b"),
            (one(), target(&["a", "b"], "text"), "no table b"),
            (one(), target(&[], "text"), "no table a"),
            (more, target(&["a"], "text"), "a.extra"),
            (one(), target(&["a"], "xml"), "a.id is of a type that is not known here: xml"),
        ] {
            let said = match_up(source, &target).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
