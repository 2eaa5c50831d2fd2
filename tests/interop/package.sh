#!/usr/bin/env bash
# The Debian package: made, installed into a copy of this system that is thrown away, and started as its unit does. The copy is an overlay in
# a namespace of the test's own: nothing of this machine changes.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
passed=0 failed=0
check() { # WHAT COMMAND…
    local what=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "ok      $what"
        passed=$((passed + 1))
    else
        printf 'FAILED  %s\n%s\n' "$what" "$said"
        failed=$((failed + 1))
    fi
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_package() { (cd build/release && cpack -G DEB -D CPACK_PACKAGE_DIRECTORY="$work" && cp "$work"/consilium_*.deb "$work/consilium.deb"); }

# Within the namespace: $1 is an empty folder, $2 the package.
inside() {
    set -e
    local top=$1 root=$1/root port
    mount -t tmpfs -o size=256m none "$top"
    mkdir "$top/upper" "$top/work" "$root"
    mount -t overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" none "$root"
    mount -t proc none "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs none "$root/run"
    mount -t tmpfs none "$root/tmp"
    cp "$2" "$root/tmp/consilium.deb"
    # libraries of a machine with other sources may be newer than the archive's: they are not this test's subject
    chroot "$root" dpkg --force-depends -i /tmp/consilium.deb
    [ "$(stat -c '%U %a' "$root/etc/consilium/master.key")" = 'root 400' ]
    [ "$(chroot "$root" stat -c '%U %a' /var/lib/consilium)" = 'consilium 700' ]
    # what LoadCredential does
    chroot "$root" install -D -o consilium -m 0400 /etc/consilium/master.key /run/credentials/consilium.service/master.key
    sed -i 's/^user = .*/&\nport = 0\nmanagement_port = -1\nport_file = \/var\/lib\/consilium\/ports/' "$root/etc/consilium/consilium.ini"
    printf 'Aa1!aaaaaaaa\n' | chroot "$root" consilium user add system01 --role sys_admin --hospital Centre --department Staff --password-stdin \
        --config /etc/consilium/consilium.ini
    # shellcheck disable=SC2016
    chroot "$root" sh -c 'cd /var/lib/consilium && exec consilium serve --config /etc/consilium/consilium.ini' &
    for _ in $(seq 100); do [ -s "$root/var/lib/consilium/ports" ] && break; sleep 0.1; done
    port=$(grep -o '"port" *: *[0-9]*' "$root/var/lib/consilium/ports" | grep -o '[0-9]*$')
    [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/healthz")" = 200 ]
    curl -s "http://127.0.0.1:$port/" | grep -q '<div id="app"'
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{"username":"system01","password":"Aa1!aaaaaaaa"}' \
        "http://127.0.0.1:$port/api/v1/login")" = 200 ]
    [ "$(ps -o user= -p $!)" != root ]
    kill -TERM $!
    wait $!
    # an upgrade keeps the key; removal keeps the data
    before=$(sha256sum <"$root/etc/consilium/master.key")
    chroot "$root" dpkg --force-depends --force-confold -i /tmp/consilium.deb
    [ "$(sha256sum <"$root/etc/consilium/master.key")" = "$before" ]
    chroot "$root" dpkg --purge consilium
    [ -s "$root/var/lib/consilium/consilium.db" ]
    [ ! -e "$root/usr/bin/consilium" ]
}
if [ "${1:-}" = --inside ]; then
    inside "$2" "$3"
    exit
fi
install_package() { unshare --mount --pid --fork --kill-child bash "$PWD/tests/interop/package.sh" --inside "$work/system" "$work/consilium.deb"; }

check 'the package is made' make_package
mkdir "$work/system"
if [ "$(id -u)" -eq 0 ] && unshare --mount --pid --fork sh -c "mkdir $work/o $work/o/r && mount -t tmpfs none $work/o && mkdir $work/o/u $work/o/w $work/o/r &&
    mount -t overlay -o lowerdir=/,upperdir=$work/o/u,workdir=$work/o/w none $work/o/r" 2>/dev/null; then
    check 'installed, it serves as its unit says; an upgrade keeps the key, a removal the data' install_package
else
    echo 'skipped: installing the package (no overlay may be mounted here)'
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
