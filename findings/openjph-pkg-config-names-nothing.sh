#!/usr/bin/env bash
# OpenJPH 0.9.0 of Debian 12 (HTJ2K, DICOM transfer syntaxes 1.2.840.10008.1.2.4.201 to .203) and pkg-config.
#
# Expected: where `pkg-config --exists openjph` succeeds, `--libs` names the library, and a version can be asked for ("openjph >= 0.7").
# What happens: the file is there and every question succeeds, with nothing: no library, no folder of headers, an empty version. A check of the build passes and
# linking fails with undefined symbols; a wanted version is "not found" although the package is newer.
# Why it matters here: a decoder of HTJ2K found by pkg-config builds on other systems and not on Debian 12. The library and its header are looked for by name
# (cmake/House.cmake), and the version is the header's.
#
# Fetches pinned Debian packages (apt-get download) into a temporary folder and installs nothing. Needs Debian 12 with pkg-config.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=0.9.0-3+b1
for package in libopenjph-dev libopenjph0.9; do
    apt-get download -q "$package=$version" >log 2>&1 || { tail -3 log; exit 1; }
done
for package in ./*.deb; do dpkg -x "$package" root; done
libraries=root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")
export PKG_CONFIG_LIBDIR=$folder/$libraries/pkgconfig
status=0
try() { # what is asked, exit status, output
    local said code=0
    said=$(pkg-config "$1" openjph 2>/dev/null) || code=$?
    printf 'pkg-config %-22s status %s, says "%s"\n' "$1" "$code" "$said"
    [ "$code" = "$2" ] && [ "${said// /}" = "$3" ] || { echo "    it was: status $2, \"$3\""; status=1; }
}
echo "libopenjph-dev $version"
try --exists 0 ''
try --libs 0 ''
try --cflags 0 ''
try --modversion 0 ''
try --atleast-version=0.7 1 ''
number() { sed -n "s/^#define OPENJPH_VERSION_$1 *//p" root/usr/include/openjph/ojph_version.h; }
echo "the header says $(number MAJOR).$(number MINOR).$(number PATCH), and there is $(basename "$(find "$libraries" -name 'libopenjph.so.*.*.*')")"
[ "$(number MAJOR).$(number MINOR).$(number PATCH)" = 0.9.0 ] || status=1
exit $status
