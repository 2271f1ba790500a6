#!/bin/sh
# Installs PgBouncer for the tests if it is missing, the system is Debian-like,
# and this is root. Otherwise, and if it fails, those tests are skipped and say
# so.
set -u

if [ -n "${ROWKEEPER_DATABASE_URL:-}${ROWKEEPER_PGBOUNCER:-}" ] ||
	command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	exit 0
fi

echo "No PgBouncer found on this machine: installing Debian's with apt-get."
export DEBIAN_FRONTEND=noninteractive
# The package would start a PgBouncer of its own, now and at each boot; nothing here needs it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
fi
apt-get update -q &&
	apt-get install -q -y --no-install-recommends pgbouncer &&
	update-rc.d pgbouncer disable ||
	echo "apt-get failed: going on without." >&2
exit 0
