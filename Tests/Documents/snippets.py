#!/usr/bin/env python3
"""Whether each piece of Swift in the documents, articles and comments stands in code that is compiled.

usage: snippets.py [manifest NAME]     with `manifest` it prints the manifest of that package from the documents

A whole manifest is resolved by Tests/Packages/run, with the address of a clone in the place of the public one. The protocols that
README quotes are compared with their declarations, line by line. All else must stand in a source of Tests/Packages, as it is but
for its indentation; one that names its source in a comment before it, as the whole of that source.
"""

import pathlib
import re
import subprocess
import sys
import textwrap

here = pathlib.Path(__file__).resolve().parent
package = here.parent.parent
sys.path.insert(0, str(here.parent / "Support"))
import tally

# The fence's indentation, or the comment's slashes, are those of each line.
FENCE = re.compile(r"^([ ]*(?:///)?[ ]?)```swift\n(.*?)^[ ]*(?:///)?[ ]?```", re.S | re.M)


def pieces():
    """Each piece: file, line, what names its source, text."""
    names = subprocess.run(
        ["git", "-C", package, "grep", "-l", "```swift", "--", "README.md", "Docs", "Sources", "Examples", "CHANGELOG.md"],
        capture_output=True, text=True).stdout.split()
    for name in names:
        text = (package / name).read_text()
        for match in FENCE.finditer(text):
            lead = match[1].rstrip()
            lines = [line.removeprefix(match[1]) if line.startswith(match[1]) else line.removeprefix(lead) for line in match[2].splitlines()]
            mark = re.search(r"<!-- (\S+) -->\n\Z", text[: match.start()])
            yield name, text.count("\n", 0, match.start()) + 1, mark and mark[1], textwrap.dedent("\n".join(lines)).strip("\n")


def is_manifest(text):
    return text.startswith("// swift-tools-version")


def levelled(text):
    """The lines without the indentation that they have in common with the first."""
    lines = text.splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    return [line[indent:] if line[:indent].isspace() or not line[:indent] else None for line in lines]


def stands_in(piece, source):
    """Whether the lines stand there one after another, whatever their indentation. What it imports the source does, too."""
    imports = [line for line in piece.splitlines() if line.startswith("import ")]
    piece = "\n".join(line for line in piece.splitlines() if line not in imports).strip("\n")
    wanted, lines = levelled(piece), source.splitlines()
    if not set(imports) <= set(lines):
        return False
    for start, line in enumerate(lines):
        if line.strip() == wanted[0].strip() and levelled("\n".join(lines[start : start + len(wanted)])) == wanted:
            return True
    return False


def declared(piece):
    """Whether each line that is no brace stands in the declarations of the library, whatever else is between them."""
    sources = "\n".join(path.read_text() for path in (package / "Sources").rglob("*.swift"))
    lines = {line.strip() for line in sources.splitlines()}
    return all(line.strip() in lines or line.strip() in "{}" for line in piece.splitlines())


def main():
    if sys.argv[1:2] == ["manifest"]:
        print(next(text for _, _, _, text in pieces() if is_manifest(text) and f'name: "{sys.argv[2]}"' in text))
        return 0
    sources = {path: path.read_text() for path in (package / "Tests/Packages").rglob("*.swift") if ".build" not in path.parts}
    recipes = package / "Tests/Packages/Recipes"
    quoted = {mark for _, _, mark, _ in pieces()}
    for folder in "Sources", "Tests":
        for path in sorted((recipes / folder).rglob("*.swift")):
            tally.check(f"{path.relative_to(recipes)} is quoted", str(path.relative_to(recipes)) in quoted)
    for name, line, mark, text in pieces():
        place = f"{name}:{line}"
        if is_manifest(text):
            tally.check(f"{place}: a manifest that Tests/Packages/run resolves", re.search(r'name: "(\w+)"', text)[1] in ("camera", "viewer"))
        elif mark:
            path = recipes / mark
            tally.check(f"{place}: the whole of {mark}", path.is_file() and path.read_text().strip("\n") == text)
        elif text.startswith("public protocol"):
            tally.check(f"{place}: as it is declared", declared(text))
        else:
            tally.check(f"{place}: compiled", any(stands_in(text, source) for source in sources.values()), "it stands in no source of Tests/Packages")
    return tally.conclude("snippets of Swift: ")


if __name__ == "__main__":
    sys.exit(main())
