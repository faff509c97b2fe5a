//! The rules; each returns a sentence for every place that breaks it.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// One instance each; they know no feature.
const KERNEL: [&str; 24] = [
    "audit",
    "clock",
    "config",
    "contact",
    "counts",
    "error",
    "files",
    "http",
    "id",
    "kernel",
    "keys",
    "mail",
    "metrics",
    "object",
    "outbox",
    "periodic",
    "seldom",
    "site",
    "speech",
    "store",
    "telemetry",
    "time_bound",
    "tls",
    "wake",
];
/// One folder each.
const SLICES: [&str; 11] = [
    "disclosures",
    "exports",
    "forms",
    "groups",
    "imports",
    "ops",
    "preferences",
    "signups",
    "staff",
    "stats",
    "supporters",
];
/// What puts them together; imports everything and is imported by nothing but each other.
const ASSEMBLY: [&str; 4] = ["app", "cli", "server", "workers"];

const MOST_LINES: usize = 500;

/// Kernel below slices below assembly; slices meet only at each other's `mod.rs`.
pub fn import_faults(files: &[Source]) -> Vec<String> {
    let inner: BTreeSet<(&str, &str)> = files
        .iter()
        .filter_map(|file| match file.module().as_slice() {
            [slice, inner, ..] => Some((*slice, *inner)),
            _ => None,
        })
        .collect();
    // A set: a name inside a use tree is met by itself and as part of its path.
    let mut faults = BTreeSet::new();
    for file in files {
        let own = file.module().first().copied().unwrap_or("");
        let known = KERNEL.contains(&own) || SLICES.contains(&own) || ASSEMBLY.contains(&own);
        if !own.is_empty() && !known {
            faults.insert(format!("{}: say in this test whether {own} is kernel or slice", file.name));
        }
        for path in file.paths(&SLICES) {
            let (first, second) =
                (path.first().map_or("", String::as_str), path.get(1).map_or("", String::as_str));
            let shown = path.join("::");
            let above = SLICES.contains(&first) || ASSEMBLY.contains(&first);
            if KERNEL.contains(&own) && above {
                faults.insert(format!("{}: the kernel must not know {shown}", file.name));
            } else if SLICES.contains(&own) && ASSEMBLY.contains(&first) {
                faults.insert(format!("{}: a slice must not know {shown}", file.name));
            } else if SLICES.contains(&own) && SLICES.contains(&first) && own != first {
                let documents =
                    file.name == "src/ops/openapi.rs" && (second == "routes" || second.ends_with("_routes"));
                if inner.contains(&(first, second)) && !documents {
                    faults.insert(format!("{}: {shown} is behind the facade of {first}", file.name));
                }
            }
        }
    }
    faults.into_iter().collect()
}

/// Kernel modules or slices that need each other, in a ring. A unit test beside the code may reach further.
pub fn cycles(files: &[Source]) -> Vec<String> {
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let own = file.module().first().copied().unwrap_or("");
        let counts = |name: &str| KERNEL.contains(&name) || SLICES.contains(&name);
        for path in file.paths(&[]).into_iter().filter(|_| counts(own)) {
            if let Some(first) = path.first().filter(|first| *first != own && counts(first)) {
                needs.entry(own.to_owned()).or_default().insert(first.clone());
            }
        }
    }
    // Whatever is left after taking away, again and again, what needs nothing that is left.
    loop {
        let left: BTreeSet<_> = needs.keys().cloned().collect();
        let before = needs.len();
        needs.retain(|_, needed| needed.iter().any(|one| left.contains(one)));
        if needs.len() == before {
            break;
        }
    }
    if needs.is_empty() { Vec::new() } else { vec![format!("these modules need each other: {needs:?}")] }
}

/// No SQL in routes; no framework in rules.
pub fn layer_faults(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        let forbidden: &[&str] = match file.name.rsplit('/').next() {
            Some("routes.rs" | "page_routes.rs") => &["diesel"],
            Some("domain.rs" | "standing.rs") => &["actix", "diesel", "tokio"],
            _ => &[],
        };
        for name in forbidden {
            let word = |token: &&String| {
                token.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            };
            if let Some(token) = file.tokens.iter().find(word) {
                faults.push(format!("{}: {token} has no place here", file.name));
            }
        }
    }
    faults
}

/// Every module opens with what it is, has at most 500 lines or says why it has more, and allows no lint.
pub fn form_faults(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        if file.head.is_empty() {
            faults.push(format!("{}: open with //! what it is", file.name));
        }
        if file.lines > MOST_LINES && !file.head.contains("500 lines") {
            faults.push(format!("{}: {} lines; split it, or say why in its head", file.name, file.lines));
        }
        if allows(&file.tokens) {
            faults.push(format!("{}: #[expect] with a reason, not #[allow]", file.name));
        }
    }
    faults
}

/// Whether an attribute holds `allow(`.
fn allows(tokens: &[String]) -> bool {
    let mut depth = 0_usize;
    tokens.iter().enumerate().any(|(at, token)| {
        let before = |steps: usize| at.checked_sub(steps).map_or("", |at| tokens[at].as_str());
        match token.as_str() {
            "[" if depth > 0 || before(1) == "#" || (before(1) == "!" && before(2) == "#") => depth += 1,
            "]" if depth > 0 => depth -= 1,
            "allow" => return depth > 0 && tokens.get(at + 1).is_some_and(|next| next == "("),
            _ => {}
        }
        false
    })
}

/// Types of the API document by one name: the one that is read last would silently stand for both.
pub fn schema_faults(files: &[Source]) -> Vec<String> {
    let mut named: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for file in files {
        for (at, _) in file.tokens.iter().enumerate().filter(|(_, token)| *token == "ToSchema") {
            let rest = &file.tokens[at..];
            let item = |word: &String| word == "struct" || word == "enum";
            // An import of the derive is followed by no item before the next sentence.
            let Some(end) = rest.iter().position(|word| word == ";" || item(word)) else { continue };
            if rest[end] == ";" {
                continue;
            }
            let name = |words: &[String]| words[0] == "schema" && words[1] == "(" && words[2] == "as";
            let said = rest[..end].windows(5).find(|words| name(words)).map(|words| words[4].clone());
            named.entry(said.unwrap_or_else(|| rest[end + 1].clone())).or_default().push(&file.name);
        }
    }
    let twice = named.into_iter().filter(|(_, files)| files.len() > 1);
    twice.map(|(name, files)| format!("{name} names a schema in each of {}", files.join(", "))).collect()
}
