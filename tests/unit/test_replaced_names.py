"""Tests hand in what a function needs, and replace no name of the program behind its back.

What may be replaced: a constant, to make a limit small or to move a path, and the standard library where the
program meets it. What else is replaced stands here, with its reason.
"""

import ast
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

UNIT = Path(__file__).parent
OURS = ("kubectl_admin", "tests")
TIME = ("monotonic", "sleep")  # the module's own: a Clock is handed in instead
# By the file and the name, with the reason.
ALLOWED = {
    ("cluster/test_hostile.py", "_received"): "a silence between two messages, while nobody listens",
    ("cluster/test_limits.py", "_readable_while_sending"): "a system whose buffers take nothing more",
    ("interrupted.py", "_come_again"): "a signal comes again at the next moment, not a little later",
    ("interrupted.py", "_ending"): "this process has one of them, and each run begins with a new one",
    ("lab/test_network.py", "_ip"): "this machine's network is not touched",
    ("lab/test_network.py", "_links"): "likewise",
    ("lab/test_network.py", "_used"): "likewise",
    ("test_part_file.py", "machine"): "another machine that shares the file system",
}


def replaced(text: str) -> Iterator[tuple[str, Any]]:
    """The name of each attribute that a test file replaces, and whose: None for what a test has made."""
    nodes = list(ast.walk(ast.parse(text)))
    imported = {
        each.asname or each.name: (node.module or "", each.name)
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }
    for node in nodes:
        match node:
            case ast.Call(ast.Attribute(_, "setattr"), [ast.Constant(str(whole)), _]):
                module, _, name = whole.rpartition(".")
                yield name, importlib.import_module(module) if module.startswith(OURS) else None
            case ast.Call(ast.Attribute(_, "setattr"), [whose, ast.Constant(str(name)), _]):
                yield name, found(whose, imported)


def found(expression: ast.expr, imported: Mapping[str, tuple[str, str]]) -> Any:
    """The object of ours that an expression names; None where it names no other."""
    match expression:
        case ast.Name(name) if imported.get(name, ("", ""))[0].startswith(OURS):
            module, name = imported[name]
            package = importlib.import_module(module)
            return getattr(package, name, None) or importlib.import_module(f"{module}.{name}")
        case ast.Attribute(whose, name):
            return getattr(found(whose, imported), name, None)
    return None


def is_private(name: str) -> bool:
    """Whether nobody but whoever has made a thing is to know this name of it."""
    return name.startswith("_") and not name.startswith("__")


def is_ours(thing: Any) -> bool:
    """Whether a module or a class is this project's."""
    named = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None) or ""
    return named.partition(".")[0] in OURS


def is_wrong(name: str, whose: Any) -> bool:
    """Whether it takes a reason to replace this name."""
    return is_private(name) or name in TIME or (is_ours(whose) and not name.isupper())


def test_no_name_of_the_program_is_replaced():
    texts = {str(path.relative_to(UNIT)): path.read_text() for path in UNIT.rglob("*.py")}
    names = {
        (file, name)
        for file, text in texts.items()
        if "setattr" in text
        for name, whose in replaced(text)
        if is_wrong(name, whose)
    }
    assert names == ALLOWED.keys(), "hand it in as an argument (CONTRIBUTING.md, «Tests»)"


def test_what_is_replaced_is_known_by_whose_it_is():
    text = """
from kubectl_admin import part_file
from kubectl_admin.cluster import access
from kubectl_admin.node.host import Host
def test(monkeypatch):
    monkeypatch.setattr(access, "missing", None)
    monkeypatch.setattr("kubectl_admin.cluster.access.user", None)
    monkeypatch.setattr(Host, "run", None)
    monkeypatch.setattr(access, "REVIEW_TIMEOUT", None)
    monkeypatch.setattr(part_file.os, "link", None)
    monkeypatch.setattr(made, "list", None)
    monkeypatch.setattr(made, "_list", None)
    monkeypatch.setattr(time, "sleep", None)
"""
    wrong = [name for name, whose in replaced(text) if is_wrong(name, whose)]
    assert wrong == ["missing", "user", "run", "_list", "sleep"]
