#!/usr/bin/env bash
# OpenSlide 3.4.1 with libtiff 4.5.0, both of Debian 12: a generic tiled TIFF whose smallest level is less high than its tiles, without JPEG.
#
# Expected: a level is shown where it lies, whatever the height of its tiles; a tile that reaches below its level is cut.
# What happens: libtiff takes the tile's height for the level's and OpenSlide asks for the tile's lines: the picture stands lower by the difference, what was
# below is cut off, above it the pixels are no part of the slide. No error is set. A level of 150 lines in tiles of 256 begins at line 106, its last line shows line
# 43. Level 0 of the same file is right, and so is the small level where its height is a multiple of the tile's.
# Why it matters here: the small levels are what everybody sees first: the overview and the thumbnail are shifted against the slide, so a click on the
# overview leads to another place. Levels that are smaller than their tiles are read by libtiff block by block (viewer/decoder/sparse).
#
# Fetches pinned Debian packages with all that they need (apt-get, download only) into a temporary folder and installs nothing. Needs Debian 12 and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
openslide=3.4.1+dfsg-6+deb12u1 tiff=4.5.0-6+deb12u4
mkdir -p archives/partial root && : >status
apt-get -qq -y --no-install-recommends -o Dir::State::status="$folder/status" -o Dir::Cache::archives="$folder/archives" -o Debug::NoLocking=1 \
    --download-only install "libopenslide0=$openslide" "libtiff6=$tiff" >log 2>&1 || { tail -3 log; exit 1; }
rm -f archives/libc6_*
for package in archives/*.deb; do dpkg -x "$package" root; done

cat >try.py <<'PY'
import ctypes, struct, sys
TILE = 256

def level(out, width, height, scale, kind):
    """A level of uncompressed RGB tiles whose red is x and whose green is y of the level; gives where its directory is, and its link."""
    across, down = -(-width // TILE), -(-height // TILE)
    places = []
    for row in range(down):
        for column in range(across):
            places.append(len(out))
            for y in range(row * TILE, row * TILE + TILE):
                for x in range(column * TILE, column * TILE + TILE):
                    out += bytes((x * scale // 4 & 255, y * scale // 4 & 255, 7)) if x < width and y < height else b"\xff\xff\xff"
    count, size = len(places), TILE * TILE * 3
    at = len(out)
    out += struct.pack(f"<{count}I", *places) + struct.pack(f"<{count}I", *[size] * count) + struct.pack("<4H", 8, 8, 8, 0)
    tags = [(254, 4, 1, kind), (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, at + 8 * count), (259, 3, 1, 1), (262, 3, 1, 2),
            (277, 3, 1, 3), (284, 3, 1, 1), (322, 4, 1, TILE), (323, 4, 1, TILE),
            (324, 4, count, at if count > 1 else places[0]), (325, 4, count, at + 4 * count if count > 1 else size)]
    place = len(out)
    out += struct.pack("<H", len(tags))
    for tag, type_, many, value in tags:
        out += struct.pack("<HHI", tag, type_, many) + (struct.pack("<HH", value, 0) if type_ == 3 and many == 1 else struct.pack("<I", value))
    link = len(out)
    out += struct.pack("<I", 0)
    return place, link

def slide(name, levels):
    out, link = bytearray(struct.pack("<2sHI", b"II", 42, 0)), 4
    for number, (width, height, scale) in enumerate(levels):
        place, following = level(out, width, height, scale, 1 if number else 0)
        struct.pack_into("<I", out, link, place)
        link = following
    open(name, "wb").write(out)

library = ctypes.CDLL("libopenslide.so.0")
library.openslide_open.restype = ctypes.c_void_p
library.openslide_get_error.restype = ctypes.c_char_p

def last_line(name, number, width, height):
    """Which line of the picture stands on the level's last line (green is a quarter of it on level 0)."""
    handle = ctypes.c_void_p(library.openslide_open(name.encode()))
    pixels = (ctypes.c_uint32 * (width * height))()
    library.openslide_read_region(handle, pixels, ctypes.c_int64(0), ctypes.c_int64(0), number, ctypes.c_int64(width), ctypes.c_int64(height))
    error = library.openslide_get_error(handle)
    assert error is None, error
    green = pixels[height * width - 1] >> 8 & 255
    return f"line {height - 1} shows line {green if number else green * 4 + 3}"

slide("short.tif", [(1024, 600, 1), (256, 150, 4)])
slide("fits.tif", [(1024, 1024, 1), (256, 256, 4)])
print("tile 256, level 0 of 600 lines:", last_line("short.tif", 0, 1024, 600))
print("tile 256, level 1 of 150 lines:", last_line("short.tif", 1, 256, 150))
print("tile 256, level 1 of 256 lines:", last_line("fits.tif", 1, 256, 256))
PY
echo "libopenslide0 $openslide, libtiff6 $tiff"
said=$(LD_LIBRARY_PATH="$folder/root/usr/lib/$(uname -m)-linux-gnu" python3 try.py 2>warnings)
printf '%s\n' "$said"
[ "$said" = 'tile 256, level 0 of 600 lines: line 599 shows line 599
tile 256, level 1 of 150 lines: line 149 shows line 43
tile 256, level 1 of 256 lines: line 255 shows line 255' ] || { echo "    this has changed"; exit 1; }
