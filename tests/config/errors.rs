//! Mistakes are told all at once, with their places.

use scanner::config::{Config, Keep};

use super::{SHIPPED, messages};

#[test]
fn all_mistakes_are_told_at_once_with_line_and_caret() {
    golden(include_str!("golden/broken.toml"), include_str!("golden/broken.txt"));
}

#[test]
fn plans_that_the_axes_cannot_follow_are_mistakes() {
    golden(include_str!("golden/unreachable.toml"), include_str!("golden/unreachable.txt"));
}

#[test]
fn each_wrong_host_and_window_of_hours_is_told_where_it_stands() {
    golden(include_str!("golden/api.toml"), include_str!("golden/api.txt"));
}

#[test]
fn all_syntax_errors_are_told_and_nothing_else() {
    golden(include_str!("golden/syntax.toml"), include_str!("golden/syntax.txt"));
}

fn golden(text: &str, expected: &str) {
    let errors = Config::from_text("scanner.toml", text).unwrap_err();
    let rendered = errors.to_string();
    assert!(rendered.trim_end() == expected.trim_end(), "not as expected, but:\n{rendered}\n");
}

#[test]
fn what_is_missing_is_to_be_written_at_the_files_end() {
    golden("", include_str!("golden/empty.txt"));
    golden("# My rig.\n[api]", include_str!("golden/short.txt"));
}

#[test]
fn each_mistake_has_its_message() {
    let cases = [
        ("width = 2304\n", "", "`camera.width` is missing"),
        ("width = 2304", "width = 10002", "`camera.width` cannot be 10002"),
        ("width = 2304", "width = 99999999999999999999", "`camera.width` has to be from 0 to 4294967295"),
        ("width = 2304", "width = -2", "`camera.width` has to be from 0 to 4294967295"),
        ("focal_length = \"4.74 mm\"\n", "", "`camera.focal_length` is missing"),
        (
            "focal_length =",
            "fx = 1000\nfocal_length =",
            "`camera.fx` says again what focal_length and pixel_pitch say",
        ),
        ("focal_length = \"4.74 mm\"\npixel_pitch = \"2.8 um\"", "fy = 1000", "`camera.fx` is missing"),
        ("gain = 1.0", "gain = inf", "`camera.controls.gain` has to be finite"),
        ("gain = 1.0", "gain = 0.5", "`camera.controls.gain` cannot be 0.5"),
        ("gain = 1.0", "gain = true", "`camera.controls.gain` cannot be a truth value"),
        (
            "name = \"cam0\"",
            "name = \"cam/0\"",
            "`camera.name` may have only letters (a to z), digits, `-` and `_`",
        ),
        ("name = \"cam0\"", "name = \"\"", "`camera.name` is empty"),
        ("id = \"0\"", "id = \"a\\u0000\"", "`camera.id` contains a control character"),
        (
            "[camera.controls]",
            "[camera.options]\nx = [1, nan]\n[camera.controls]",
            "`camera.options` cannot have an infinite number",
        ),
        ("backend = \"sim\"\n# For", "# For", "`motion.backend` is missing"),
        ("[motion.lift]", "[motion.lfit]", "there is no key `lfit` in `motion`"),
        (
            "[motion.turntable]",
            "[motion.turntable]\ntravel = []",
            "`motion.turntable.travel` has no meaning: a turntable turns without end",
        ),
        (
            "travel = [\"0 mm\", \"200 mm\"]",
            "travel = [\"0 mm\"]",
            "`motion.lift.travel` cannot have 1 positions",
        ),
        (
            "travel = [\"0 mm\", \"200 mm\"]",
            "travel = [0, 200]",
            "`motion.lift.travel` cannot be a whole number",
        ),
        (
            "\n[[light]]\n",
            "\n[[light]]\nname = \"ring\"\n[[light]]\n",
            "`light.name` is \"ring\" for the second time",
        ),
        ("\n[[light]]\n", "\n[light]\n", "`light` cannot be a table"),
        ("\n[[light]]\n", "\n[[light]]\nrole = \"behind\"\n", "`light.role` cannot be \"behind\""),
        (
            "\n[[light]]\n",
            "\n[[light]]\nname = \"panel\"\nrole = \"backlight\"\nbrightness = 0.0\n[[light]]\n",
            "`light.brightness` is that of a backlight, which has to shine",
        ),
        ("[scan]\n", "[scan]\nsilhouettes = true\n", "`scan.silhouettes` cannot be: no light is a backlight"),
        ("[panel]\n", "[panel]\nbutton = 3\n", "there is no key `button` in `panel`"),
        (
            "[plan.cylinder]",
            "[plan.\"a b\"]",
            "`plan.a b` may have only letters (a to z), digits, `-` and `_`",
        ),
        ("angles = 36", "angles = 3000", "`plan.cylinder.angles` times 4 heights is more than 10000 points"),
        ("\nheights = [", "\nheights = []\n#", "`plan.cylinder.heights` is empty"),
        (
            "shape = \"cylinder\"\nangles = 36",
            "shape = \"list\"\nangles = 36",
            "`plan.cylinder.file` is missing",
        ),
        ("shape = \"cylinder\"\n", "", "`plan.cylinder.shape` is missing"),
        (
            "[recovery]",
            "[recovery]\nmay_end = [\"*\"]",
            "`recovery.may_end` cannot have \"*\": that is no program's name",
        ),
        (
            "[recovery]",
            "[recovery]\nmay_end = [\"lib*\"]",
            "`recovery.may_end` cannot have \"lib*\": that is no program's name",
        ),
        (
            "[recovery]",
            "[recovery]\nmay_end = [\"systemd\"]",
            "`recovery.may_end` cannot have \"systemd\", which must not be ended",
        ),
        ("[scan]", "[scan]\nqueue_depth = 0", "`scan.queue_depth` cannot be 0"),
        ("[recovery]", "[recovery]\ncapture_timeout = \"0 s\"", "`recovery.capture_timeout` cannot be 0 s"),
        (
            "[recovery]",
            "[recovery]\nkill_timeout = \"soon\"",
            "`recovery.kill_timeout` is wrong: \"soon\" does not start with a number: write a time like \"1.5 s\"",
        ),
        ("[storage]", "[storage]\nmake_room = \"yes\"", "`storage.make_room` cannot be a text"),
        ("[storage]", "storage = 1", "`storage` cannot be a whole number"),
    ];
    each_is_told(&cases);
}

