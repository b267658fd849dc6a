#!/usr/bin/env bash
# Installs what checks and tests need besides Go, Rust, a C compiler and Node; quick when it is there.
# Usage: setup.sh <need>...   with needs chromium, shellcheck, node-peers, python-peers, web
set -euo pipefail
cd "$(dirname "$0")/.."

# debian_package <package> <command that succeeds once it is installed...>
debian_package() {
	local package=$1
	shift
	"$@" >/dev/null 2>&1 && return
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package"
		"$@" >/dev/null && return
	fi
	echo "setup: '$*' fails: install $package (on Debian: sudo apt-get install $package)" >&2
	exit 1
}

# unless_current <lock file> <mark> <command...>: runs the command when the lock file has changed since.
# The mark lives in the folder that the command fills, so that both go together.
unless_current() {
	local lock=$1 mark=$2
	shift 2
	cmp -s "$lock" "$mark" && return
	"$@"
	cp "$lock" "$mark"
}

# The browsers that the tests look for.
browser() {
	"${CHROMIUM:-chromium}" --version || chromium-browser --version || google-chrome --version
}

npm_packages() {
	command -v npm >/dev/null || {
		echo "setup: npm is missing: install Node 20 or later" >&2
		exit 1
	}
	unless_current "$1/package-lock.json" "$1/node_modules/.installed" npm ci --prefix "$1" --no-audit --no-fund
}

python_venv() {
	python3 -m venv --clear build/venv
	build/venv/bin/pip install --quiet --disable-pip-version-check -r "$1"
}

for need in "$@"; do
	case $need in
	chromium) debian_package chromium browser ;;
	shellcheck) debian_package shellcheck shellcheck --version ;;
	node-peers) npm_packages internal/peers/node ;;
	web) npm_packages ywebsocket/cmd/yserver/web ;;
	python-peers)
		debian_package python3-venv python3 -c 'import ensurepip, venv'
		requirements=internal/peers/python/requirements.txt
		unless_current "$requirements" build/venv/installed.txt python_venv "$requirements"
		;;
	*)
		echo "setup: unknown need $need" >&2
		exit 2
		;;
	esac
done
