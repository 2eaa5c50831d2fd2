#!/usr/bin/env bash
# libjpeg-turbo 2.1.5 of Debian 12, whose rule the browsers share: a JPEG that holds RGB (a slide's tile with photometric RGB) and says so.
#
# Expected: Adobe's segment with transform 0, put in front of a scanner's tile, makes any reader take its three components for red, green and blue;
# more so where the components are named R, G and B.
# What happens: where the tile or the TIFF's JPEGTables hold a JFIF segment as well, Adobe's is passed over, before or behind it, and so are the components'
# names: red comes out as something else. Without JFIF each of the two suffices. No warning.
# Why it matters here: a tile leaves as it lies in the file with tables and an Adobe segment in front. JFIF has to be looked for in both, and such a tile is
# decoded with the colours that the TIFF names, or its JFIF segment is left out (viewer/slide/jpeghead says what a browser will take a tile for).
#
# Fetches pinned Debian packages (apt-get download) into a temporary folder and installs nothing. Needs Debian 12 and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=2.1.5-2
for package in "libjpeg-turbo-progs=1:$version" "libjpeg62-turbo=1:$version"; do
    apt-get download -q "$package" >log 2>&1 || { tail -3 log; exit 1; }
done
for package in ./*.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$folder/root/usr/lib/$(uname -m)-linux-gnu
python3 -c 'import sys; sys.stdout.buffer.write(b"P6 16 16 255\n" + bytes((200, 30, 60)) * 256)' >red.ppm
root/usr/bin/cjpeg -rgb -quality 95 red.ppm >rgb.jpg

cat >with.py <<'PY'
import sys
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
source, wanted, names, target = sys.argv[1:]
data = open(source, "rb").read()
parts, at = [], 2
while data[at + 1] != 0xda:
    size = 2 + int.from_bytes(data[at + 2:at + 4], "big")
    if not 0xe0 <= data[at + 1] <= 0xef:
        parts.append(bytearray(data[at:at + size]))
    at += size
rest = bytearray(data[at:])
if names == "123":  # the components' names in the frame's and in the scan's header
    frame = next(p for p in parts if p[1] in (0xc0, 0xc1, 0xc2))
    for i in range(3):
        frame[10 + 3 * i] = i + 1
        rest[5 + 2 * i] = i + 1
segments = b"".join({"jfif": JFIF, "adobe": ADOBE}[w] for w in wanted.split("+") if w != "none")
open(target, "wb").write(data[:2] + segments + b"".join(parts) + rest)
PY
status=0
try() { # segments, names of the components, what comes out
    local said
    python3 with.py rgb.jpg "$1" "$2" tile.jpg
    said=$(root/usr/bin/djpeg -pnm tile.jpg | python3 -c '
import sys
r, g, b = sys.stdin.buffer.read()[-3:]
print("red" if abs(r - 200) < 6 and abs(g - 30) < 6 and abs(b - 60) < 6 else "another colour")')
    printf 'segments %-10s components %s: %s\n' "$1" "$2" "$said"
    [ "$said" = "$3" ] || { echo "    it was: $3"; status=1; }
}
echo "libjpeg-turbo $version"
try adobe 123 red
try none RGB red
try none 123 'another colour'
try jfif+adobe 123 'another colour'
try adobe+jfif 123 'another colour'
try jfif+adobe RGB 'another colour'
exit $status