#[test]
fn nothing_at_all_lacks_a_camera_and_a_plan() {
    for nothing in ["", "camera = []\n[plan]"] {
        let errors = Config::from_text("a.toml", nothing).unwrap_err();
        assert_eq!(messages(&errors), ["there is no camera", "there is no plan"]);
    }
}

#[test]
fn formats_of_exports_are_those_that_there_are_each_once() {
    each_is_told(&[
        (
            "[export]",
            "[export]\nformats = [\"colmap\", \"blender\"]",
            "`export.formats` has \"blender\", which is no format; there are: colmap, nerfstudio, realityscan, metashape, meshroom",
        ),
        ("[export]", "[export]\nformats = [\"colmap\", \"colmap\"]", "`export.formats` has \"colmap\" twice"),
        ("[export]", "[export]\nformats = \"colmap\"", "`export.formats` cannot be a text"),
    ]);
}

#[test]
fn who_is_told_and_how_is_checked() {
    let told = |keys: &str| format!("{SHIPPED}\n[[notify]]\nname = \"me\"\n{keys}");
    for (keys, message) in [
        ("", "`notify.through` is missing"),
        ("through = \"pigeon\"\nurl = 1", "`notify.through` cannot be \"pigeon\""),
        ("through = \"command\"", "`notify.command` is missing"),
        ("through = \"command\"\ncommand = []", "`notify.command` is empty"),
        ("through = \"command\"\ncommand = \"tell\"", "`notify.command` cannot be a text"),
        ("through = \"command\"\ncommand = [\"./tell\"]", "`notify.command` cannot begin with \"./tell\""),
        (
            "through = \"command\"\ncommand = [\"tell\"]\nurl = \"http://a\"",
            "there is no key `url` in `notify`",
        ),
        ("through = \"webhook\"", "`notify.url` is missing"),
        ("through = \"webhook\"\nurl = \"example.org\"", "`notify.url` is no address of http:// or https://"),
        ("through = \"webhook\"\nurl = \"http://me:you@a\"", "`notify.url` has a name or a password in it"),
        (
            "through = \"webhook\"\nurl = \"http://a\"\nca = \"b\"",
            "`notify.ca` has no meaning without https://",
        ),
        ("through = \"webhook\"\nurl = \"http://a\"\nsecret = \"b\"", "there is no key `secret` in `notify`"),
        ("through = \"ntfy\"\nurl = \"https://ntfy.sh\"", "`notify.url` ends with no topic"),
        ("through = \"mail\"", "`notify.to` is missing"),
        ("through = \"mail\"\nto = []", "`notify.to` has 0 addresses"),
        (
            "through = \"mail\"\nto = [\"-oQ/tmp\"]",
            "`notify.to` has \"-oQ/tmp\", which is no address of e-mail",
        ),
        ("through = \"mail\"\nto = [\"a@b\"]\nfrom = \"Me <a@b>\"", "`notify.from` cannot be \"Me <a@b>\""),
        ("through = \"mail\"\nto = [\"a@b\"]\non = []", "`notify.on` is empty: nothing would be told"),
        (
            "through = \"mail\"\nto = [\"a@b\"]\non = [\"done\"]",
            "`notify.on` has \"done\", of which nothing is told",
        ),
        (
            "through = \"mail\"\nto = [\"a@b\"]\non = [\"failed\", \"failed\"]",
            "`notify.on` has \"failed\" twice",
        ),
        ("through = \"mail\"\nto = [\"a@b\"]\ntimeout = \"1 h\"", "`notify.timeout` cannot be 3600 s"),
        (
            "through = \"mail\"\nto = [\"a@b\"]\n[[notify]]\nname = \"me\"\nthrough = \"mail\"\nto = [\"a@b\"]",
            "`notify.name` is \"me\" for the second time",
        ),
    ] {
        let Err(errors) = Config::from_text("a.toml", &told(keys)) else { panic!("{keys}: nothing is said") };
        assert_eq!(messages(&errors), [message], "{keys}: {errors}");
    }
    let right = "through = \"mail\"\nto = [\"a@b\"]";
    let config = Config::from_text("a.toml", &told(right)).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        config.notify[0].on.iter().map(|on| on.name()).collect::<Vec<_>>(),
        ["finished", "failed", "needs_person"]
    );
}

