#!/bin/sh
# Installs Request Tracker 5 from Debian with SQLite; no service is started.
# Exit code 3: it cannot be installed here; the last line says why.
set -e
command -v rt-setup-database-5 >/dev/null && exit 0
command -v apt-get >/dev/null || { echo "apt-get is not there"; exit 3; }
[ "$(id -u)" = 0 ] || { echo "apt-get needs root"; exit 3; }
# Another installation may run at this moment.
apt="apt-get -q -o DPkg::Lock::Timeout=300"
$apt update >/dev/null 2>&1 || true
apt-cache show request-tracker5 rt5-db-sqlite rt5-standalone >/dev/null 2>&1 || {
    echo "apt knows no package request-tracker5"
    exit 3
}
# What is installed must not start: its packages ask this file.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends \
    request-tracker5 rt5-db-sqlite rt5-standalone
