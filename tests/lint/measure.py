"""The figures of measure.sh and how each is taken. All of them are about the product: C files and headers of base,
storage, media, viewer, consult and signaling, without what is generated.

functions      definitions, static inline ones included; a function's length is from its name's line to its brace's.
files          C files and headers, in lines.
members        of a struct: what has a name in it, structs and unions written inside it and their members included
               (to nest is no way round the limit).
prototypes     of a header: function declarations without a body.
letters        parameters whose name is one letter: of definitions, and on a line of their own of the prototypes in
               headers, which are what is read first.
two types      a letter which, as a parameter or local variable of one file, stands for two types of which one at
               least is not arithmetic. Arithmetic are the integer and floating types, typedefs of such and pointers
               to such: n may be a size_t here and an int or a size_t * to be filled there, so that counters and
               short arithmetic are free. char *, uint8_t * and void * are texts, bytes and anything: three types. How many stars stand
               behind a type makes no other one, nor do const and the like; an array is its pointer.
defined twice  a struct, union, enum or typedef of one name in two places with two different texts. A typedef which
               only names the struct of its own name defines nothing. A name in tests or bench counts when the product
               has it, too, and it begins with cn_, as the product's do.
not reached    functions that a header which is not private declares and that no main() of the product reaches: tests
               alone do, or bench, or nobody. A function reaches what its text names, if the symbols of its object
               agree (nm); tables and macros, which stand outside every function, count as reached.
circles        circles.py, modules that stand in one.
"""
import argparse
import collections
import pathlib
import os
import re
import sys

import circles
import house

LIMIT = {"longest_function": 45, "longest_file": 1000, "cn_peer_members": 30, "most_prototypes": 40,
         "single_letter_percent": 10, "header_single_letter_percent": 10,
         "letters_of_two_types": 0, "types_defined_twice": 0, "not_reached": 0, "modules_in_circles": 0}
SHORT = 50

ARITHMETIC = re.compile(r"(?:(?:unsigned|signed|long|short|int|char|double|float)\b ?)+"
                        r"|_?[Bb]ool|u?int(?:_fast|_least)?(?:8|16|32|64|max|ptr)_t|s?size_t|off_t|time_t|pid_t|uid_t"
                        r"|gid_t|mode_t|socklen_t|ptrdiff_t|clockid_t|(?:unsigned )?__int128|in_addr_t|in_port_t|sa_family_t"
                        r"|g(?:u?int(?:8|16|32|64)?|u?long|u?short|u?char|s?size|boolean|double|float|unichar)")
QUALIFIER = re.compile(r"\b(?:const|volatile|restrict|static|register|_Atomic|struct|union|enum|extern|inline)\b")
ALIAS = {"unsigned char": "uint8_t", "unsigned short": "uint16_t", "unsigned": "unsigned int", "unsigned long": "size_t",
         "unsigned long long": "uint64_t", "long long": "int64_t"}


class Figures:
    def __init__(self):
        self.lines = []  # (name, words, value, limit, offenders)
        self.notes = []

    def add(self, name, words, value, offenders=(), unit=""):
        self.lines.append((name, words, value, LIMIT.get(name), list(offenders), unit))

    def tell(self, plain):
        broken = [line for line in self.lines if line[3] is not None and line[2] > line[3]]
        if plain:
            for name, _, value, limit, _, _ in self.lines:
                print(name, number(value), "-" if limit is None else limit)
            return bool(broken)
        wide = max(len(line[1]) for line in self.lines)
        print(f"{'':{wide}}  {'now':>7}    limit")
        for line in self.lines:
            name, words, value, limit, _, unit = line
            print(f"{words:{wide}}  {number(value):>7}{unit:2}  {'' if limit is None else limit:>5}{'   beyond' if line in broken else ''}")
        for note in self.notes:
            print(note)
        for name, words, value, limit, offenders, _ in broken:
            print(f"\n{words}: {number(value)}, at most {limit}")
            for offender in offenders:
                print("  " + offender)
        return bool(broken)


def number(value):
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def where(tag):
    return f"{tag['path']}:{tag['line']}"


def nameless(tag):
    return tag["name"].startswith("__anon")


