# See README.md. Each target installs what it lacks, says so, and does nothing twice.
CARGO ?= cargo
# What is tested is compiled with one set of features, so that nothing is compiled twice, and no program is replaced while others
# test it: so all that compiles them selects these packages (.ci/program and .ci/test-libcamera read them here). scanner-libcamera
# is added where it is tested: it takes a libcamera that this machine may not have.
TESTED = -p scanner -p scanner-pixels -p scanner-hull -p scanner-marks -p scanner-deliver -p scanner-gphoto2 -p scanner-fleet

.PHONY: all build marks deliver ui check-ui test-ui libcamera demo demo-fleet demo-workshop test lint deny doc docs unit test-api test-reconstruct test-libcamera test-libcamera-oldest bench-libcamera gphoto2 test-gphoto2 deb-gphoto2 fleet test-fleet test-fleet-campaign deb-fleet test-crash bench man deb deb-libcamera deb-arm64 deb-arm64-libcamera deb-arm64-gphoto2 deb-arm64-fleet release test-pi test-systemd bench-systemd clean

all: build

build:
	./.ci/prepare
	./.ci/ui --or-without
	$(CARGO) build --release --locked -p scanner -p scanner-marks -p scanner-deliver

## The web page, which cargo then builds into the program; needs npm
ui:
	./.ci/ui

## What finds marks in images, for `scanner calibrate`; `make build` builds it, too
marks:
	./.ci/prepare
	$(CARGO) build --release --locked -p scanner-marks

## What brings scans to where they are kept, for `[[deliver]]`; `make build` builds it, too
deliver:
	./.ci/prepare
	$(CARGO) build --release --locked -p scanner-deliver

## The driver of real cameras; needs libcamera-dev, 0.4 to 0.7
libcamera:
	./.ci/prepare libcamera
	$(CARGO) build --release --locked -p scanner-libcamera

## The driver of DSLRs and mirrorless cameras; needs libgphoto2-dev
gphoto2:
	./.ci/prepare gphoto2
	$(CARGO) build --release --locked -p scanner-gphoto2 --lib --bins
	./.ci/iolibs release

## What makes cameras of other machines cameras of this one, and the workshop: docs/fleet.md, docs/workshop.md
fleet:
	./.ci/prepare
	$(CARGO) build --release --locked -p scanner-fleet

## A 144-point scan on the simulated rig, with faults
demo: build
	./target/release/scanner demo

## A scan with the cameras of four nodes, all on this machine; needs nats-server
demo-fleet: build fleet
	./crates/fleet/demo

## A scan that two workers reconstruct, one of which is killed, all on this machine; needs nats-server. PROGRAMS=target/debug: with those there
demo-workshop: $(if $(PROGRAMS),,build fleet)
	./crates/fleet/demo-workshop $(PROGRAMS)

## Everything that CI runs
test:
	./.ci/stages

.PHONY: prepare-test programs
prepare-test:
	./.ci/prepare test

## What is tested, compiled once
programs:
	./.ci/program
	$(CARGO) test --locked $(TESTED) --no-run

lint:
	./.ci/lint

# Advisories need a database from outside; `cargo deny check advisories` where there is a network.
deny:
	./.ci/prepare deny
	$(CARGO) fetch --locked
	$(CARGO) deny --locked --offline --workspace --all-features check bans licenses sources

doc:
	./.ci/doc

## The documents as a site, in target/site/html
docs:
	./.ci/docs

# Most tests wait for a simulated rig, so there may be more of them than processors. Of cases that are drawn by chance each run tries
# others: so it tries 64 of each, where cargo alone tries 256, and test-crash tens of thousands.
unit:
	SCANNER_TEST_FAULTS=400 PROPTEST_CASES=$${PROPTEST_CASES:-64} RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((3 * $$(nproc)))} $(CARGO) test --locked $(TESTED) --no-fail-fast

## The web page: its types against the daemon's document, its own tests, its size
check-ui: prepare-test
	./.ci/ui check

## The web page in headless Chromium, against the daemon on the simulated rig; screenshots in target/ui-test
test-ui: prepare-test
	./.ci/test-ui

## The libcamera driver on the real libcamera with its virtual camera; says so where that cannot be
test-libcamera: prepare-test
	./.ci/test-libcamera

## The same with the oldest libcamera that the driver is for, 0.4; no part of `test`
test-libcamera-oldest: prepare-test
	./.ci/test-libcamera --oldest

## The gphoto2 driver on this machine's libgphoto2 with the simulated DSLR; a part of `unit`
test-gphoto2: prepare-test
	./.ci/program
	$(CARGO) test --locked $(TESTED) --bin scanner-gphoto2 --test gphoto2 -- --nocapture

