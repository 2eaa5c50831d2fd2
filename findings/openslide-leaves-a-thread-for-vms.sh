#!/usr/bin/env bash
# OpenSlide 3.4.1 of Debian 12 and Hamamatsu's VMS.
#
# Expected: a library for reading slides works on the thread that calls it; a process that opened a slide has as many threads as before, for every format alike.
# What happens: a VMS starts a thread when it is opened and keeps it until the slide is closed (it looks for restart markers that the optimisation file
# lacks); a plain TIFF starts none.
# Why it matters here: a decoder forbids its process what it does not need before it opens a stranger's file. Where threads are forbidden too, GLib, which
# cannot tell its caller, ends the process: a VMS could be read in every test without the lock and in none with it. Threads are permitted,
# processes are not (viewer/decoder/lock), and nothing may be forked once a slide is open.
#
# Fetches pinned Debian packages with all that they need (apt-get, download only) into a temporary folder and installs nothing. Needs Debian 12 and python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
openslide=3.4.1+dfsg-6+deb12u1 jpeg=2.1.5-2
mkdir -p archives/partial root && : >status
apt-get -qq -y --no-install-recommends -o Dir::State::status="$folder/status" -o Dir::Cache::archives="$folder/archives" -o Debug::NoLocking=1 \
    --download-only install "libopenslide0=$openslide" "libjpeg-turbo-progs=1:$jpeg" >log 2>&1 || { tail -3 log; exit 1; }
rm -f archives/libc6_*
for package in archives/*.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$folder/root/usr/lib/$(uname -m)-linux-gnu

picture() { python3 -c "import sys; sys.stdout.buffer.write(b'P6 $1 $2 255\n' + bytes((200, 30, 60)) * ($1 * $2))"; }
mkdir vms
picture 512 256 | root/usr/bin/cjpeg -restart 8B >vms/image.jpg
picture 128 64 | root/usr/bin/cjpeg -restart 8B >vms/map.jpg
picture 128 64 | root/usr/bin/cjpeg >vms/macro.jpg
: >vms/image.opt
printf '%s\r\n' '[Virtual Microscope Specimen]' NoLayers=1 NoJpegColumns=1 NoJpegRows=1 ImageFile=image.jpg MapFile=map.jpg MacroImage=macro.jpg \
    OptimisationFile=image.opt AuthCode=0 SourceLens=20 PhysicalWidth=1000 PhysicalHeight=500 >vms/slide.vms

cat >try.py <<'PY'
import ctypes, os, struct, sys
side = 256
pixels = bytes((200, 30, 60)) * side * side
tags = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 3, 8), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, 3), (284, 3, 1, 1),
        (322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 16), (325, 4, 1, len(pixels))]
body = struct.pack("<4H", 8, 8, 8, 0) + pixels
directory = struct.pack("<H", len(tags))
for tag, kind, many, value in tags:
    directory += struct.pack("<HHI", tag, kind, many) + (struct.pack("<HH", value, 0) if kind == 3 and many == 1 else struct.pack("<I", value))
open("plain.tif", "wb").write(struct.pack("<2sHI", b"II", 42, 8 + len(body)) + body + directory + struct.pack("<I", 0))

library = ctypes.CDLL("libopenslide.so.0")
library.openslide_open.restype = ctypes.c_void_p
library.openslide_get_error.restype = library.openslide_detect_vendor.restype = ctypes.c_char_p
threads = lambda: len(os.listdir("/proc/self/task"))
for name in (b"plain.tif", b"vms/slide.vms"):
    before = threads()
    slide = ctypes.c_void_p(library.openslide_open(name))
    assert slide.value and library.openslide_get_error(slide) is None, library.openslide_get_error(slide)
    more = threads() - before
    library.openslide_close(slide)
    print(f"{library.openslide_detect_vendor(name).decode()}: {more} more while it is open, {threads() - before} after")
PY
echo "libopenslide0 $openslide"
said=$(python3 try.py)
printf '%s\n' "$said"
[ "$said" = 'generic-tiff: 0 more while it is open, 0 after
hamamatsu: 1 more while it is open, 0 after' ] || { echo "    this has changed"; exit 1; }
