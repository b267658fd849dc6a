# Short names for what the scripts do; `make help` lists them.
.DEFAULT_GOAL := build
.PHONY: build run test check bench nightly web clean help

build: ## build the Rust library that the Go packages link
	scripts/build.sh

run: build ## serve the demo on http://127.0.0.1:1234, documents in ./data
	mkdir -p bin data
	go build -o bin/yserver ./ywebsocket/cmd/yserver
	bin/yserver --store sqlite:data/yserver.db

test: build ## run every test suite; installs what they need
	scripts/setup.sh chromium node-peers python-peers web
	scripts/test.sh

check: ## run every linter and drift check
	scripts/setup.sh shellcheck web
	scripts/check.sh

bench: build ## measure speed and memory beside other implementations; writes docs/benchmarks.md
	scripts/setup.sh node-peers python-peers
	cargo build --locked --release --features bench --bin bench-native
	mkdir -p build/bench
	cd bench && go build -o ../build/bench ./peers/ycrdt ./peers/automerge && go run . $(BENCH_FLAGS)

nightly: build ## run the long suites; writes docs/nightly.md
	scripts/setup.sh chromium node-peers python-peers
	scripts/nightly.sh

web: ## bundle the demo page (the bundle is committed)
	scripts/setup.sh web
	cd ywebsocket/cmd/yserver/web && node build.mjs

clean: ## remove what was built; ./data stays
	rm -rf target build bin
	rm -f ycrdt/internal/ffi/libyffi_*.a ycrdt/internal/ffi/yffi_stamp.h

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
