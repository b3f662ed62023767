#!/usr/bin/env bash
# Brings an archive's content into the database of crearis. `understudy import` does the work, the question included; see --help.
set -euo pipefail

app=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
understudy=$app/node_modules/.bin/understudy

usage() {
  cat <<'END'
Usage: data-sync.sh [options] [mode] [backup]

Brings the content of a backup into the database that DATABASE_URL names, in the environment or in the file .env of
the application; else into the one of understudy.config.ts. Names the backup, shows what would change, and asks; `yes` or `y` lets it.

  mode      replace (default): the backup wins for every row that it has
            init: into a database without content of its own
  backup    the archive's file, or its name in data/sync; default: the newest one there that the
            database has not written itself

Options go to `understudy import`, in one word each:
  --dry-run             show what would change and write nothing
  --yes                 do not ask; needed where there is no terminal
  --target-name=<name>  the database's name, which a production database asks for
  --report=<file>       write plan, problems and result as JSON
  --no-color            no colours; there are none either where the output is no terminal
  --help                this text

Examples:
  scripts/data-sync.sh
  scripts/data-sync.sh replace data/sync/2026-11-22T10-30-00-123Z.backup.tar.gz
  scripts/data-sync.sh init --yes

Exit codes:
  0 done   1 error, or the answer was no   3 locked by somebody else   4 checks failed   130 interrupted
In every case but the first nothing was written.
END
}

refuse() {
  printf 'data-sync: %s\n' "$1" >&2
  exit 1
}

words=()
options=()
while (($# > 0)); do
  case $1 in
    --help) usage && exit 0 ;;
    -?*) options+=("$1") ;;
    *) words+=("$1") ;;
  esac
  shift
done

((${#words[@]} <= 2)) || refuse "expected a mode and a backup, found also '${words[2]}'; see --help"
[[ -x $understudy ]] || refuse "understudy is not installed in $app: run 'npx -y pnpm install' there"

# The odd form of an array keeps bash before 4.4 from calling an empty one unset.
exec "$understudy" import --config "$app/understudy.config.ts" --mode "${words[0]:-replace}" \
  ${options[@]+"${options[@]}"} -- "${words[1]:-latest}"