def sizes(root, files, tags, figures):
    functions = sorted(((tag["end"] - tag["line"] + 1, where(tag), tag["name"]) for tag in tags
                        if tag["kind"] == "function" and "end" in tag), reverse=True)
    figures.add("functions", "functions", len(functions))
    short = sum(1 for lines, _, _ in functions if lines < SHORT)
    figures.add("short_percent", f"functions under {SHORT} lines", 100.0 * short / max(1, len(functions)), unit=" %")
    figures.add("longest_function", "longest function, lines", functions[0][0] if functions else 0,
                [f"{place}: {name} has {lines} lines" for lines, place, name in functions
                 if lines > LIMIT["longest_function"]])
    long = sorted(((house.read(root, path).count("\n"), path) for path in files), reverse=True)
    figures.add("files", "files", len(files))
    figures.add("longest_file", "longest file, lines", long[0][0] if long else 0,
                [f"{path}: {lines} lines" for lines, path in long if lines > LIMIT["longest_file"]])


def members(tags, figures):
    place, named, count = {}, {}, collections.Counter()
    for tag in tags:
        if tag["kind"] in ("struct", "union") and "scope" not in tag:
            place[tag["path"], tag["name"]] = tag
        if tag["kind"] == "typedef" and ":__anon" in tag.get("typeref", ""):
            named[tag["path"], tag["typeref"].split(":", 1)[1]] = tag["name"]
        if tag["kind"] == "member" and "scope" in tag:
            count[tag["path"], tag["scope"].split("::")[0]] += 1
    structs = [(number, f"{path}:{place[path, scope]['line']}", named.get((path, scope), scope))
               for (path, scope), number in count.items()
               if (path, scope) in place and place[path, scope]["kind"] == "struct"]
    structs.sort(key=lambda found: (-found[0], found[1]))
    figures.add("structs", "structs", len(structs))
    figures.add("most_members", "largest struct, members", structs[0][0] if structs else 0)
    peers = [found for found in structs if found[2] == "cn_peer"]
    figures.add("cn_peer_members", "cn_peer, members", peers[0][0] if peers else 0,
                [f"{at}: {name} has {number} members" for number, at, name in peers])
    figures.notes.append("largest structs: " + ", ".join(f"{name} {number} ({at})" for number, at, name in structs[:5]))


def prototypes(tags, figures):
    count = collections.Counter(tag["path"] for tag in tags if tag["kind"] == "prototype" and tag["path"].endswith(".h"))
    most = count.most_common()
    figures.add("most_prototypes", "prototypes of a header", most[0][1] if most else 0,
                [f"{path}: {number} prototypes" for path, number in most if number > LIMIT["most_prototypes"]])
    figures.notes.append("most prototypes: " + ", ".join(f"{path} {number}" for path, number in most[:5]))


def parameters(tags, figures):
    for kind, name, words in (("function", "", "parameters"), ("prototype", "header_", "parameters in headers' prototypes")):
        every = [tag for tag in tags if tag["kind"] == "parameter" and tag.get("scopeKind") == kind and not nameless(tag)
                 and (kind == "function" or tag["path"].endswith(".h"))]
        single = [tag for tag in every if len(tag["name"]) == 1]
        by_file = collections.Counter(tag["path"] for tag in single).most_common()
        figures.add(f"{name}parameters", words, len(every))
        figures.add(f"{name}single_letters", "  of one letter", len(single))
        figures.add(f"{name}single_letter_percent", f"{words}, share of one letter", 100.0 * len(single) / max(1, len(every)),
                    [f"{path}: {number}" for path, number in by_file[:20]] +
                    ([f"and {len(by_file) - 20} more files"] if len(by_file) > 20 else []), unit=" %")
        if kind == "function":
            letters = collections.Counter(tag["name"] for tag in single).most_common(8)
            figures.notes.append("commonest letters: " + ", ".join(f"{letter} {number}" for letter, number in letters))


BYTES = ("char", "uint8_t", "void", "signed char", "int8_t")


def plain_type(text, typedefs):
    """The type as one word to compare, and whether it is arithmetic; None for what ctags took for a declaration."""
    text = text.split(":", 1)[-1] if text.startswith(("typename:", "struct:", "union:", "enum:")) else text
    text = re.sub(r"\bCN_[A-Z0-9_]+\b", " ", QUALIFIER.sub(" ", text))  # CN_AUTO_BUF and its like are attributes
    if "(" in text:
        return (" ".join(text.split()), False) if "(*" in text.replace(" ", "") else None
    stars = text.count("*") + text.count("[")
    base = " ".join(re.sub(r"\[[^]]*\]|\*", " ", text).split())
    base = typedefs.get(base, base)
    base = ALIAS.get(base, base)
    if base in BYTES and stars:
        return base + " *", False
    return base, bool(ARITHMETIC.fullmatch(base))


