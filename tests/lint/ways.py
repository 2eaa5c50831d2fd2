#!/usr/bin/env python3
"""tests/lint/ways.py: the READMEs as maps. Prints file:line: what is wrong; the exit status is 1 when anything is.

1. The README of each product folder names every module of it, rooms below included (a room with a README of its own is
   that one's). Named means: x.c or x.h anywhere, or x as a word where names stand, which is inside `…`, in a table's
   first cell, and in a drawing on a line which names a room (`forward/  line fanout track`). `payload_{vp8,vp9}` names
   two; a glob names none. The name may bear its room (`wire/rtp`), and must where two rooms have a module of that name,
   unless the line or the heading above names the room (`wire/`).
   A private header (x_impl.h, x_private.h, x_state.h, x_parts.h) beside its x.c or x.h needs no name.
2. Every x.c, x.h, x.ts, x.vue and x.mjs named in such a README exists: from the root, from the README's folder, or, as a bare
   name, anywhere below it.
3. Every path/file.c:function in any README.md or docs/*.md names a function that the file defines (a header: or declares).
   The path begins at the root or in the README's folder.
4. What docs/security.md says that a test checks (`tests/x.mjs` "the name of a check", "another one") is a check of that file, and
   every file of tests which it names exists.
"""
import argparse
import collections
import os
import re
import sys

sys.dont_write_bytecode = True
import house

FILE = re.compile(r"(?<![\w./*{}-])([A-Za-z_][\w./-]*\.(?:c|h|ts|vue|mjs))\b(?![\w*/]|\.\w)")
REFERENCE = re.compile(r"(?<![\w./*-])([A-Za-z_][\w./-]*\.(?:c|h|ts|vue|mjs|js|py|sh)):([A-Za-z_]\w*)")
CHECKED = re.compile(r'`([\w./-]+\.(?:mjs|ts))`((?:,? ?"[^"]+")+)')
TESTS = re.compile(r"(?<![\w./-])((?:viewer/web/)?tests/[\w./-]*\w)")
BRACES = re.compile(r"([\w/-]*)\{([\w,]+)\}([\w-]*)")
WORD = re.compile(r"[A-Za-z_][\w/-]*")


def names_in(text):
    """(line number, words that stand where names stand, the whole line, the heading above) for every line."""
    fenced, heading = False, ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if not fenced and line.startswith("#"):
            heading = line
        drawn = fenced or line.startswith("    ")
        where = ([line] if re.search(r"(?<!\w)\w+/(?:\s|$)", line) else []) if drawn else re.findall(r"`([^`]*)`", line)
        if not fenced and line.startswith("|"):
            where.append(line.split("|")[1])
        said = " ".join(where)
        spread = BRACES.sub(lambda found: " ".join(found[1] + part + found[3] for part in found[2].split(",")), said)
        spread = re.sub(r"\S*\*\S*", " ", spread)
        words = set(WORD.findall(re.sub(r"\.[ch]\b", "", spread)))
        words.update(os.path.splitext(name)[0] for name in FILE.findall(line) if name.endswith((".c", ".h")))
        yield number, words, line, heading


def modules_below(files, readmes, folder):
    """Stems (path without ending) that the README of `folder` has to name."""
    stems = set()
    for path in files:
        at = os.path.dirname(path)
        while at != folder and at and at not in readmes:
            at = os.path.dirname(at)
        if at == folder and not (house.private_to(path, files) and not os.path.basename(path).startswith(("state.", "impl."))):
            stems.add(os.path.splitext(path)[0])
    return sorted(stems)


def map_of(root, folder, stems):
    """The stems that the README does not name."""
    count = collections.Counter(os.path.basename(stem) for stem in stems)
    lines = list(names_in(house.read(root, f"{folder}/README.md")))
    missing = []
    for stem in stems:
        inside = os.path.relpath(stem, folder)
        room, name = os.path.split(inside)
        ways = {inside, stem} | {inside[at:] for at in range(len(inside)) if inside[at - 1] == "/" and "/" in inside[at:]}
        last = os.path.basename(room) or os.path.basename(folder)
        here = re.compile(r"(?<!\w)" + re.escape(last) + r"/(?![\w*])")
        for _, words, line, heading in lines:
            if words & ways and ("/" in inside or count[name] == 1):
                break
            if name in words and (count[name] == 1 or here.search(line) or here.search(heading)):
                break
            if inside == name and name in words and not re.search(r"(?<!\w)[\w-]+/(?![\w*])", line + heading):
                break  # of the folder itself: no room is named there
        else:
            missing.append(inside)
    return missing


