# The front doors. Each installs what is missing, prints what it does, stops at the first failure, and is quick when nothing changed.
.PHONY: run test bench site setup check unit end2end clean-site
.DEFAULT_GOAL := run
# Cargo shares out its own jobs.
unexport MAKEFLAGS MFLAGS

# A running site with simulated meters and a payment sandbox.
run:
	@.ci/setup build
	@.ci/site
	@.ci/say "building the server"
	@cargo build --package server --bin dormwatt
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
	@.ci/setup all
	@.ci/site
	@.ci/say "building what is measured, optimised"
	@PG_DURABLE=1 .ci/postgres cargo bench --quiet --package server --bench figures --profile measured -- \
		--only "$(ONLY)" $(if $(SHORT),--short) --out "$(CURDIR)/target/bench.json"

# Scripts and styles into target/site.
site:
	@.ci/setup build
	@.ci/site

setup:
	@.ci/setup all

# Format and lints, natively and for the browser.
check:
	@.ci/say "format"
	@cargo fmt --all --check
	@.ci/say "lints"
	@cargo clippy --quiet --workspace --exclude frontend --all-targets -- --deny warnings
	@cargo clippy --quiet --package frontend --target wasm32-unknown-unknown -- --deny warnings

# Unit, store and black-box tests on SQLite and on a private PostgreSQL cluster. Most of a story is waiting, so twice as many run as there
# are processors.
unit: export RUST_TEST_THREADS ?= $(shell expr 2 '*' $$(getconf _NPROCESSORS_ONLN))
unit:
	@.ci/say "unit, store and black-box tests"
	@.ci/postgres cargo test --quiet --workspace --exclude frontend $(ARGS)

# Browser tests against the demo.
end2end:
	@if [ -f end2end/package.json ] && [ -d end2end/tests ]; then \
		.ci/say "browser tests"; \
		cargo build --quiet --package server --bin dormwatt && npm --silent --prefix end2end test; \
	fi
