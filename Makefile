# Targets for developers. CI runs .ci/run, which covers verify, lint and test.

.DEFAULT_GOAL := help
.PHONY: help build test browser attack soak bench fuzz lint generate verify image packages

FUZZTIME ?= 30s
SOAK ?= 30m
BENCH ?= .

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the programs into bin/
	go build -o bin/ ./cmd/...

test: ## run all tests, with Docker if there is an engine
	go test ./...

browser: ## look at the page in a real browser; screenshots are in dist/screenshots
	mkdir -p dist/screenshots
	cd fixtures/browser && ATTUNE_SCREENSHOTS=$(CURDIR)/dist/screenshots go test -count=1 -v -timeout 30m .

attack: ## try every promise of SECURITY.md as five attackers
	go test -count=1 -v ./fixtures/attacks

soak: ## run a worker under all attacks at once for SOAK (30m); its memory must not grow
	ATTUNE_SOAK=$(SOAK) go test -count=1 -v -timeout 0 -run '^TestSoak$$' ./fixtures/attacks

bench: ## run the benchmarks; BENCH=pattern selects
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...
	cd fixtures/comparisons && go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

fuzz: ## run each fuzz target for FUZZTIME (30s)
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | cut -c6-); do \
			echo "== $$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 3x $$dir || exit 1; \
		done; \
	done

lint: ## run gofmt, vet and golangci-lint
	@test -z "$$(git ls-files '*.go' ':!*/testdata/*' | xargs gofmt -l | tee /dev/stderr)"
	go vet ./...
	golangci-lint run

generate: ## write all generated files
	go generate ./...

verify: generate ## check that generated files and go.mod are up to date
	@git diff --exit-code || { echo 'stale: commit what make generate changed'; exit 1; }
	go mod tidy -diff

image: ## build a Postgres image for Docker if no registry can be reached
	fixtures/postgres-image

packages: ## build the files of a release into dist/
	packaging/build
