"""All rules of the program, read from its source, and docs/rules.md, which lists them.

`python -m tests.rules_page` writes the page; tests/unit/test_docs.py holds it true.
"""

import ast
import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType

import kubectl_admin
from kubectl_admin.finding import Rule

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kubectl_admin"
PAGE = ROOT / "docs/rules.md"
SEVERITIES = ("violation", "warning", "note")
HEAD = """# Rules

Every rule that a finding can name, with the words of its finding. `rule` in `-o json` and `--allow RULE` of
[drain-upgrade](drain-upgrade.md) have these ids; one id is one rule. Only a violation ends a command with
exit code 3, unless `health --fail-on warning` is given.

This page is made of the program's own tables: `python -m tests.rules_page` writes it.
"""


@dataclass
class Use:
    """A rule, the modules that judge it, and the severities of its findings."""

    rule: Rule
    judges: set[str] = field(default_factory=set)
    severities: set[str] = field(default_factory=set)


@cache
def modules() -> dict[str, Path]:
    """The name and the file of each module of the program."""
    return {
        found.name: path / "__init__.py" if found.ispkg else path.with_suffix(".py")
        for found in pkgutil.walk_packages(kubectl_admin.__path__, "kubectl_admin.")
        if not found.name.endswith("__main__")
        for path in [ROOT / Path(*found.name.split("."))]
    }


def calls_of(name: str) -> Iterator[tuple[Path, ast.Call]]:
    """Each call of a function by this name, with its file."""
    for path in modules().values():
        text = path.read_text(encoding="utf-8")
        if name in text:  # most files are not worth a parser's time
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                    yield path, node


def rules_in(value: object) -> Iterator[Rule]:
    """The rules that a module's name stands for: one, or those of a table of them."""
    match value:
        case Rule():
            yield value
        case type() if issubclass(value, Enum):
            yield from (rule for each in value for rule in rules_in(each.value))
        case Mapping():
            yield from (rule for each in value.values() for rule in rules_in(each))
        case tuple() | list() | set() | frozenset():
            yield from (rule for each in value for rule in rules_in(each))


@cache
def collected() -> tuple[Rule, ...]:
    """All rules by id, each object once: two with one id are two."""
    rules = {
        id(rule): rule
        for name in modules()
        for value in vars(importlib.import_module(name)).values()
        for rule in rules_in(value)
    }
    return tuple(sorted(rules.values(), key=lambda rule: rule.id))


def judged() -> list[Use]:
    """The same with where each is judged, and how bad it is then."""
    uses = [Use(rule) for rule in collected()]
    by_object = {id(use.rule): use for use in uses}
    passed_on: dict[str, set[str]] = defaultdict(set)  # by room: severities of rules that come as arguments
    for name, path in modules().items():
        module, where = importlib.import_module(name), str(path.relative_to(PACKAGE))
        text = path.read_text(encoding="utf-8")
        if not may_judge(module, text):
            continue
        tree = ast.parse(text)
        if path.name != "rules.py":
            for node in ast.walk(tree):
                for rule in rules_in(meant(module, node)):
                    by_object[id(rule)].judges.add(where)
        for maker, words in findings_in(tree):
            named = [rule for part in ast.walk(maker) for rule in rules_in(meant(module, part))]
            for rule in named:
                by_object[id(rule)].severities |= words
            if not named and "rule" in ast.unparse(maker):
                passed_on[where.partition("/")[0]] |= words
    for use in uses:
        rooms = {judge.partition("/")[0] for judge in use.judges}
        use.severities = use.severities or set().union(*(passed_on[room] for room in rooms))
    return uses


def may_judge(module: ModuleType, text: str) -> bool:
    """Whether a module may speak of a rule: most do not, and are not worth a parser's time."""
    known = [module, *(each for each in vars(module).values() if isinstance(each, ModuleType))]
    return "rule" in text.lower() or any(map(holds_rules, known))


@cache
def holds_rules(module: ModuleType) -> bool:
    """Whether a name of a module stands for rules."""
    return any(True for value in vars(module).values() for _ in rules_in(value))


def findings_in(tree: ast.AST) -> Iterator[tuple[ast.expr, set[str]]]:
    """What stands before `.violation(…)` and its like, and the severities that it may come to there."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            chosen = {
                target.id: node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    if node.func.attr in SEVERITIES:
                        yield node.func.value, {node.func.attr}
                    elif node.func.attr == "finding":
                        maker = node.func.value
                        if isinstance(maker, ast.Name):  # «rule = ONE if … else ANOTHER», above
                            maker = chosen.get(maker.id, maker)
                        yield maker, named_in(node) or named_in(function) or {*SEVERITIES[:2]}


def named_in(node: ast.AST) -> set[str]:
    """The severities that a piece of code names."""
    return {word for word in SEVERITIES if f"Severity.{word.upper()}" in ast.unparse(node)}


def meant(module: object, node: ast.AST) -> object:
    """What a name of the module stands for; None where it is a matter of the run."""
    match node:
        case ast.Name(id=name):
            return getattr(module, name, None)
        case ast.Attribute(value=owner, attr=name):
            return getattr(meant(module, owner), name, None)
    return None


def page(uses: Iterable[Use]) -> str:
    """docs/rules.md."""
    rows = ["| rule | it wants | severity | judged in |", "|---|---|---|---|"]
    for use in uses:
        severity = " or ".join(each for each in SEVERITIES if each in use.severities)
        text = (
            f"[{use.rule.text}]({use.rule.source})" if use.rule.source.startswith("http") else use.rule.text
        )
        where = ", ".join(f"`{each}`" for each in sorted(use.judges))
        rows.append(f"| {use.rule.id} | {text} | {severity} | {where} |")
    return HEAD + "\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(judged()), encoding="utf-8")
