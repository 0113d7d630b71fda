# The front doors. Each installs what is missing, prints what it does, stops at the first failure, and is quick when nothing changed.
.PHONY: run test bench server site setup check unit end2end
.DEFAULT_GOAL := run
# Cargo shares out its own jobs.
unexport MAKEFLAGS MFLAGS

# A running site with simulated meters and a payment sandbox.
run:
	@.ci/setup lints
# Each ends in crates that occupy one processor only.
	@$(MAKE) --no-print-directory --jobs=2 server site
	@cargo run --quiet --package server --bin dormwatt -- demo $(ARGS)

# Everything that can be checked.
test:
	@.ci/setup lints
# One compiles for the browser on one processor while the other looks at what it compiles.
	@$(MAKE) --no-print-directory --jobs=2 check site
	@.ci/setup all
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory end2end
	@.ci/say "all is well"

# The figures that the project promises, into target/bench.json; ONLY=poll runs a part, SHORT=1 runs it roughly.
bench:
	@.ci/setup bench
	@.ci/site
	@.ci/say "building what is measured, optimised"
	@PG_DURABLE=1 .ci/postgres cargo bench --quiet --package server --bench figures --profile measured -- \
		--only "$(ONLY)" $(if $(SHORT),--short) --out "$(CURDIR)/target/bench.json"

server:
	@.ci/say "building the server"
	@cargo build --package server --bin dormwatt

# Scripts and styles into target/site.
site:
	@.ci/setup build
	@.ci/site

setup:
	@.ci/setup all

# Format and lints, natively and for the browser. rustfmt leaves long comments and strings alone, so their length is checked here.
check:
	@.ci/say "format"
	@cargo fmt --all --check
	@! LC_ALL=C.UTF-8 grep -rnE --include='*.rs' '^.{131}' app frontend server || { echo "dormwatt: lines over 130 characters" >&2; exit 1; }
	@.ci/say "lints"
	@cargo clippy --quiet --workspace --exclude frontend --all-targets -- --deny warnings
	@cargo clippy --quiet --package frontend --target wasm32-unknown-unknown -- --deny warnings

# Unit, store and black-box tests on SQLite and on a private PostgreSQL cluster. Most of a story is waiting, so three times as
# many run as there are processors.
unit: export RUST_TEST_THREADS ?= $(shell expr 3 '*' $$(getconf _NPROCESSORS_ONLN))
unit:
	@.ci/say "unit, store and black-box tests"
	@.ci/postgres cargo test --quiet --workspace --exclude frontend $(ARGS)

# Browser tests against the demo. Building a test beside the binary selects the features of `unit`, whose artifacts are used again:
# without it the application and the server would be compiled a second time.
end2end:
	@.ci/say "browser tests"
	@cargo build --quiet --workspace --exclude frontend --bin dormwatt --test stories
	@CHROMIUM=$${CHROMIUM:-$$(command -v chromium)} npm --silent --prefix end2end test
