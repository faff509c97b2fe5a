//! The ZIP prefix table against well-known places, and the codes.

use proptest::prelude::*;

use super::*;

/// ZIP codes of well-known places, at least one for each region.
const PLACES: &str = "
    AA 34001  AE 09001  AK 99501  AL 35203  AP 96201  AR 72201  AS 96799  AZ 85004  CA 90012  CO 80202
    CT 06103  DC 20001  DE 19801  FL 33131  GA 30303  GU 96910  HI 96813  IA 50309  ID 83702  IL 60602
    IN 46204  KS 67202  KY 40202  LA 70112  MA 02108  MD 21202  ME 04101  MI 48226  MN 55401  MO 64106
    MP 96950  MS 39201  MT 59101  NC 28202  ND 58102  NE 68102  NH 03101  NJ 07102  NM 87102  NV 89101
    NY 10001  OH 44114  OK 73102  OR 97201  PA 19103  PR 00901  RI 02903  SC 29201  SD 57104  TN 37203
    TX 77002  UT 84101  VA 23219  VI 00802  VT 05401  WA 98101  WI 53202  WV 25301  WY 82001

    NY 00501  NY 06390  NY 14202  NY 12207  MA 01103  MA 05501  PR 00715  DC 20500  DC 20002  VA 20166
    VA 22202  MD 20814  MD 21532  WV 26003  PA 15104  PA 18015  OH 43952  OH 43215  IN 46402  IN 46312
    AL 36104  TN 38103  TN 37402  MS 38801  GA 39815  GA 31401  FL 32301  FL 34102  FL 34741  KY 42001
    IL 60901  IL 62220  MO 63101  MO 65802  MN 55802  IA 52801  WI 54301  MI 49855  KS 66101  NE 69361
    LA 71101  LA 70601  TX 73301  TX 78701  TX 79901  TX 88510  OK 73401  OK 74103  CO 81501  CO 81003
    WY 83001  WY 83101  ID 83201  ID 83814  UT 84770  AZ 86001  AZ 85701  NM 88001  NV 89501  NV 89801
    CA 96101  CA 94103  CA 95814  HI 96720  OR 97850  OR 97601  WA 99201  WA 98660  AK 99801  AP 96601
";

fn zip(text: &str) -> Option<&'static str> {
    let code = PostalCode::parse(text, Country::US).ok()?;
    Region::of_address(Country::US, &code).map(|region| region.as_str())
}

#[test]
fn well_known_places() {
    let words: Vec<_> = PLACES.split_whitespace().collect();
    for place in words.chunks(2) {
        if let [region, code] = place {
            assert_eq!(zip(code), Some(*region), "{code}");
        }
    }
    for region in Region::all() {
        assert!(words.contains(&region.as_str()), "{region:?} has no place");
    }
    assert_eq!(zip("15104-1234"), Some("PA"));
}

#[test]
fn unassigned_and_foreign_codes_have_no_region() {
    for code in ["00001", "00400", "09901", "26901", "42901", "71501", "88601", "96940", "96943", "96960"] {
        assert_eq!(zip(code), None, "{code}");
    }
    let berlin = "10115".parse::<PostalCode>();
    let of = |country: &str| {
        Country::parse(country)
            .ok()
            .zip(berlin.clone().ok())
            .and_then(|(c, code)| Region::of_address(c, &code))
    };
    assert_eq!(of("DE"), None);
    assert_eq!(of("US").map(|region| region.as_str()), Some("NY"));
    assert_eq!("K1A 0B1".parse::<PostalCode>().ok().and_then(|code| Region::from_zip(&code)), None);
}

#[test]
fn tables_are_sorted_and_apart_and_name_real_regions() {
    assert!(REGIONS.is_sorted_by(|a, b| a.0 < b.0));
    assert!(PREFIXES.is_sorted_by(|a, b| a.1 < b.0));
    for (from, to, code) in PREFIXES {
        assert!(from <= to && to <= 999);
        assert_eq!(Region::parse(code).map(|region| region.as_str()), Ok(code));
    }
    for (from, to, code) in EXCEPTIONS {
        assert!(from <= to);
        assert!(Region::parse(code).is_ok());
    }
}

#[test]
fn codes_in_either_case() {
    for region in Region::all() {
        assert_eq!(Region::parse(&region.as_str().to_lowercase()), Ok(region));
        assert!(region.name().len() > 2);
    }
    assert_eq!(Region::parse(" pa ").map(Region::name), Ok("Pennsylvania"));
    for text in ["", "P", "XX", "Pennsylvania", "é", "FM"] {
        assert_eq!(Region::parse(text), Err(RegionError), "{text:?}");
    }
}

proptest! {
    #[test]
    fn parse_never_panics(text in any::<String>(), number in 0..100_000_u32) {
        let _ = Region::parse(&text);
        let _ = zip(&format!("{number:05}"));
    }
}

#[test]
fn a_state_is_kept_in_capitals_and_elsewhere_a_text_stays() {
    let country = |code: &str| Country::parse(code).ok();
    for (text, of, kept) in [
        (" oh ", None, "OH"),
        ("oH", country("US"), "OH"),
        ("on", country("CA"), "on"),
        ("oh", country("DE"), "oh"),
        (" Bayern ", None, "Bayern"),
    ] {
        assert_eq!(Region::as_kept(text, of), kept, "{text}");
    }
}