def letters(tags, figures):
    typedefs = {}
    for tag in tags:
        target = QUALIFIER.sub(" ", tag.get("typeref", "").split(":", 1)[-1]).strip()
        if tag["kind"] == "typedef" and ARITHMETIC.fullmatch(target):
            typedefs[tag["name"]] = target
    stands = collections.defaultdict(dict)
    for tag in tags:
        if tag["kind"] in ("parameter", "local") and tag.get("scopeKind") == "function" and len(tag["name"]) == 1 and "typeref" in tag:
            found = plain_type(tag["typeref"], typedefs)
            if found:
                stands[tag["path"], tag["name"]].setdefault(found[0], (tag["line"], found[1]))
    offenders = []
    for (path, letter), kinds in sorted(stands.items()):
        if len(kinds) < 2 or all(arithmetic for _, arithmetic in kinds.values()):
            continue
        said = ", ".join(f"{kind} (line {line})" for kind, (line, _) in sorted(kinds.items(), key=lambda kind: kind[1][0]))
        offenders.append(f"{path}: {letter} is {said}")
    figures.add("letters_of_two_types", "letters for two types in a file", len(offenders), offenders)


def text_of(root, tag, cache):
    lines = cache.setdefault(tag["path"], house.code_of(house.read(root, tag["path"])).split("\n"))
    text = " ".join(lines[tag["line"] - 1 : tag.get("end", tag["line"])])
    return " ".join(text.split())


def twice(root, tags, figures):
    own = {tag["name"] for tag in tags if tag["kind"] in ("struct", "union", "enum", "typedef")}
    others = house.listed(root, "tests/*.c", "tests/*.h", "bench/*.c", "bench/*.h")
    tags = tags + [tag for tag in house.tags(root, others)
                   if nameless(tag) or tag["name"].startswith("cn_") and tag["name"] in own]
    nested = {(tag["path"], tag["name"]): tag for tag in tags if nameless(tag) and tag["kind"] in ("struct", "union", "enum")}
    cache, defined = {}, collections.defaultdict(list)
    for tag in tags:
        if "scope" in tag or nameless(tag):
            continue
        if tag["kind"] in ("struct", "union", "enum"):
            defined[tag["name"]].append((where(tag), text_of(root, tag, cache)))
        elif tag["kind"] == "typedef":
            target = tag.get("typeref", "")
            if target in (f"struct:{tag['name']}", f"union:{tag['name']}", f"enum:{tag['name']}"):
                continue
            # a type written inside its typedef ends on the typedef's line: its text is what differs
            inner = nested.get((tag["path"], target.split(":", 1)[-1]), tag)
            defined[tag["name"]].append((where(tag), text_of(root, inner, cache)))
    offenders = []
    for name, places in sorted(defined.items()):
        if len({text for _, text in places}) > 1:
            offenders.append(f"{name}: {', '.join(place for place, _ in places)}")
    figures.add("types_defined_twice", "types defined twice", len(offenders), offenders)


WORD = re.compile(r"[A-Za-z_]\w*")