## Remote cameras and the workshop, with a real broker; a part of `unit`
test-fleet: prepare-test
	./.ci/program
	$(CARGO) test --locked $(TESTED) --test fleet -- --nocapture

## Many nodes and random faults: a long run of the campaign, its seed SCANNER_TEST_SEED
test-fleet-campaign: prepare-test
	./.ci/program
	SCANNER_TEST_CAMPAIGN=$${SCANNER_TEST_CAMPAIGN:-1} $(CARGO) test --locked $(TESTED) --test fleet campaigns -- --nocapture

## A scan exported for every program, read back by others, and reconstructed; and by workers of the workshop
test-reconstruct: prepare-test
	./.ci/program
	./.ci/test-reconstruct

## Requests that nobody thought of, from the document of the HTTP API
test-api: prepare-test
	./.ci/program
	./.ci/test-api

## What the libcamera driver costs at 12 megapixels
bench-libcamera:
	./.ci/test-libcamera --bench

## More generated lives of a scan, more camera faults and longer fire at the API than CI runs: an hour
test-crash: prepare-test
	./.ci/program
	PROPTEST_CASES=1000000 $(CARGO) test --locked $(TESTED) --lib scan::
	SCANNER_TEST_FAULTS=10000 $(CARGO) test --locked $(TESTED) --test camera_soak -- --nocapture
	SCANNER_TEST_FIRE=1800 $(CARGO) test --locked $(TESTED) --test api -- --nocapture mixed_fire
	SCANNER_TEST_FULL=1 SCANNER_TEST_SWINGS=40 PROPTEST_CASES=2560 $(CARGO) test --locked $(TESTED) --lib
	SCANNER_TEST_FULL=1 $(CARGO) test --locked $(TESTED) --test solve -- --nocapture
	SCANNER_TEST_CLEAN=30 $(CARGO) test --locked $(TESTED) --test scan gate:: -- --nocapture
	SCANNER_TEST_DELIVERIES=300 $(CARGO) test --locked $(TESTED) --test killed -- --nocapture
	for i in 1 2 3 4 5; do SCANNER_TEST_FULL=1 $(CARGO) test --locked $(TESTED) --test crash_matrix -- --nocapture || exit 1; done

## Numbers, not tests
bench: build
	$(CARGO) bench --locked

man: build
	./target/release/scanner man target/man

## The Debian package, for the machine that builds it
deb: build man
	mkdir -p target/completions
	./target/release/scanner completions bash > target/completions/scanner.bash
	./target/release/scanner completions zsh > target/completions/_scanner
	./target/release/scanner completions fish > target/completions/scanner.fish
	./.ci/prepare deb
	$(CARGO) deb --locked --no-build --strip --output target/deb/

## The package of the driver of real cameras; needs libcamera-dev, 0.4 to 0.7
deb-libcamera: libcamera
	./.ci/prepare deb
	$(CARGO) deb --locked --no-build --strip -p scanner-libcamera --output target/deb/

## The package of the driver of DSLRs; needs libgphoto2-dev
deb-gphoto2: gphoto2
	./.ci/prepare deb
	$(CARGO) deb --locked --no-build --strip -p scanner-gphoto2 --output target/deb/

## The package of remote cameras and the workshop
deb-fleet: fleet
	./.ci/prepare deb
	$(CARGO) deb --locked --no-build --strip -p scanner-fleet --output target/deb/

## The package for a Raspberry Pi (arm64), built on a PC; cross/README.md
deb-arm64:
	./cross/build arm64 scanner

## That of the driver of real cameras
deb-arm64-libcamera:
	./cross/build arm64 scanner-libcamera

## That of the driver of DSLRs
deb-arm64-gphoto2:
	./cross/build arm64 scanner-gphoto2

## That of cameras at other machines and the workshop
deb-arm64-fleet:
	./cross/build arm64 scanner-fleet

## All packages of both architectures, their checksums, and what they are made of; `cross/release --twice` builds twice and compares
release:
	./cross/release

## The packages for arm64 on an emulated Raspberry Pi 3, with a rig on its GPIO registers
test-pi:
	./.ci/test-pi

## The packages on a real systemd: start, scan, journal, watchdog, stop, kill, reload, full disk, upgrade; a node and its broker
test-systemd: prepare-test
	./.ci/test-systemd

## What the packaged service costs: start, idle, log
bench-systemd:
	./.ci/test-systemd --release

clean:
	$(CARGO) clean
