# See README.md. Each target installs what it lacks, says so, and does nothing twice.
CARGO ?= cargo

.PHONY: all build demo test lint deny doc unit test-crash bench man clean

all: build

build:
	./.ci/prepare
	$(CARGO) build --release --locked

## A 144-point scan on the simulated rig, with faults
demo: build
	./target/release/scanner demo

## Everything that CI runs
test: prepare-test lint deny doc unit

.PHONY: prepare-test
prepare-test:
	./.ci/prepare test

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

# Advisories need a database from outside; `cargo deny check advisories` where there is a network.
deny:
	$(CARGO) deny --locked --offline check bans licenses sources

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

# The drivers are processes of their own: they must be built before any test starts one.
unit:
	$(CARGO) build --locked --bins
	SCANNER_TEST_FAULTS=1000 $(CARGO) test --locked

## More generated lives of a scan and more camera faults than CI runs: half an hour
test-crash: prepare-test
	$(CARGO) build --locked --bins
	PROPTEST_CASES=1000000 $(CARGO) test --locked --lib scan::
	SCANNER_TEST_FAULTS=10000 $(CARGO) test --locked --test camera_soak -- --nocapture
	for i in 1 2 3 4 5; do $(CARGO) test --locked --test crash_matrix -- --nocapture || exit 1; done

## Numbers, not tests
bench: build
	$(CARGO) bench --locked

man: build
	./target/release/scanner man target/man

clean:
	$(CARGO) clean
