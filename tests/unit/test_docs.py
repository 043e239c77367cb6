"""The pages say what the program does: each test reads both, and names what one of them lacks."""

import ast
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import pytest

from kubectl_admin import cli
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.verb import global_options
from kubectl_admin.versions import policy
from kubectl_admin.versions import rules as versions_rules
from tests import rules_page
from tests.program import ROOT
from tests.unit.test_cli import commands

README = ROOT / "README.md"
PERMISSIONS = ROOT / "docs/permissions.md"
CHANGES = ROOT / "CHANGELOG.md"
SKEW = ROOT / "docs/skew.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
COMMANDS = dict(commands())
# What these return shows only warnings: a snapshot with a violation is an error.
WITHOUT_FINDINGS = {("etcd-snapshot",), ("version",), ("backup", "extract")}

each_command = pytest.mark.parametrize(
    "words", [pytest.param(words, id=" ".join(words)) for words in COMMANDS]
)
each_page = pytest.mark.parametrize(
    "page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES]
)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", text_of(page))


def shell_of(page: Path) -> str:
    """The blocks of code on a page that are for a shell."""
    blocks = FENCE.findall(text_of(page))
    return "\n".join(block for block in blocks if re.match(r" *```(sh|console)?$", block.partition("\n")[0]))


def headings_of(page: Path) -> list[str]:
    return re.findall(r"^#+ +(.+?) *$", prose_of(page), re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    count, anchors = Counter[str](), set[str]()
    for heading in headings_of(page):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        anchors.add(f"{anchor}-{count[anchor]}" if count[anchor] else anchor)
        count[anchor] += 1
    return anchors


def path_of(page: Path) -> str:
    """As messages name it."""
    return str(page.relative_to(ROOT))


def page_of(words: tuple[str, ...]) -> Path:
    """The page of a verb or subcommand: where its link in README's table leads."""
    rows = [line for line in text_of(README).splitlines() if line.startswith("|")]
    found = re.search(rf"\[{re.escape(' '.join(words))}\]\(([^)#]+)", "\n".join(rows))
    assert found, f"add a row to README's table of verbs: [{' '.join(words)}](docs/….md)"
    return ROOT / found[1]


@each_command
def test_every_verb_has_a_row_in_readme_and_a_page(words: tuple[str, ...]) -> None:
    page, line = page_of(words), f"kubectl admin {' '.join(words)}"
    assert page.is_file(), f"write the page {path_of(page)}, to which README's table of verbs links"
    assert line in text_of(page), f"add an example to {path_of(page)}: {line}"


@each_command
def test_every_verb_has_a_section_in_permissions(words: tuple[str, ...]) -> None:
    assert " ".join(words) in headings_of(PERMISSIONS), (
        f"add a section «## {' '.join(words)}» to docs/permissions.md, with its roles, or «None»"
    )


@each_command
def test_every_verb_has_a_line_in_the_changelog(words: tuple[str, ...]) -> None:
    assert re.search(rf"`(kubectl admin )?{' '.join(words)}[` ]", text_of(CHANGES)), (
        f"add a line with `{' '.join(words)}` to CHANGELOG.md, under «Unreleased»"
    )


def test_no_change_is_in_the_changelog_twice() -> None:
    """As a merge of two branches leaves it."""
    count = Counter(line for line in text_of(CHANGES).splitlines() if line.startswith("- "))
    twice = [line for line, times in count.items() if times > 1]
    assert twice == [], "remove one of each from CHANGELOG.md"


@each_command
def test_every_option_is_on_its_verbs_page(words: tuple[str, ...]) -> None:
    options = [param for param in COMMANDS[words].params if isinstance(param, click.Option)]
    lacking = options_not_on(page_of(words), [option for option in options if not option.hidden])
    assert lacking == [], f"name these options on {path_of(page_of(words))}"


def test_every_global_option_is_on_the_page_of_options() -> None:
    page = page_of(("options",))
    lacking = options_not_on(page, global_options(hidden=False))
    assert lacking == [], f"name these global options on {path_of(page)}"


def options_not_on(page: Path, options: Iterable[click.Option]) -> list[list[str]]:
    named = set(re.findall(r"(?<![\w-])--?\w[\w-]*", text_of(page)))
    return [option.opts for option in options if not named & {*option.opts}]


@each_command
def test_every_exit_code_is_on_its_verbs_page(words: tuple[str, ...]) -> None:
    """Every verb may fail or be used wrongly; one that returns its report may have findings."""
    found = re.findall(r"Exit codes?:(.*?)(?:\n\n|\Z)", text_of(page_of(words)), re.DOTALL)
    page = path_of(page_of(words))
    assert found, f"add a paragraph «Exit codes: …» to {page}"
    callback = COMMANDS[words].callback
    assert callback
    has_findings = callback.__annotations__.get("return") is not None and words not in WITHOUT_FINDINGS
    expected = {"1", "2"} | ({"0", "3"} if has_findings else set())
    lacking = expected - set(re.findall(r"\b\d\b", " ".join(found)))
    assert lacking == set(), (
        f"say on {page}, in «Exit codes: …», what these mean; a verb that returns its report and never has a "
        "violation in it belongs to WITHOUT_FINDINGS of this file, and has no exit code 3"
    )


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for target in LINK.findall(prose_of(page)):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        other = (page.parent / name).resolve() if name else page
        if not other.exists() or (anchor and anchor not in anchors_of(other)):
            lost.append(target)
    assert lost == [], f"mend these links of {path_of(page)}: no such file, or no such heading in it"


@each_page
def test_files_that_pages_name_exist(page: Path) -> None:
    """From the root of the repository or of the package, except those of the example verb `hello`."""
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|sh|json|yaml|cfg))`", prose_of(page))
    missing = {
        name
        for name in named
        if not (ROOT / name).exists()
        and not (rules_page.PACKAGE / name).exists()
        and "hello" not in name
        and not name.startswith("dist/")  # what a release makes
    }
    lost = {name for name in missing if not re.search(r"\b[A-Z]{3,}", name) and page != CHANGES}
    assert lost == set(), f"{path_of(page)} names files that do not exist"


def test_every_room_is_in_the_design() -> None:
    rooms = {each.parent.name for each in rules_page.PACKAGE.glob("*/*") if each.parent.name != "__pycache__"}
    rows = re.findall(r"^\| (`.*?) \|", text_of(ROOT / "docs/design.md"), re.MULTILINE)
    lacking = {room for room in rooms if f"`{room}/`" not in " ".join(rows)}
    assert lacking == set(), (
        "add a row for each of these rooms to the table «Rooms» of docs/design.md: | `ROOM/` | … |"
    )


