//! AWS's own variables: a wrong endpoint or region is a problem of a run that needs AWS, and of no other.

use super::*;

const WRONG: [(&str, &str); 4] = [
    ("AWS_ENDPOINT_URL_KINESIS", "foo"),
    ("AWS_DEFAULT_REGION", "eu west"),
    ("AWS_ENDPOINT_URL", ""),
    ("AWS_REGION", ""),
];

#[test]
fn a_wrong_endpoint_or_region_is_reported_with_all_other_problems() {
    assert_eq!(
        wrong(&WRONG, &["--stream=s", "--jobs=0"]),
        [
            "--jobs: must be a whole number from 1 to 10000, but is \"0\"",
            "AWS_REGION: is empty: unset it or set a region",
            "AWS_DEFAULT_REGION: must be a region such as eu-west-1 (letters, digits and hyphens), but is \"eu west\"",
            "AWS_ENDPOINT_URL: is empty: unset it or set a URL",
            "AWS_ENDPOINT_URL_KINESIS: must be an http:// or https:// URL with a host, such as http://localhost:4566, but is \"foo\"",
        ]
    );
    // A dry run asks its stream as well, and a wrong stream hides nothing.
    assert_eq!(wrong(&WRONG, &["--stream=s", "--dry-run"]).len(), 4);
    assert_eq!(wrong(&WRONG, &["--stream="]).len(), 5);
}

#[test]
fn an_endpoint_or_region_that_is_right_or_not_set_is_no_problem() {
    run(&[], &["--stream=s"]);
    let right =
        [("AWS_ENDPOINT_URL", "http://localhost:4566"), ("AWS_REGION", "eu-west-1"), ("AWS_PROFILE", "")];
    run(&right, &["--stream=s"]);
}

#[test]
fn what_calls_no_aws_does_not_mind_its_variables() {
    for arguments in [&["--local=2"][..], &["--local", "--stream=s"], &["--dry-run"], &["sample"], &["local"]]
    {
        assert!(read_all(&WRONG, arguments).is_ok(), "{arguments:?}");
    }
    assert!(read_all(&[WRONG[0], ("STREAM_NAME", "s")], &["sample"]).is_ok());
}

#[test]
fn a_password_in_a_wrong_endpoint_is_not_shown() {
    let lines = wrong(&[("AWS_ENDPOINT_URL", "http//me:hunter2@host")], &["--stream=s"]);
    assert!(lines.len() == 1 && lines[0].ends_with("but is a secret that is not shown"), "{lines:?}");
}

#[test]
fn an_endpoint_that_is_not_unicode_is_a_problem() {
    use std::os::unix::ffi::OsStringExt;
    let environment = [(OsString::from("AWS_ENDPOINT_URL"), OsString::from_vec(vec![b'a', 0xff]))];
    let problems = read(environment, ["x", "--stream=s"], FRESH).expect_err("not Unicode");
    assert_eq!(problems.iter().count(), 1);
    assert!(problems.to_string().contains("AWS_ENDPOINT_URL: must be valid Unicode"), "{problems}");
}