def exists(root, folder, name):
    if os.path.exists(os.path.join(root, name)) or os.path.exists(os.path.join(root, folder, name)):
        return True
    if "/" in name:
        return False
    return any(os.path.basename(path) == name for path in house.listed(root, f"{folder}/*"))


class Functions:
    """What each file defines, asked once a file."""

    def __init__(self, root):
        self.root, self.known = root, {}

    def has(self, path, name):
        if path not in self.known:
            if path.endswith((".c", ".h")):
                kinds = ("function", "prototype") if path.endswith(".h") else ("function",)
                self.known[path] = {tag["name"] for tag in house.tags(self.root, [path]) if tag["kind"] in kinds}
            else:
                self.known[path] = set(re.findall(r"\b([A-Za-z_]\w*)\s*(?:<[^>(]*>)?(?:\([^;]*?\)[^;{}]*\{|\(\)\s*\{|=|:)",
                                                  house.read(self.root, path)))
        return name in self.known[path]


def references(root, page, functions):
    wrong = []
    folder = os.path.dirname(page)
    for number, line in enumerate(house.read(root, page).split("\n"), 1):
        for path, name in REFERENCE.findall(line):
            found = [at for at in (path, os.path.normpath(os.path.join(folder, path))) if os.path.isfile(os.path.join(root, at))]
            if not found:
                wrong.append(f"{page}:{number}: {path}:{name}: no such file")
            elif not any(functions.has(at, name) for at in found):
                wrong.append(f"{page}:{number}: {path}:{name}: {found[0]} has no function of that name")
    return wrong


def checks(root, page):
    """What is said of tests by their words, and how often."""
    wrong, followed = [], 0
    for number, line in enumerate(house.read(root, page).split("\n"), 1):
        for path, names in CHECKED.findall(line):
            text = house.read(root, path) if os.path.isfile(os.path.join(root, path)) else ""
            for name in re.findall(r'"([^"]+)"', names):
                followed += 1
                if not re.search(r"(?:check|test|it)\(\s*(['\"`])" + re.escape(name) + r"\1", text):
                    wrong.append(f'{page}:{number}: {path}: no check "{name}"')
        wrong += [f"{page}:{number}: {path}: no such file" for path in TESTS.findall(line) if not os.path.exists(os.path.join(root, path))]
    return wrong, followed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    root = parser.parse_args().root
    files = set(house.product_files(root))
    pages = [path for path in house.listed(root, "*README.md", "docs/*.md")
             if os.path.basename(path) == "README.md" or path.startswith("docs/")]
    readmes = {os.path.dirname(path) for path in pages if os.path.basename(path) == "README.md"}
    wrong, named, followed = [], 0, 0
    for folder in sorted({path.split("/")[0] for path in files} | {at for at in readmes if at.split("/")[0] in house.PRODUCT}):
        if folder not in readmes:
            wrong.append(f"{folder}/README.md:1: missing: each folder of the product has its map")
            continue
        stems = modules_below(files, readmes, folder)
        named += len(stems)
        wrong += [f"{folder}/README.md:1: does not name the module {name}" for name in map_of(root, folder, stems)]
        for number, line in enumerate(house.read(root, f"{folder}/README.md").split("\n"), 1):
            wrong += [f"{folder}/README.md:{number}: {name}: no such file" for name in FILE.findall(line)
                      if not REFERENCE.match(line, line.find(name)) and not exists(root, folder, name)]
    functions = Functions(root)
    for page in pages:
        followed += len(REFERENCE.findall(house.read(root, page)))
        wrong += references(root, page, functions)
        if page == "docs/security.md":
            more, found = checks(root, page)
            wrong += more
            followed += found
    for line in wrong:
        print(line)
    print(f"ways: {named} modules to name, {followed} functions and checks referred to, {len(wrong)} wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