#[test]
fn cameras_whose_folders_other_systems_cannot_have_are_refused() {
    each_is_told(&[
        (
            "name = \"cam0\"",
            "name = \"AUX\"",
            "`camera.name` cannot be \"AUX\": it is the name of a device on Windows, where its images could not be unpacked",
        ),
        (
            "name = \"cam0\"",
            "name = \"CAM0\"\ndriver = \"scanner-libcamera\"\n[[camera]]\nname = \"cam0\"",
            "`camera.name` cannot be \"cam0\" beside \"CAM0\": Windows and Macs cannot keep them apart",
        ),
    ]);
}

#[test]
fn where_the_api_listens_and_when_cameras_open_is_checked() {
    each_is_told(&[
        ("listen = \"127.0.0.1:8080\"", "listen = 8080", "`api.listen` cannot be a whole number"),
        ("listen = \"127.0.0.1:8080\"", "listen = \":8080\"", "`api.listen` cannot be \":8080\""),
        ("listen = \"127.0.0.1:8080\"", "listen = \"[::]:65536\"", "`api.listen` cannot be \"[::]:65536\""),
        ("[api]", "[api]\nhosts = \"rig\"", "`api.hosts` cannot be a text"),
        ("[schedule]", "[schedule]\nopen = \"09:00-17:30\"", "`schedule.open` cannot be a text"),
        (
            "[schedule]",
            "[schedule]\nopen = [\"22:00\"]",
            "`schedule.open` has \"22:00\", which is no window of hours: it has no beginning and end",
        ),
    ]);
    let hosts = |count: usize| {
        let written = format!("[api]\nhosts = [{}]", "\"rig\", ".repeat(count));
        SHIPPED.replacen("[api]", &written, 1)
    };
    let errors = Config::from_text("a.toml", &hosts(33)).unwrap_err();
    assert!(messages(&errors).contains(&"`api.hosts` has 33 names"), "{errors}");
    if let Err(errors) = Config::from_text("a.toml", &hosts(32)) {
        panic!("{errors}");
    }
}

