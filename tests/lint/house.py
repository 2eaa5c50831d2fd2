"""What the scripts of tests/lint know about the tree: the product's files, its modules, what a file says beside its
comments, what ctags finds in it, and what the compiler left in a build folder. Standard library only."""
import json
import os
import re
import subprocess
import sys

PRODUCT = ("base", "storage", "media", "viewer", "consult", "signaling")
PRIVATE = ("_impl", "_private", "_state", "_parts")  # x_impl.h and its like: what the files of x share and nobody else


def refuse(text):
    """The measure itself cannot be taken: another exit status than a limit that is passed."""
    print(text, file=sys.stderr)
    sys.exit(2)


def run(*command, cwd=None, text=None):
    done = subprocess.run(command, cwd=cwd, input=text, capture_output=True, text=True)
    if done.returncode:
        refuse(f"{' '.join(command[:4])}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def listed(root, *patterns):
    """Files that git knows or would take, as they are on the disk now."""
    out = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns, cwd=root)
    return sorted({path for path in out.split("\0") if path and os.path.exists(os.path.join(root, path))})


def product_files(root):
    return [path for path in listed(root, "*.c", "*.h") if path.split("/")[0] in PRODUCT and "/" in path]


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


BLANKED = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_of(text):
    """The text without comments and literals; every line keeps its number."""
    return BLANKED.sub(lambda found: " " + "\n" * found.group().count("\n"), text)


def private_to(path, files):
    """The stem (folder/x) whose private header this is, or None. x_parts.h beside an x_parts.c is no private header;
    a bare state.h or impl.h belongs to the file that bears its folder's name (live/state.h to live/live)."""
    folder, name = os.path.split(path)
    stem, kind = os.path.splitext(name)
    if kind != ".h" or f"{folder}/{stem}.c" in files:
        return None
    if "_" + stem in PRIVATE:
        face = f"{folder}/{os.path.basename(folder)}"
        return face if f"{face}.c" in files or f"{face}.h" in files else None
    for ending in PRIVATE:
        if stem.endswith(ending):
            owner = f"{folder}/{stem[: -len(ending)]}"
            if f"{owner}.c" in files or f"{owner}.h" in files:
                return owner
    return None


def is_private(path):
    """By its name alone: a header that is not meant for others, whoever owns it."""
    stem = os.path.basename(path)[:-2]
    return stem.endswith(PRIVATE) or "_" + stem in PRIVATE


def tags(root, files):
    """ctags' findings: a list of dictionaries (name, path, line, end, kind, scope, scopeKind, typeref, signature)."""
    if not files:
        return []
    out = run("ctags", "-o", "-", "--output-format=json", "--languages=C", "--map-C=+.h", "--kinds-C=+lpz",
              "--fields=+neStKZ", "--fields-C=+{properties}", "-L", "-", cwd=root, text="\n".join(files) + "\n")
    found = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return [tag for tag in found if tag.get("_type") == "tag"]


class Build:
    """What the compiler wrote down: for every object of the product its source, what it was compiled from, what it
    defines and what it uses. Sources outside the folders of the product (generated tables) are users, never modules."""

    def __init__(self, root, folder, files):
        self.root = os.path.realpath(root)
        if not os.path.exists(os.path.join(folder, "build.ninja")):
            refuse(f"{folder}: no build here; configure and build it first")
        folder = os.path.realpath(folder)
        self.sources = {}  # object → source, as the tree names it
        self.parts = {}  # object → files of the tree it was compiled from
        files = set(files)
        real = {}
        objects = self.deps(folder)
        for made, came_from in objects.items():
            names = []
            for name in came_from:
                if name not in real:
                    real[name] = self.named(os.path.join(folder, name), folder)
                names.append(real[name])
            source = names[0] if names else None
            if source in files or (source or "").startswith("generated:"):
                self.sources[made] = source
                self.parts[made] = {name for name in names if name in files}
        missing = sorted({f for f in files if f.endswith(".c")} - set(self.sources.values()))
        if missing:
            refuse("not built: " + " ".join(missing) + f"; build {folder} first")
        for made, parts in self.parts.items():
            when = os.stat(os.path.join(folder, made)).st_mtime
            for part in parts:
                if os.stat(os.path.join(self.root, part)).st_mtime > when:
                    refuse(f"{part} is newer than {made}; build {folder} first")
        self.defines, self.uses = {}, {}  # source → symbols
        self.symbols(folder)

    @staticmethod
    def deps(folder):
        objects, made = {}, None
        for line in run("ninja", "-C", folder, "-t", "deps").splitlines():
            if line.startswith(" "):
                if made:
                    objects[made].append(line.strip())
            elif ": #deps " in line:
                made = line.split(": #deps ")[0]
                made = made if os.path.exists(os.path.join(folder, made)) else None
                if made:
                    objects[made] = []
        return objects

    def named(self, path, folder):
        path = os.path.realpath(path)
        if path.startswith(os.path.join(folder, "generated") + "/"):
            return "generated:" + os.path.basename(path)
        return os.path.relpath(path, self.root) if path.startswith(self.root + "/") else path

    def symbols(self, folder):
        made = sorted(self.sources)
        out = run("nm", "-A", "--format=posix", *made, cwd=folder)
        for line in out.splitlines():
            name, _, rest = line.partition(": ")
            source = self.sources[name]
            symbol, kind = rest.split()[:2]
            if kind in "Uwv":
                self.uses.setdefault(source, set()).add(symbol)
            elif kind.isupper():
                self.defines.setdefault(source, {})[symbol] = kind
