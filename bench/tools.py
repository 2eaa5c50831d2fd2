"""What bench/run and bench/grow share: starting the programs and reading what they print."""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIRST = os.path.join(ROOT, "bench/first.sh")
LOAD = "build/release/bench/bench-load"
FLOOR = "build/release/bench/bench-floor"
JANUS = "bench/janus/serve.sh"
PROGRAMS = "consilium consilium-decoder consilium-dicom consilium-printer consilium-painter consilium-unpacker consilium-ecg consilium-demo-slide consilium-demo-dicom consilium-demo-ecg bench-load bench-floor bench-impair-relay bench-tiles"
commands = []


def run(arguments, seconds, first=True):
    """The standard output of a command, "" when it failed or took longer; what it says goes to standard error."""
    commands.append(re.sub(r"/tmp/tmp\w+/", "", " ".join(arguments)))
    print(f"  {commands[-1]}", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(([FIRST] if first else []) + arguments, cwd=ROOT, stdout=subprocess.PIPE, timeout=seconds, text=True)
    except subprocess.TimeoutExpired:
        print(f"  not done after {seconds} s", file=sys.stderr)
        return ""
    return done.stdout


def run_json(arguments, seconds, first=True):
    """The last line as an object, with the command that printed it; None when there is none."""
    text = run(arguments, seconds, first).strip()
    try:
        out = json.loads(text.splitlines()[-1])
    except (IndexError, ValueError):
        return None
    out["command"] = " ".join(arguments)
    return out


def load(*arguments, seconds=120):
    return run_json([LOAD, "--json", *map(str, arguments)], seconds)


def build(tiles=False):
    """What the benches start, as ./run and ./check build it; for the group tiles also the servers that it is measured beside."""
    script = f". cmake/setup.sh; need_packages $PACKAGES_RUN janus {'$PACKAGES_BENCH' if tiles else ''} && build_program release {PROGRAMS}"
    return subprocess.run(["bash", "-c", script], cwd=ROOT, stdout=sys.stderr).returncode == 0


def build_before(commit):
    """The server of another commit, built beside; None when it cannot be."""
    folder = os.path.join(ROOT, "build/before", commit)
    script = """
        git worktree prune
        [ -d "$1" ] || git worktree add --detach "$1" "$2" || exit 1
        cd "$1" && . cmake/setup.sh && build_program release consilium consilium-decoder consilium-printer
    """
    done = subprocess.run(["bash", "-c", script, "bash", folder, commit], cwd=ROOT, stdout=sys.stderr)
    program = os.path.join(folder, "build/release/consilium")
    return program if done.returncode == 0 and os.path.exists(program) else None


def lossless(r):
    return r is not None and all(r[k] == 0 for k in ("lost", "duplicates", "disordered", "corrupt", "undecryptable", "skipped"))