class Reach:
    """Who names whom: a function is (file, name)."""

    def __init__(self, root, files, tags, build):
        self.build, self.names = build, collections.defaultdict(set)  # owner → words; owner None is a file's rest
        # C++ is not read function by function: what it names is reached
        self.foreign = set().union(*(WORD.findall(text.read_text()) for text in pathlib.Path(root).glob("viewer/**/*.cc")))
        self.place, self.everywhere, self.declared = {}, {}, {}
        bodies, skipped = collections.defaultdict(list), collections.defaultdict(set)
        for tag in tags:
            if tag["kind"] == "function" and "end" in tag:
                bodies[tag["path"]].append((tag["line"], tag["end"], tag["name"]))
                self.place[tag["path"], tag["name"]] = tag["line"]
                if tag["path"].endswith(".h") or tag["name"] in build.defines.get(tag["path"], ()):
                    self.everywhere[tag["name"]] = tag["path"]
            elif tag["kind"] == "prototype":
                skipped[tag["path"]].update(range(tag["line"], tag.get("end", tag["line"]) + 1))
                if tag["path"].endswith(".h"):
                    self.declared.setdefault(tag["name"], []).append(where(tag))
        for path in files:
            owner = {}
            for first, last, name in bodies[path]:
                owner.update((line, name) for line in range(first, last + 1))
            for line, text in enumerate(house.code_of(house.read(root, path)).split("\n"), 1):
                if line not in skipped[path] or line in owner:
                    self.names[path, owner.get(line)].update(WORD.findall(text))

    def next_of(self, path, name):
        for word in self.names.get((path, name), ()):
            if (path, word) in self.place:
                yield path, word
            elif word in self.everywhere:
                target = self.everywhere[word]
                if path.endswith(".h") or target.endswith(".h") or word in self.build.uses.get(path, ()):
                    yield target, word

    def alive(self):
        todo = [at for at in self.place if at[1] == "main"] + [at for at in self.names if at[1] is None]
        todo += [(self.everywhere[word], word) for word in self.foreign if word in self.everywhere]
        said = collections.defaultdict(set)
        for (path, _), words in self.names.items():
            said[path] |= words
        for made, source in self.build.sources.items():  # what a macro put together, and what generated sources use
            words = set().union(*(said[part] for part in self.build.parts[made]), said[source])
            for symbol in self.build.uses.get(source, set()) - words:
                if symbol in self.everywhere:
                    todo.append((self.everywhere[symbol], symbol))
        seen = set(todo)
        while todo:
            for to in self.next_of(*todo.pop()):
                if to not in seen:
                    seen.add(to)
                    todo.append(to)
        return seen


def only_tests(root, files, tags, build, figures):
    reach = Reach(root, files, tags, build)
    alive = reach.alive()
    dead = {}
    for (path, name), line in sorted(reach.place.items()):
        open_to = [place for place in reach.declared.get(name, ()) if not house.is_private(place.split(":")[0])]
        if (path, name) not in alive and open_to and reach.everywhere.get(name) == path:
            dead[name] = f"{open_to[0]}: {name} ({path}:{line})"
    users = collections.defaultdict(set)
    if dead:
        for path in house.listed(root, "tests/*.c", "tests/*.h", "bench/*.c", "bench/*.h"):
            for word in set(WORD.findall(house.code_of(house.read(root, path)))) & set(dead):
                users[word].add(path.split("/")[0])
    figures.add("not_reached", "functions the product does not reach", len(dead),
                [f"{text}; reached by {' and '.join(sorted(users[name])) or 'nobody'}" for name, text in dead.items()])


def main():
    parser = argparse.ArgumentParser(prog="measure.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--source", action="store_true", help="only what needs no build")
    parser.add_argument("--plain", action="store_true", help="name, value and limit, a line each")
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    parser.add_argument("--limit", action="append", default=[], metavar="NAME=VALUE", help="another limit, by --plain's name")
    asked = parser.parse_args()
    for name, _, value in (given.partition("=") for given in asked.limit):
        if name not in LIMIT or not value.isdigit():
            house.refuse(f"--limit {name}={value}: the names are {' '.join(LIMIT)}")
        LIMIT[name] = int(value)
    files = house.product_files(asked.root)
    tags = house.tags(asked.root, files)
    figures = Figures()
    sizes(asked.root, files, tags, figures)
    members(tags, figures)
    prototypes(tags, figures)
    parameters(tags, figures)
    letters(tags, figures)
    twice(asked.root, tags, figures)
    if not asked.source:
        build = house.Build(asked.root, os.path.join(asked.root, asked.build), files)
        only_tests(asked.root, files, tags, build, figures)
        rings, _, count = circles.measure(asked.root, build, files)
        figures.add("modules", "modules", count)
        for kind, words in (("include", "circles of includes"), ("call", "circles of calls"), ("both", "circles of both")):
            figures.add("circles" if kind == "both" else f"{kind}_circles", words, len(rings[kind]))
        figures.add("modules_in_circles", "modules in circles", sum(map(len, rings["both"])),
                    [" ".join(ring) for ring in rings["both"]] + ["circles.py says by which arrows"])
    return figures.tell(asked.plain)


if __name__ == "__main__":
    sys.exit(main())