@pytest.mark.parametrize(
    "room",
    [
        pytest.param(each.parent, id=str(each.parent.relative_to(ROOT)))
        for each in sorted(rules_page.PACKAGE.glob("*/**/__init__.py"))
        if each.parent.name != "verbs"  # any order will do
    ],
)
def test_every_room_gives_the_order_in_which_to_read_it(room: Path) -> None:
    order = ast.get_docstring(ast.parse(text_of(room / "__init__.py"))) or ""
    modules = {each.stem for each in room.glob("*.py")} | {
        each.parent.name for each in room.glob("*/__init__.py")
    }
    lacking = modules - {"__init__", *re.findall(r"\w+", order)}
    assert lacking == set(), f"name these modules in the reading order of {path_of(room)}/__init__.py"


def examples_in(text: str) -> Iterator[tuple[str, ...]]:
    """The command lines of this program in a text, as words, without what the shell does with them."""
    for line in text.replace("\\\n", " ").splitlines():
        found = re.match(r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*kubectl[ -]admin( .*)?$", line)
        if found:
            yield tuple(words_before_the_shells(found[1] or ""))


def words_before_the_shells(line: str) -> Iterator[str]:
    """The words up to a pipe, a redirection, or a comment."""
    reader = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    reader.whitespace_split = True
    for word in reader:
        if word[0] in "|&;<>":
            return
        yield word


def parse(words: Sequence[str], monkeypatch: pytest.MonkeyPatch, environment: Environment) -> None:
    """Parses a command line as the program does, and runs nothing."""
    monkeypatch.setattr(click.Command, "invoke", lambda _command, _ctx: None)
    try:
        with cli.program.make_context("admin", [*words], obj=environment) as context:
            cli.program.invoke(context)
    except click.exceptions.Exit:  # --help
        pass


EXAMPLES = [
    *((each, str(page.relative_to(ROOT))) for page in PAGES for each in examples_in(shell_of(page))),
    *(
        (each, " ".join(name))
        for name, command in COMMANDS.items()
        for each in examples_in(command.help or "")
    ),
]


def mentions_on(page: Path) -> Iterator[tuple[str, ...]]:
    """Command lines in a page's sentences, such as `kubectl admin drain`; they may lack their arguments."""
    for mention in re.findall(r"`kubectl admin ([^`]+)`", prose_of(page)):
        words = tuple(words_before_the_shells(" ".join(mention.split())))
        if not words[0].isupper():
            yield words


@pytest.mark.parametrize("where", dict.fromkeys(where for _, where in EXAMPLES))
def test_examples_are_right(where: str, monkeypatch: pytest.MonkeyPatch, environment: Environment) -> None:
    wrong = []
    for words in dict.fromkeys(words for words, there in EXAMPLES if there == where):
        try:
            parse(words, monkeypatch, environment)
        except click.ClickException as error:
            wrong.append(f"kubectl admin {shlex.join(words)}: {error.format_message()}")
    assert wrong == [], f"mend these examples of {where}"


@each_page
def test_command_lines_in_sentences_are_right(
    page: Path, monkeypatch: pytest.MonkeyPatch, environment: Environment
) -> None:
    for words in mentions_on(page):
        try:
            parse(words, monkeypatch, environment)
        except click.MissingParameter:
            continue
        except click.ClickException as error:
            pytest.fail(f"{path_of(page)}: kubectl admin {shlex.join(words)}: {error.format_message()}")


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 100


def test_no_two_rules_have_one_id() -> None:
    count = Counter(rule.id for rule in rules_page.collected())
    twice = [rule for rule, times in count.items() if times > 1]
    assert twice == [], "these ids have two rules: give one of them another id"


def test_every_rule_is_on_its_page() -> None:
    again = "docs/rules.md differs from the rules: run .venv/bin/python -m tests.rules_page"
    assert text_of(rules_page.PAGE) == rules_page.page(rules_page.judged()), again


def test_rules_are_constants() -> None:
    """A rule that is made in a function, or put together, is in no table."""
    written = [call for _, call in rules_page.calls_of("Rule")]
    assert all(isinstance(call.args[0], ast.Constant) for call in written), (
        "write each rule's id as a literal"
    )
    assert len(written) == len(rules_page.collected()), "make each Rule a constant of its module"


def test_findings_are_made_from_rules() -> None:
    """An id that is written at a judge, and not in a table of rules, is on no page."""
    written = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, call in rules_page.calls_of("Finding")
        if path.name != "finding.py"
    ]
    assert written == [], "make these findings from a Rule: rules.NAME.violation(subject=…, evidence=…)"


@each_page
def test_pages_name_rules_that_there_are(page: Path) -> None:
    """In tables whose first column is «rule»."""
    tables = re.findall(r"^\| rule \|.*\n\|[-|]+\n((?:\|.*\n)+)", text_of(page), re.MULTILINE)
    cells = [row.split("|")[1] for rows in tables for row in rows.splitlines()]
    named = {each.strip(" `") for cell in cells for each in cell.split(",")} - {"…"}
    unknown = named - {rule.id for rule in rules_page.collected()}
    assert unknown == set(), f"{path_of(page)} names rules that do not exist"


def test_samples_of_skew_follow_its_policy() -> None:
    rule = f"rule: {versions_rules.KUBELET_SKEW.text} ("
    for page, line in (
        (README, rule),
        (README, f"beside kube-apiserver 1.36 it may be {policy.kubelet_minors((36,))}"),
        (SKEW, f"beside kube-apiserver 1.36 and 1.37 it may be {policy.kubelet_minors((36, 37))}"),
    ):
        assert line in " ".join(text_of(page).split()), (
            f"the sample of skew on {path_of(page)} must say: {line}"
        )
