#!/bin/sh
# Makes what compose.yaml hands over as files, each once: passwords of the two database roles, their addresses, a key ring.
# Whoever loses the key ring loses every name: copy it away, and never to where the backups of the database lie.
set -eu
umask 077
into=${1:-$(dirname "$0")/secrets}
database=${2:-database:5432/lintas}
if [ -e "$into" ]; then
	echo "$into is there already: nothing was changed" >&2
	exit 1
fi
mkdir -p "$into/owner" "$into/run"

# The directory is for its owner alone; its files are read by other users inside of the containers.
keep() { cat > "$into/$1" && chmod 0444 "$into/$1"; }
password() { openssl rand -hex 32; }

owner=$(password) run=$(password)
password | keep superuser_password
printf %s "$owner" | keep owner_password
printf %s "$run" | keep run_password
printf 'postgresql://lintas_owner:%s@%s' "$owner" "$database" | keep owner/LINTAS_DATABASE_URL
printf 'postgresql://lintas_run:%s@%s' "$run" "$database" | keep run/LINTAS_DATABASE_URL
id=$(date -u +%Y-%m)
printf '{"active": "%s", "keys": {"%s": "%s"}, "hash_key": "%s"}' \
	"$id" "$id" "$(openssl rand -base64 32)" "$(openssl rand -base64 32)" | keep run/LINTAS_KEY_RING
echo "$into was made; copy $into/run/LINTAS_KEY_RING to where no backup of the database lies"
