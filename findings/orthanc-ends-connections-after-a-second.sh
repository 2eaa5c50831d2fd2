#!/usr/bin/env bash
# Orthanc 1.10.1 of Debian 12 as a DICOMweb peer: connections that are used again.
#
# Expected: an HTTP server keeps a connection for some tens of seconds between two requests, and as many of them open as clients like, at no cost to others.
# What happens: a connection is ended one second after its answer ("Keep-Alive: timeout=1" is meant); a client that uses it later is closed without an answer.
# While it is open it holds one of HttpThreadsCount threads (50 by default): with two threads and two connections that were just answered, a third client
# waits until one of them is ended.
# Why it matters here: a pool of open connections, as HTTP clients and benches have it, loses requests beside Orthanc and slows everybody who comes then. A push of
# ours to it makes its connection anew after a pause and sends again what a closed one swallowed; a bench sets HttpThreadsCount above its connections.
#
# Fetches the pinned Debian package with all that it needs (apt-get, download only) into a temporary folder and installs nothing. Orthanc listens on every
# address: it runs in a network namespace of its own. Needs Debian 12, python3 and root (or user namespaces).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=1.10.1+dfsg-2+deb12u1
mkdir -p archives/partial root && : >status
apt-get -qq -y --no-install-recommends -o Dir::State::status="$folder/status" -o Dir::Cache::archives="$folder/archives" -o Debug::NoLocking=1 \
    --download-only install "orthanc=$version" >log 2>&1 || { tail -3 log; exit 1; }
rm -f archives/libc6_*
for package in archives/*.deb; do dpkg -x "$package" root; done
cat >orthanc.json <<JSON
{"HttpPort": 18042, "DicomServerEnabled": false, "AuthenticationEnabled": false, "RemoteAccessAllowed": true, "HttpThreadsCount": 2,
 "StorageDirectory": "$folder/store", "IndexDirectory": "$folder/store", "Plugins": []}
JSON
cat >try.py <<'PY'
import socket, time
ASK = b"GET /system HTTP/1.1\r\nHost: a\r\n\r\n"

def connect():
    for _ in range(100):
        try:
            one = socket.create_connection(("127.0.0.1", 18042))
            one.settimeout(60)
            return one
        except OSError:
            time.sleep(0.1)

def ask(one):
    """The seconds until an answer begins; None: closed without one."""
    begun = time.monotonic()
    try:
        one.sendall(ASK)
        return time.monotonic() - begun if one.recv(4096) else None
    except OSError:
        return None

def rest(one):
    one.settimeout(0.2)
    try:
        while one.recv(65536):
            pass
    except OSError:
        pass
    one.settimeout(60)

for pause in (0.3, 2.5):
    one = connect()
    assert ask(one) is not None
    rest(one)
    time.sleep(pause)
    print(f"the same connection after {pause} s:", "an answer" if ask(one) is not None else "closed without an answer")
    one.close()
time.sleep(1.5)
answered = [connect() for _ in range(2)]
for one in answered:
    ask(one)
took = ask(connect())
print("beside two that were just answered, two threads:", "at once" if took < 0.4 else "after a second" if took < 3 else f"after {took:.0f} s")
PY
cat >inside.sh <<'SH'
ip link set lo up
LD_LIBRARY_PATH="$1" root/usr/sbin/Orthanc orthanc.json >orthanc.log 2>&1 &
server=$!
python3 try.py || true
kill "$server" 2>/dev/null
wait "$server" 2>/dev/null || true
SH
echo "orthanc $version"
own=$folder/root/usr/lib/$(uname -m)-linux-gnu
said=$(if [ "$(id -u)" = 0 ]; then unshare -n bash inside.sh "$own"; else unshare -rn bash inside.sh "$own"; fi)
printf '%s\n' "$said"
[ "$said" = 'the same connection after 0.3 s: an answer
the same connection after 2.5 s: closed without an answer
beside two that were just answered, two threads: after a second' ] || { echo "    this has changed"; tail -3 orthanc.log; exit 1; }
