//! The rules that keep the source a thin kernel with slices (DESIGN: Architecture), checked on the source itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use std::{fs, path::Path};

use source::Source;

/// Every Rust file below `folder` of this package.
fn read(folder: &str) -> Vec<Source> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(root, &root.join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} holds no source");
    found
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn imports_run_from_slices_to_kernel_and_slices_meet_at_their_facades() {
    assert_none(&rules::import_faults(&read("src")));
}

#[test]
fn neither_kernel_modules_nor_slices_form_a_cycle() {
    assert_none(&rules::cycles(&read("src")));
}

#[test]
fn routes_hold_no_sql_and_rules_are_pure() {
    assert_none(&rules::layer_faults(&read("src")));
}

#[test]
fn every_module_says_what_it_is_stays_short_and_allows_no_lint() {
    let all = ["src", "tests", "benches"].into_iter().flat_map(read).collect::<Vec<_>>();
    assert_none(&rules::form_faults(&all));
}

/// Diesel knows a migration by the digits of its name alone, and of two with the same it applies one.
#[test]
fn every_migration_has_a_version_of_its_own_and_is_there_for_both_databases() {
    let names = |database: &str| {
        let entries = fs::read_dir(format!("migrations/{database}")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let found = names("sqlite");
    let mut versions: Vec<&str> = found.iter().map(|name| name.split('_').next().unwrap()).collect();
    versions.dedup();
    assert!(versions.len() > 10 && versions.len() == found.len(), "{found:?}");
    assert_eq!(found, names("postgres"));
}

#[test]
fn every_schema_of_the_api_document_has_a_name_of_its_own() {
    assert_none(&rules::schema_faults(&read("src")));
}

#[test]
fn two_schemas_of_one_name_are_found() {
    let derive = "#[derive(Serialize, ToSchema)]";
    let both = |second: &str| {
        let mut files =
            one("src/exports/a.rs", &format!("use utoipa::ToSchema;\n{derive}\npub struct Row {{}}"));
        files.extend(one("src/imports/b.rs", &format!("{derive}\n{second}")));
        rules::schema_faults(&files)
    };
    assert_eq!(both("#[serde(untagged)]\npub enum Row {}").len(), 1);
    assert_eq!(both("#[schema(as = Row)]\nstruct Other;").len(), 1);
    assert_none(&both("#[schema(as = ImportRow)]\npub enum Row {}"));
}

/// One file of a package that holds nothing else.
fn one(name: &str, text: &str) -> Vec<Source> {
    vec![Source::new(name, text)]
}

#[test]
fn a_kernel_module_that_imports_a_slice_is_found() {
    for text in [
        "use crate::signups::Signups;",
        "use crate::{clock::Clock, signups};",
        "use crate::{\n    // a comment\n    store::{Db, Store},\n    supporters::{self as people},\n};",
        "fn f() { crate::staff::Access::new() }",
        "use super::super::exports;",
        "pub(in crate::forms) fn f() {}",
        "macro_rules! m { () => { $crate::ops::Ops } }",
        "use crate::app::App;",
    ] {
        assert_eq!(rules::import_faults(&one("src/http/page.rs", text)).len(), 1, "{text}");
    }
    for text in [
        "use crate::{clock::Clock, store::{Db, Store}};",
        "// use crate::signups::Signups;",
        "/* use crate::signups::Signups; */",
        r##"const A: &str = "crate::signups"; const B: &str = r#"crate::staff "quoted""#; const C: char = '"';"##,
        "use super::headers;",
    ] {
        assert_none(&rules::import_faults(&one("src/http/page.rs", text)));
    }
}

#[test]
fn a_slice_that_reaches_into_another_is_found() {
    let package = |importer: &str, text: &str| {
        let mut files = one(importer, text);
        files.extend(one("src/supporters/queries.rs", ""));
        files.extend(one("src/supporters/routes.rs", ""));
        files
    };
    let reach = ["use crate::supporters::queries::find;", "use crate::supporters::{Status, queries};"];
    for text in
        reach.into_iter().chain(["use crate::supporters::routes;", "fn f() { supporters::queries::find() }"])
    {
        assert_eq!(rules::import_faults(&package("src/signups/owed.rs", text)).len(), 1, "{text}");
        assert_none(&rules::import_faults(&package("src/supporters/list.rs", text)));
    }
    assert_none(&rules::import_faults(&package(
        "src/signups/owed.rs",
        "use crate::supporters::{self, Status};",
    )));
    let openapi = "use crate::supporters::routes as supporters;";
    assert_none(&rules::import_faults(&package("src/ops/openapi.rs", openapi)));
}

#[test]
fn a_cycle_of_slices_is_found() {
    let mut files = one("src/signups/owed.rs", "use crate::supporters::Status;");
    files.extend(one("src/supporters/list.rs", "use crate::staff::Access;"));
    assert_none(&rules::cycles(&files));
    files.extend(one("src/staff/mod.rs", "use crate::{clock::Clock, signups::Signups};"));
    assert_eq!(rules::cycles(&files).len(), 1, "{:?}", rules::cycles(&files));
}

#[test]
fn sql_in_routes_and_frameworks_in_rules_are_found() {
    for (name, text, faults) in [
        ("src/staff/routes.rs", "fn f() { diesel::insert_into(x) }", 1),
        ("src/staff/page_routes.rs", "use diesel::prelude::*;", 1),
        ("src/staff/routes.rs", "use actix_web::web; // diesel", 0),
        ("src/staff/queries.rs", "use diesel::prelude::*;", 0),
        ("src/staff/domain.rs", "use actix_web::web;", 1),
        ("src/staff/domain.rs", "use tokio::sync::mpsc;", 1),
        ("src/signups/standing.rs", "use diesel::QueryResult;", 1),
        ("src/signups/standing.rs", "use std::time::Duration;", 0),
    ] {
        assert_eq!(rules::layer_faults(&one(name, text)).len(), faults, "{name}: {text}");
    }
}

#[test]
fn files_without_words_too_long_or_with_allowed_lints_are_found() {
    let long = |head: &str| format!("{head}\n{}", "fn f() {}\n".repeat(500));
    let linted = |how: &str| format!("//! x\n#[{how}(dead_code)]\nfn f() {{}}");
    for (text, faults) in [
        ("//! Says what it is.\nfn f() {}".to_owned(), 0),
        ("// A remark.\nfn f() {}".to_owned(), 1),
        (String::new(), 1),
        (long("//! Long."), 1),
        (long("//! Over 500 lines: it is one table."), 0),
        (linted("allow"), 1),
        ("//! x\n#![allow(dead_code)]".to_owned(), 1),
        ("//! x\n#[cfg_attr(test, allow(dead_code))]\nfn f() {}".to_owned(), 1),
        ("//! x\n#[expect(dead_code, reason = \"allow me\")]\nfn allow() {}".to_owned(), 0),
    ] {
        assert_eq!(
            rules::form_faults(&one("src/x.rs", &text)).len(),
            faults,
            "{}",
            &text[..text.len().min(80)]
        );
    }
}
