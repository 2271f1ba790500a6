#!/bin/sh
# Installs PostgreSQL if no database is found, the system is Debian-like, and
# this is root. Otherwise, and if it fails, the programs print the places that
# they looked at.
set -u

if [ -n "${ROWKEEPER_DATABASE_URL:-}${COCKROACH_BINARY:-}" ] || command -v cockroach >/dev/null ||
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	exit 0
fi

echo "No database found on this machine: installing Debian's postgresql with apt-get."
export DEBIAN_FRONTEND=noninteractive
conf=/etc/postgresql-common/createcluster.d/rowkeeper.conf
trap 'rm -f "$conf"' EXIT
apt-get update -q &&
	apt-get install -q -y --no-install-recommends postgresql-common &&
	# The package would start a server of its own; nothing here needs it.
	mkdir -p "${conf%/*}" && echo 'create_main_cluster = false' >"$conf" &&
	apt-get install -q -y --no-install-recommends postgresql ||
	echo "apt-get failed: going on without." >&2
exit 0
