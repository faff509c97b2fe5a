//! The routes that the source mounts, read from the source itself, so that none can hide from a test.

use std::{collections::BTreeSet, fs, path::Path};

/// Every method and path that some `Endpoint` answers, as `(GET, /join)`.
pub fn mounted() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

fn walk(folder: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            read(&path, found);
        }
    }
}

fn read(file: &Path, found: &mut BTreeSet<(String, String)>) {
    let text = fs::read_to_string(file).unwrap();
    let shown = file.display();
    if !file.ends_with("http/endpoint.rs") {
        for around in ["web::resource(", "web::scope(", "web::route(", ".route(\"", "#[get(", "#[post("] {
            assert!(!text.contains(around), "{shown}: mount routes with Endpoint::at(\"/…\"), not {around}");
        }
    }
    for rest in text.split("Endpoint::at(").skip(1) {
        // Not the API's own, so it is not in the document it answers with.
        let rest = rest.replacen("DOCUMENT_URL)", "\"/api/v1/openapi.json\")", 1);
        let mut parts = rest.trim_start().splitn(3, '"');
        assert_eq!(parts.next(), Some(""), "{shown}: Endpoint::at wants its path as a literal: {rest:.60}");
        let (path, chain) = (parts.next().unwrap(), parts.next().unwrap());
        let end = [chain.find(".mount("), chain.find(".resource()")].into_iter().flatten().min();
        let chain = &chain[..end.unwrap_or_else(|| panic!("{shown}: {path} is not mounted"))];
        for method in ["get", "post", "patch", "put", "delete"] {
            if chain.contains(&format!(".{method}(")) {
                found.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
}
