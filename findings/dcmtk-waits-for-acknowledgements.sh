#!/usr/bin/env bash
# DCMTK 3.6.7 of Debian 12, sending and taking images (storescu, storescp, and whatever else uses its dcmnet: Orthanc takes images by it, too).
#
# Expected: on one machine an association carries hundreds of small images a second.
# What happens: what is small goes out in two writes (the PDU's head, then the rest), and Nagle's algorithm is left on. The second write waits until the other
# side has acknowledged the first, which it puts off for 40 ms. So the acceptor's answer costs 40 ms an image, and a small image's own data another 40 ms.
# TCP_NODELAY=1 in the environment, which dcmnet reads, ends the wait of the side that has it; it has to be there on both.
# Why it matters here: a CT of 1,000 images takes 40 s longer than it has to, however near and fast both ends are. Our listener sets TCP_NODELAY on the
# connection; a PACS that is measured beside us is slow for this reason and not for its disk.
#
# Fetches the pinned Debian package with all that it needs (apt-get, download only) into a temporary folder and installs nothing. storescp listens on every
# address: it runs in a network namespace of its own. Needs Debian 12, python3 and root (or user namespaces).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=3.6.7-9~deb12u4
mkdir -p archives/partial root && : >status
apt-get -qq -y --no-install-recommends -o Dir::State::status="$folder/status" -o Dir::Cache::archives="$folder/archives" -o Debug::NoLocking=1 \
    --download-only install "dcmtk=$version" >log 2>&1 || { tail -3 log; exit 1; }
rm -f archives/libc6_*
for package in archives/*.deb; do dpkg -x "$package" root; done
cat >try.py <<'PY'
import os, socket, subprocess, time
COUNT = 30

def dump(number):
    return f"""(0008,0016) UI [1.2.840.10008.5.1.4.1.1.7]
(0008,0018) UI [1.2.3.4.{number + 1}]
(0008,0060) CS [OT]
(0010,0010) PN [Phantom]
(0020,000d) UI [1.2.3]
(0020,000e) UI [1.2.3.4]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US 4
(0028,0011) US 4
(0028,0100) US 8
(0028,0101) US 8
(0028,0102) US 7
(0028,0103) US 0
(7fe0,0010) OB 00\\01\\02\\03\\04\\05\\06\\07\\08\\09\\0a\\0b\\0c\\0d\\0e\\0f
"""

images = []
for i in range(COUNT):
    with open(f"{i}.dump", "w") as file:
        file.write(dump(i))
    subprocess.run(["dump2dcm", "+te", f"{i}.dump", f"{i}.dcm"], check=True)
    images.append(f"{i}.dcm")

def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False

def per_image(port, acceptor, sender):
    """Milliseconds, the least of three associations."""
    os.makedirs(f"in{port}")
    server = subprocess.Popen(["storescp", "-od", f"in{port}", str(port)], env={**os.environ, **acceptor}, stderr=subprocess.DEVNULL)
    try:
        while not listening(port):
            time.sleep(0.05)
        took = []
        for _ in range(3):
            begun = time.monotonic()
            subprocess.run(["storescu", "127.0.0.1", str(port), *images], env={**os.environ, **sender}, check=True)
            took.append((time.monotonic() - begun) * 1000 / COUNT)
        return min(took)
    finally:
        server.terminate()
        server.wait()

on = {"TCP_NODELAY": "1"}
none, sender = per_image(11112, {}, {}), per_image(11113, {}, on)
acceptor, both = per_image(11114, on, {}), per_image(11115, on, on)
print(f"an image of 16 bytes: {none:.0f} ms; with TCP_NODELAY=1 at the sender {sender:.0f} ms, at the acceptor {acceptor:.0f} ms, at both {both:.0f} ms")
assert none > 70 and 35 < sender < 70 and 35 < acceptor < 70, "the waits are others"
assert both < 20, "TCP_NODELAY=1 no longer helps"
PY
export PATH="$folder/root/usr/bin:$PATH" LD_LIBRARY_PATH="$folder/root/usr/lib/x86_64-linux-gnu:$folder/root/lib/x86_64-linux-gnu"
export DCMDICTPATH="$folder/root/usr/share/libdcmtk17/dicom.dic"
echo "dcmtk $version"
unshare -rn bash -c 'ip link set lo up && exec python3 try.py'
echo "as described"
