//! Lists opened by the program people open them with: the real LibreOffice, headless. The lists come from the real
//! `openhearth export`, so this is its test too.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Binary, Nullable, Text},
};

/// Names that trouble spreadsheets; the address follows.
const NAMES: [&str; 14] = [
    "=1+1",
    "=HYPERLINK(\"http://example.org\",\"click\")",
    "+1",
    "-2",
    "@SUM(A1)",
    "Ann \"the boss\" O'Hara, Jr.",
    "first line\nsecond line",
    "😀 🏭 👩‍🏭",
    "مرحبا بالعالم",
    "שלום",
    "  spaces around  ",
    "00123",
    "1-2",
    "a & b < c > d _x0041_ \u{e9}",
];

/// A migrated database with these people, in a folder of its own.
struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    fn open() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap() };
        assert!(office.openhearth(&["migrate"]).status.success());
        let mut db = office.database();
        for (place, name) in NAMES.iter().enumerate() {
            let place = i64::try_from(place).unwrap();
            sql_query(
                "INSERT INTO supporters (id, email, email_key, address_hash, status, given_name, phone, phone_consent,
                     language, involvement, form, notice_id, link_version, signed_up_at, confirmed_at, created_at, updated_at)
                 VALUES (randomblob(16), $1, $1, randomblob(16), 'confirmed', $2, $3, TRUE, 'en', '', 'join',
                     zeroblob(16), 1, 1, 1, 1, 1)",
            )
            .bind::<Text, _>(format!("p{place:02}@example.org"))
            .bind::<Text, _>(*name)
            .bind::<Nullable<Text>, _>((place == 2).then_some("+12125550123"))
            .execute(&mut db)
            .unwrap();
        }
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> SqliteConnection {
        SqliteConnection::establish(&self.path("var/openhearth.db").to_string_lossy()).unwrap()
    }

    fn openhearth(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openhearth"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("OPENHEARTH") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Takes a list out into a file.
    fn export(&self, arguments: &[&str], name: &str) -> PathBuf {
        let mut all = vec!["export", "--purpose", "a test", "--output", name];
        all.extend(arguments);
        let done = self.openhearth(&all);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        self.path(name)
    }

    /// Opens `file` in LibreOffice and returns the cells it shows, formulas as what they come to.
    fn opened(&self, file: &Path) -> Vec<Vec<String>> {
        let out = self.path("opened");
        // UTF-8 in (76), and out; every column of a CSV as the program itself takes it.
        let filter = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,1";
        let mut command = Command::new("soffice");
        command.arg(format!("-env:UserInstallation=file://{}", self.path("profile").display()));
        command.args(["--headless", "--norestore"]);
        if file.extension().is_some_and(|kind| kind == "csv") {
            command.arg("--infilter=CSV:44,34,76,1");
        }
        command
            .args(["--convert-to", filter, "--outdir"])
            .arg(&out)
            .arg(file)
            .env("HOME", self.folder.path());
        let done = command.output().expect("LibreOffice (Debian package libreoffice-calc-nogui)");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let stem = file.file_stem().unwrap().to_string_lossy();
        let made = fs::read_dir(&out)
            .expect("LibreOffice made nothing")
            .map(|entry| entry.unwrap().path())
            .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&*stem));
        let text = fs::read(made.expect("LibreOffice made no file")).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&text[..]);
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }
}

#[test]
fn a_workbook_opens_with_every_cell_to_the_letter() {
    let office = Office::open();
    let file = office.export(&["--format", "xlsx", "--columns", "email,given_name,phone"], "list.xlsx");
    let cells = office.opened(&file);
    assert_eq!(cells[0], ["email", "given_name", "phone"]);
    assert_eq!(cells.len(), NAMES.len() + 1);
    for (place, (row, name)) in cells[1..].iter().zip(NAMES).enumerate() {
        assert_eq!(
            row[..2],
            [format!("p{place:02}@example.org"), name.to_owned()],
            "nothing is run, nothing is lost"
        );
    }
    assert_eq!(cells[3][2], "+12125550123");
}

#[test]
fn a_csv_opens_with_no_formula_run_and_the_lines_where_they_belong() {
    let office = Office::open();
    let file = office.export(&["--columns", "email,given_name"], "list.csv");
    let cells = office.opened(&file);
    assert_eq!(cells.len(), NAMES.len() + 1, "a line within a cell begins no row: {cells:?}");
    for (place, (row, name)) in cells[1..].iter().zip(NAMES).enumerate() {
        assert_eq!(row[0], format!("p{place:02}@example.org"));
        // A spreadsheet takes digits of a CSV as a number or a date, as it takes everybody's.
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let guarded =
            if name.starts_with(['=', '+', '-', '@']) { format!("'{name}") } else { name.to_owned() };
        assert_eq!(row[1], guarded);
    }
}

#[derive(QueryableByName)]
struct Recorded {
    #[diesel(sql_type = Text)]
    taken_by: String,
    #[diesel(sql_type = Text)]
    purpose: String,
    #[diesel(sql_type = Nullable<Text>)]
    outcome: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    row_count: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    staff_id: Option<Vec<u8>>,
}

#[test]
fn the_command_writes_to_standard_output_and_is_recorded_as_the_command_line() {
    let office = Office::open();
    let done =
        office.openhearth(&["export", "--purpose", "the printer's", "--q", "p00", "--preset", "listmonk"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.starts_with("email,name,attributes\np00@example.org,'=1+1,"), "{text}");
    assert_eq!(text.lines().count(), 2);
    let mut db = office.database();
    let record: Recorded = sql_query("SELECT * FROM exports").get_result(&mut db).unwrap();
    assert_eq!((record.taken_by.as_str(), record.purpose.as_str()), ("command_line", "the printer's"));
    assert_eq!(
        (record.outcome.as_deref(), record.row_count, record.staff_id),
        (Some("complete"), Some(1), None)
    );

    for (arguments, fault) in [
        (vec!["export", "--purpose", " "], "--purpose: say why"),
        (vec!["export", "--purpose", "x", "--columns", "address"], "--columns: "),
        (vec!["export", "--purpose", "x", "--tag", "nothing"], "--tag"),
        (vec!["export", "--purpose", "x", "--output", "var/openhearth.db"], "--output var/openhearth.db"),
    ] {
        let done = office.openhearth(&arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && said.contains(fault), "{arguments:?}: {said}");
    }
    let done = office.openhearth(&["export"]);
    assert!(!done.status.success() && String::from_utf8_lossy(&done.stderr).contains("--purpose"));
}
