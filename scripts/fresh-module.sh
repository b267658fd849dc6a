#!/usr/bin/env bash
# Builds every complete Go program of README.md in a module of its own that replaces ours by this folder, and runs
# those that end by themselves: what a newcomer copies must work.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each fenced Go block that is a whole program becomes program<n>/main.go.
awk -v work="$work" '
	/^```go$/ { inside = 1; text = ""; next }
	/^```$/ && inside {
		inside = 0
		if (text ~ /(^|\n)package main( \/\/[^\n]*)?\n/) {
			dir = work "/program" ++n
			system("mkdir " dir)
			printf "%s", text > (dir "/main.go")
		}
		next
	}
	inside { text = text $0 "\n" }
' README.md

cd "$work"
go mod init example.com/fresh 2>/dev/null
go mod edit -require=github.com/yrs-go/yrs@v0.0.0 -replace="github.com/yrs-go/yrs=$root"
cp "$root/go.sum" .
export GOFLAGS=-mod=mod

shopt -s nullglob
ran=0
for program in program*/; do
	go vet "./$program"
	go build -o "$program/program" "./$program"
	grep -Eq 'ListenAndServe|os\.Args' "$program/main.go" && continue
	(cd "$program" && timeout 30 ./program)
	ran=$((ran + 1))
done
if [ "$ran" = 0 ]; then
	echo "fresh-module: README.md has no Go program that ends by itself" >&2
	exit 1
fi
