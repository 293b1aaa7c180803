use super::*;
use proptest::prelude::*;

#[test]
#[expect(clippy::float_cmp, reason = "these factors are exact")]
fn units_convert_to_the_base_unit() {
    assert_eq!("250 ms".parse::<Seconds>().unwrap().duration(), Duration::from_millis(250));
    assert_eq!("4.5mm".parse::<Millimetres>().unwrap().get(), 4.5);
    assert_eq!("1e3 mm".parse::<Millimetres>().unwrap().get(), 1000.0);
    assert_eq!("2 rpm".parse::<DegreesPerSecond>().unwrap().get(), 12.0);
    assert_eq!("2 GiB".parse::<Bytes>().unwrap().bytes(), 2 << 30);
    assert_eq!("-8.2 dpt".parse::<Dioptres>().unwrap().get(), -8.2);
    assert_eq!("1/125 s".parse::<Seconds>().unwrap().get(), 0.008);
    assert_eq!("5000000000/1 s".parse::<Seconds>().unwrap().get(), 5e9);
    for wrong in ["1/+2 s", "-+1/2 s", "1/-2 s", "1/ s", "/2 s", "1/0 s", "1e2/3 s", "1/2/3 s"] {
        assert!(wrong.parse::<Seconds>().is_err(), "{wrong}");
    }
    assert_eq!("-1/2 EV".parse::<Stops>().unwrap().get(), -0.5);
}

#[test]
fn a_missing_wrong_or_infinite_value_is_an_error_that_names_the_units() {
    for text in ["5", "1/100", "", "s", "inf s", "nan s", "/5 s"] {
        let error = text.parse::<Seconds>().unwrap_err().to_string();
        assert!(error.contains("a time"), "{error}");
    }
    // It has one, so it is not told to need one.
    for text in ["5 dpt", "1e308 h", "1/0 s", "1/2/3 s"] {
        let error = text.parse::<Seconds>().unwrap_err().to_string();
        assert!(error.contains("is no time: write a number and one of s, ms"), "{error}");
    }
}

#[test]
fn one_is_no_plural() {
    assert_eq!([0, 1, 2].map(|count| counted(count, "shot", "shots")), ["0 shots", "1 shot", "2 shots"]);
}

#[test]
fn nothing_has_no_sign() {
    let shown = [-0.0, -0.004, 0.0, -0.006, -12.0, 1.5].map(|value| rounded(value, 2));
    assert_eq!(shown, ["0.00", "0.00", "0.00", "-0.01", "-12.00", "1.50"]);
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_the_same(value in -1e12..1e12_f64) {
        let length = Millimetres::new(value);
        prop_assert_eq!(length.to_string().parse::<Millimetres>().unwrap(), length);
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = text.parse::<Degrees>();
    }
}