/// Each is a part of the shipped configuration, what stands in its place, and the message about it.
#[test]
fn where_scans_are_brought_is_checked() {
    let deliver = |keys: &str| format!("{SHIPPED}\n[[deliver]]\nname = \"nas\"\n{keys}");
    let s3 = "to = \"s3\"\nbucket = \"scans\"\naccess_key = \"AKIA\"\nsecret_file = \"s3.secret\"\n";
    let with = |more: &str| format!("{s3}{more}");
    for (keys, message) in [
        (String::new(), "`deliver.to` is missing"),
        ("to = \"ftp\"\nhost = 1".into(), "`deliver.to` cannot be \"ftp\""),
        ("to = \"folder\"".into(), "`deliver.path` is missing"),
        (
            "to = \"folder\"\npath = \"/mnt/nas/scans\"\nmount_point = \"/mnt/usb\"".into(),
            "`deliver.mount_point` is not above /mnt/nas/scans",
        ),
        (
            "to = \"folder\"\npath = \"/mnt/nas\"\nbucket = \"scans\"".into(),
            "there is no key `bucket` in `deliver`",
        ),
        (s3.replace("bucket = \"scans\"\n", ""), "`deliver.bucket` is missing"),
        (s3.replace("\"scans\"", "\"a/b\""), "`deliver.bucket` cannot be \"a/b\""),
        (s3.replace("access_key = \"AKIA\"\n", ""), "`deliver.access_key` is missing"),
        (s3.replace("secret_file = \"s3.secret\"\n", ""), "`deliver.secret_file` is missing"),
        (with("secret = \"sEcReT\""), "there is no key `secret` in `deliver`"),
        (with("endpoint = \"nas:9000\""), "`deliver.endpoint` is no address of http:// or https://"),
        (with("endpoint = \"https://me:you@nas\""), "`deliver.endpoint` has a name or a password in it"),
        (
            with("endpoint = \"http://nas:9000\"\nca = \"own.crt\""),
            "`deliver.ca` has no meaning without https://",
        ),
        (with("prefix = \"../a\""), "`deliver.prefix` cannot be \"../a\""),
        (with("pace = \"1 kB\""), "`deliver.pace` cannot be 1000 B"),
        (with("keep = \"for_ever\""), "`deliver.keep` cannot be \"for_ever\""),
        (
            "to = \"workshop\"\nbroker = \"10.0.0.1:4222\"\nkey = \"/workshop.nk\"".into(),
            "`deliver.broker` is no address of nats:// or tls://",
        ),
        (
            "to = \"workshop\"\nbroker = \"nats://\"".into(),
            "`deliver.broker` is no address of nats:// or tls://",
        ),
        (
            "to = \"workshop\"\nbroker = \"nats://me:you@nas\"".into(),
            "`deliver.broker` has a name or a password in it",
        ),
        (
            "to = \"workshop\"\nkey = \"~/workshop.nk\"".into(),
            "`deliver.key` starts with `~`, which is not expanded",
        ),
        ("to = \"workshop\"\npace = \"20 MB\"".into(), "there is no key `pace` in `deliver`"),
        ("to = \"workshop\"\npath = \"/mnt\"".into(), "there is no key `path` in `deliver`"),
        (
            with(&format!("[[deliver]]\nname = \"nas\"\n{s3}")),
            "`deliver.name` is \"nas\" for the second time",
        ),
    ] {
        let Err(errors) = Config::from_text("a.toml", &deliver(&keys)) else {
            panic!("{keys}: nothing is said")
        };
        assert_eq!(messages(&errors), [message], "{keys}: {errors}");
    }
    let config = Config::from_text("a.toml", &deliver(s3)).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.deliver[0].to.address(), "s3://scans/ (us-east-1)");
    assert_eq!(config.deliver[0].keep, Keep::UntilDelivered);
    // What is offered is no copy that is kept, unless somebody says so.
    for (keys, keep, address) in [
        ("", Keep::AsStorageSays, "the workshop"),
        ("broker = \"tls://pc:4222\"", Keep::AsStorageSays, "the workshop at tls://pc:4222"),
        ("keep = \"until_delivered\"", Keep::UntilDelivered, "the workshop"),
    ] {
        let keys = format!("to = \"workshop\"\n{keys}");
        let config = Config::from_text("a.toml", &deliver(&keys)).unwrap_or_else(|errors| panic!("{errors}"));
        let found = &config.deliver[0];
        assert_eq!((found.keep, found.to.address().as_str()), (keep, address), "{keys}");
    }
}

fn each_is_told(cases: &[(&str, &str, &str)]) {
    for (from, to, message) in cases {
        assert!(SHIPPED.contains(from), "{from}");
        let text = SHIPPED.replacen(from, to, 1);
        let Err(errors) = Config::from_text("a.toml", &text) else { panic!("{to}: nothing is said") };
        assert!(messages(&errors).contains(message), "{to}: {errors}");
    }
}

#[test]
fn problems_serialize_for_programs() {
    let errors = Config::from_text("a.toml", "[storage]\njpeg_quality = 0\n").unwrap_err();
    let json = serde_json::to_value(errors.problems()).unwrap();
    let problem = json.as_array().unwrap().iter().find(|problem| problem["line"] == 2).unwrap();
    assert_eq!(problem["file"], "a.toml");
    assert_eq!(problem["column"], 16);
    assert_eq!(problem["message"], "`storage.jpeg_quality` cannot be 0");
    assert_eq!(problem["hint"], "write a value from 1 to 100");
}
