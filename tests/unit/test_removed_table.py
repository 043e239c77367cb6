import pytest

from tests.lab.errors import LabError
from tools.removed_table import flags_gone, knows, listed, locks


def spec(version, *, default=True, locked=False):
    return {"version": version, "default": default, "lockToDefault": locked, "preRelease": "GA"}


def test_a_gate_is_locked_from_the_minor_that_says_so():
    lists = {
        36: {"A": [spec("1.30"), spec("1.36", locked=True)], "B": [spec("1.9", default=False, locked=True)]},
        37: {"A": [spec("1.36", locked=True), spec("1.30")], "C": [spec("1.37")], "D": [spec("")]},
    }
    assert locks(lists) == {"1.9": {"B": False}, "1.36": {"A": True}}


def test_a_gate_that_was_unlocked_again_is_refused():
    with pytest.raises(LabError, match="feature gate A was unlocked again"):
        locks({36: {"A": [spec("1.35", locked=True), spec("1.36")]}})


@pytest.fixture
def program(tmp_path):
    """Makes a program that lists flags, takes these and those that it hides, and refuses all others."""

    def make(name, shown, hidden=()):
        file = tmp_path / name
        lines = "\n".join(f"      --{flag} string   what it is for --nothing" for flag in shown)
        taken = "|".join(f"--{flag}=x" for flag in (*shown, *hidden))
        file.write_text(
            "#!/bin/sh\n"
            f'case "$1" in --help) cat <<E\nUsage:\n{lines}\n  -v, --verbosity int\nE\n;;\n'
            f"{taken}) echo v1.36.3 ;;\n"
            '*) echo "Error: unknown flag: ${1%%=*}" >&2; exit 1 ;;\nesac\n'
        )
        file.chmod(0o755)
        return file

    return make


def test_flags_are_asked_of_the_programs(program):
    older, newer = (
        program("older", ["kept", "gone", "then-hidden"]),
        program("newer", ["kept"], ["then-hidden"]),
    )
    assert listed(older) == {"kept", "gone", "then-hidden", "verbosity"}
    assert knows(newer, "then-hidden")
    assert flags_gone(older, newer, ["hidden-before"]) == ["gone", "hidden-before", "verbosity"]
