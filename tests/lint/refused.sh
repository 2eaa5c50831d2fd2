#!/usr/bin/env bash
# tests/lint/refused.sh [BUILD]: an include upward within a folder does not build. For each part that the build declares (cn_part in CMakeLists.txt)
# compiles, with the very command of one of the part's sources, a file that includes a header of each other part of its folder: those that
# the part needs are found, every other one is refused. BUILD is a configured build folder; without it one is configured for the purpose.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${1:-}
if [ -z "$build" ]; then
    build=$work/build
    cmake -G Ninja -S . -B "$build" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; exit 1; }
fi
python3 - "$build" "$work" <<'PY'
import collections, glob, json, os, re, shlex, subprocess, sys

build, work = sys.argv[1], sys.argv[2]
top = os.getcwd()
part_of = re.compile(r"CMakeFiles/cn_part_(\w+)\.dir/")
commands = {}  # part → the compiler's call for one of its sources
headers = collections.defaultdict(set)  # part → its headers, as they are included
for entry in json.load(open(os.path.join(build, "compile_commands.json"))):
    found = part_of.search(entry["command"])
    if not found:
        continue
    part = found.group(1)
    commands.setdefault(part, (entry["directory"], shlex.split(entry["command"]), entry["file"]))
for part in commands:
    view = os.path.join(build, "include", part)
    for each in glob.glob(os.path.join(view, "*", "*.h")) + glob.glob(os.path.join(view, "*", "*", "*.h")):
        headers[part].add(os.path.relpath(each, view))


def views(command):
    return {os.path.basename(each[2:]) for each in command if each.startswith("-I")}


def builds(part, header):
    """Whether a source of PART that includes HEADER gets past the preprocessor."""
    directory, command, source = commands[part]
    tried = os.path.join(work, "tried.c")
    with open(tried, "w") as file:
        file.write('#include "%s"\ntypedef int cn_tried;\n' % header)
    call = [tried if each == source else each for each in command]
    for flag in ("-o", "-MF", "-MT"):
        at = call.index(flag) if flag in call else -1
        if at >= 0:
            call[at + 1] = os.path.join(work, "tried.o")
    if os.path.basename(call[0]) == "ccache":
        call = call[1:]
    return subprocess.run(call + ["-E"], cwd=directory, capture_output=True).returncode == 0


passed = failed = 0
for part in sorted(commands):
    folder = part.split("_")[0]
    for other in sorted(commands):
        if other == part or other.split("_")[0] != folder or not headers[other]:
            continue
        wanted = other in views(commands[part][1])
        if builds(part, sorted(headers[other])[0]) == wanted:
            passed += 1
            continue
        failed += 1
        print("%s and %s: %s" % (part, other, "an include that its line allows is refused" if wanted else "an include upward builds"))
if passed + failed < 20:
    failed += 1
    print("only %d pairs of parts were tried: are the parts still declared?" % (passed + failed))
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed != 0)
PY
