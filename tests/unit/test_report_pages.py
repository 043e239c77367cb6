"""Pages that messages name are found on the machine of whoever reads them."""

import ast
import re
from pathlib import Path

import pytest

from kubectl_admin.report.pages import NAMED, directory, located

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/certs.md").write_text("# certs\n")
    return tmp_path


def test_a_page_is_named_by_its_path(home):
    text = "restart it; docs/certs.md has every step (docs/certs.md)"
    path = home / "docs/certs.md"
    assert located(text, home) == f"restart it; {path} has every step ({path})"


@pytest.mark.parametrize(
    "text", ["see docs/nosuch.md", "see mydocs/certs.md", "see docs/certs.mdx", "no page"]
)
def test_anything_else_stays(home, text):
    assert located(text, home) == text


def test_in_a_clone_it_stays_as_it_is():
    assert directory() is None
    assert located("docs/certs.md") == "docs/certs.md"


def test_every_page_that_the_program_names_exists():
    named = set()
    for path in (ROOT / "kubectl_admin").rglob("*.py"):
        text = path.read_text()
        if ".md" not in text:  # most files name none, and are not worth a parser's time
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named |= set(NAMED.findall(node.value))
    assert "docs/permissions.md" in named
    assert [page for page in sorted(named) if not (ROOT / page).is_file()] == []


def test_every_page_is_shipped():
    """By the archive (krew/build.py) and by pip."""
    assert re.search(
        r"^share/kubectl-admin/docs = docs/\*\.md$", (ROOT / "setup.cfg").read_text(), re.MULTILINE
    )
