# Shared by ./run and ./check: what a fresh Debian 12 needs, and how the program and the web app are built. Sourced by bash.

# What building and serving needs.
PACKAGES_RUN="build-essential cmake ninja-build pkg-config ca-certificates openssl nodejs
 libwebsockets-dev libnice-dev libglib2.0-dev libssl-dev libsrtp2-dev libjansson-dev libseccomp-dev
 libsqlite3-dev libpq-dev libopenslide-dev libtiff-dev libjpeg62-turbo-dev libpng-dev liblcms2-dev libopenjp2-7-dev libopenjph-dev libcharls-dev libdcmtk-dev zlib1g-dev libheif-dev libwebp-dev libargon2-dev libarchive-dev
 libpango1.0-dev libcairo2-dev libcmocka-dev fonts-noto-cjk fonts-noto-core
 libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui poppler-utils libgdk-pixbuf2.0-bin libgdk-pixbuf-2.0-dev libxml2-dev"
# Debian builds it for this processor only; elsewhere OpenSSL does its work (media/secure/srtp_aead.h).
[ "$(uname -m)" != x86_64 ] || PACKAGES_RUN="$PACKAGES_RUN libipsec-mb-dev"

# What the tests need besides.
PACKAGES_CHECK="clang clang-format libclang-rt-14-dev llvm-14 universal-ctags postgresql-15 sqlite3 chromium firefox-esr
 iproute2 procps gstreamer1.0-nice gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
 gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-tools gir1.2-gst-plugins-bad-1.0 gir1.2-nice-0.1 python3-gi openslide-tools
 ghostscript liblcms2-utils fonts-liberation pulseaudio coturn nftables python3-aiortc python3-shapely curl libheif-examples libopenjp2-tools dcmtk libgdcm-tools golang-go golang-github-pion-webrtc.v3-dev"

# What bench/run measures beside, of the group tiles.
PACKAGES_BENCH="nginx-light lighttpd iipimage-server libvips-tools orthanc orthanc-wsi orthanc-dicomweb dcmtk curl"

say() { printf '%s\n' "$*" >&2; }

# Node and npm of any origin will do from 18 on; Debian's own otherwise.
wanted_packages() {
    local list="$*"
    if command -v node >/dev/null && command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]; then
        list=${list/ nodejs/}
    else
        list="$list npm"
    fi
    # shellcheck disable=SC2086
    dpkg-query -W -f='${Package} ${db:Status-Status}\n' $list 2>/dev/null | awk '$2=="installed"{print $1}' | sort -u >"${TMPDIR:-/tmp}/consilium-have.$$"
    # shellcheck disable=SC2086
    printf '%s\n' $list | sort -u | comm -23 - "${TMPDIR:-/tmp}/consilium-have.$$"
    rm -f "${TMPDIR:-/tmp}/consilium-have.$$"
}

# Installs what is missing as root; otherwise says what is missing and the one command that installs it.
need_packages() {
    local missing
    missing=$(wanted_packages "$@" | tr '\n' ' ')
    [ -n "${missing// /}" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "These Debian packages are missing: $missing"
        say "Install them with:  sudo apt-get install --no-install-recommends $missing"
        return 1
    fi
    say "Installing: $missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    apt_patiently update -q && apt_patiently install -q -y --no-install-recommends $missing
}

# apt-get, waiting while another program installs: a cloud machine does so by itself for minutes after its first start. apt's own
# Lock::Timeout does not wait for the lists.
apt_patiently() {
    local log end=$((SECONDS + 600)) status told=
    log=$(mktemp)
    while :; do
        status=0
        LC_ALL=C apt-get "$@" >/dev/null 2>"$log" || status=$?
        [ "$status" -ne 0 ] && [ "$SECONDS" -lt "$end" ] && grep -qE '^E: (Could not get lock|Unable to (acquire|lock))' "$log" || break
        [ -n "$told" ] || say "Another program is installing packages: waiting for it, ten minutes at most" \
            "($(grep -oE 'held by process [0-9]+( \([^)]*\))?' "$log" | head -1))"
        told=yes
        sleep "${APT_ASK_AGAIN:-3}"
    done
    cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# forget_elsewhere PRESET: CMake refuses a build that was made in another folder. The whole tree was moved or copied then; what
# it made there is made anew here.
forget_elsewhere() {
    local made_in
    made_in=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "build/$1/CMakeCache.txt" 2>/dev/null) || return 0
    [ -n "$made_in" ] && ! [ "$made_in" -ef "$PWD" ] || return 0
    say "build/$1 was made in $made_in: making it anew"
    rm -rf "build/$1"
}

# build_program PRESET [TARGET…]
build_program() {
    local preset=$1
    shift
    forget_elsewhere "$preset"
    cmake --preset "$preset" >"${TMPDIR:-/tmp}/consilium-cmake.$$" 2>&1 || { cat "${TMPDIR:-/tmp}/consilium-cmake.$$" >&2; return 1; }
    rm -f "${TMPDIR:-/tmp}/consilium-cmake.$$"
    if [ $# -gt 0 ]; then cmake --build --preset "$preset" --target "$@" >&2; else cmake --build --preset "$preset" >&2; fi
}

# Everything that the built app depends on, as one hash.
web_hash() {
    (cd viewer/web && find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) |
        sha256sum | cut -d' ' -f1
}

# npm_packages FOLDER: installs what its lock file says, once per lock file.
npm_packages() {
    local stamp
    stamp=$(sha256sum <"$1/package-lock.json" | cut -d' ' -f1)
    [ "$(cat "$1/node_modules/.stamp" 2>/dev/null)" = "$stamp" ] && return 0
    say "Installing the npm packages of $1"
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error >&2) && printf '%s' "$stamp" >"$1/node_modules/.stamp"
}

build_web() {
    local hash
    hash=$(web_hash)
    [ -f viewer/web/dist/index.html ] && [ "$(cat viewer/web/node_modules/.built 2>/dev/null)" = "$hash" ] && return 0
    npm_packages viewer/web || return 1
    say "Building the web app"
    (cd viewer/web && npm run build --silent >&2) && printf '%s' "$hash" >viewer/web/node_modules/.built
}
