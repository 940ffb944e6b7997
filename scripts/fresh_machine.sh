#!/usr/bin/env bash
# What a stranger meets: commands in a clone of HEAD on a bare Debian, which has python3, git, make and nothing else.
#
#   scripts/fresh_machine.sh [--as-user] [--can] [COMMAND]
#
# COMMAND is one shell line; the default is plain make, then the first command of the README. Needs root on Debian.
#   --as-user   runs it as an ordinary user: first it must fail and name the missing packages, then these are installed
#   --can       only says whether this machine can do it; exit code 1 and the reason if it can't
#
# mmdebstrap makes the root folder in half a minute. Mounts and processes live in namespaces of their own and end with it.
set -euo pipefail
cd "$(dirname "$0")/.."

as_user= only_ask=
while [[ ${1:-} == --* ]]; do
  case $1 in
  --as-user) as_user=1 ;;
  --can) only_ask=1 ;;
  *) sed -n '2,/^$/{s/^# \{0,1\}//;p}' "$0" && exit 2 ;;
  esac
  shift
done

cannot() { echo "This machine can't make a fresh one: $1." >&2 && exit 1; }
[ "$(id -u)" -eq 0 ] || cannot "it takes root"
[ -e /etc/debian_version ] && command -v apt-get >/dev/null || cannot "it isn't Debian"
unshare --mount --pid --fork true 2>/dev/null || cannot "namespaces are forbidden here (in a container: --privileged)"
[ -z "$only_ask" ] || exit 0
command -v mmdebstrap >/dev/null || cannot "mmdebstrap is missing: apt-get install mmdebstrap"

first_command=$(sed -n '/^make /{s/ *#.*//;p;q}' README.md)
command=${*:-"make && $first_command"}
root=$(mktemp -d "${TMPDIR:-/tmp}/kalshi-fresh.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT

. /etc/os-release
echo "Making a bare $PRETTY_NAME …"
sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u)
if ! mmdebstrap --quiet --variant=apt --include=python3,git,make,ca-certificates "$VERSION_CODENAME" "$root" - <<<"$sources" >"$root.log" 2>&1; then
  tail -n 20 "$root.log" >&2
  exit 1
fi
rm -f "$root.log"

# How this machine reaches the package indexes goes along: names, certificates, settings of apt and pip, local folders.
copy() { [ ! -e "$1" ] || { mkdir -p "$root$(dirname "$1")" && cp -rL "$1" "$root$(dirname "$1")/"; }; }
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/xdg/pip /etc/uv; do copy "$file"; done
while read -r file; do copy "$file"; done < <(grep -ls Acquire /etc/apt/apt.conf /etc/apt/apt.conf.d/*)
settings=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8)
while read -r line; do settings+=("$line"); done < <(env | grep -iE '^(PIP_|UV_|https?_proxy=|no_proxy=|SSL_CERT_|REQUESTS_CA_BUNDLE=|OPENBLAS_)' || true)
folders=$(python3 -m pip config list 2>/dev/null | grep -oE "(file://)?/[^' ]+" | sed 's,^file://,,' | sort -u || true)

git clone --quiet "$PWD" "$root/project"
user=root
if [ -n "$as_user" ]; then
  user=stranger
  chroot "$root" useradd --create-home "$user"
  chroot "$root" chown -R "$user:" /project
  settings[0]=HOME=/home/$user
fi

inside() { # inside USER COMMAND: one shell line in the fresh machine; what it started ends with it
  unshare --mount --pid --fork --kill-child bash -euc '
    root=$0 user=$1 line=$2 folders=$3 && shift 3
    for place in /sys /dev /dev/pts /dev/shm; do mkdir -p "$root$place" && mount --bind "$place" "$root$place"; done
    mount -t proc proc "$root/proc"
    for folder in $folders; do
      [ -d "$folder" ] || continue
      mkdir -p "$root$folder" && mount --bind "$folder" "$root$folder" && mount -o remount,bind,ro "$root$folder"
    done
    exec chroot --userspec="$user:$user" "$root" env -i "${@:2}" bash -ec "cd /project && $line"
  ' "$root" "$1" "$2" "$folders" "${settings[@]}"
}

if [ -n "$as_user" ]; then
  echo "As an ordinary user, without the packages:"
  refusal=$root/refusal.txt
  if inside "$user" "$first_command" >"$refusal" 2>&1; then
    echo "$first_command works without packages, which can't be." >&2
    exit 1
  fi
  cat "$refusal"
  install=$(sed -n 's/^ *\(apt-get update && apt-get install .*\)/\1/p' "$refusal")
  [ -n "$install" ] || { echo "It doesn't say what to install." >&2 && exit 1; }
  inside root "DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; { $install; } >/dev/null 2>&1"
fi
echo "In the fresh machine, as $user: $command"
inside "$user" "$command"
echo "The fresh machine passed: $command"
