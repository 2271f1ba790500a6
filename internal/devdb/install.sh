#!/bin/sh
# Installs PostgreSQL where no database is at hand, the system is Debian-like,
# and this is root. In every other case, and when it fails, the programs say
# what they looked for.
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
	# The package would start a server of its own; nothing here wants it.
	mkdir -p "${conf%/*}" && echo 'create_main_cluster = false' >"$conf" &&
	apt-get install -q -y --no-install-recommends postgresql ||
	echo "apt-get failed: going on without." >&2
exit 0
