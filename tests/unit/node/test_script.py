"""Scripts in the rooms of their parsers, and the parts that they share."""

import re
from collections import Counter
from pathlib import Path

import kubectl_admin
from kubectl_admin.node.script import Script

ROOMS = Path(kubectl_admin.__file__).parent
NAMED = re.compile(r'Script\("([a-z_]+)", ("[a-z-]+"|name)\)(?: for name in \(([^)]+)\))?')


def named() -> set[Script]:
    """The scripts that the program names."""
    return {
        Script(room, word)
        for path in ROOMS.rglob("*.py")
        for room, name, names in NAMED.findall(path.read_text())
        for word in re.findall(r'"([a-z-]+)"', names or name)
        if path.name != "script.py"
    }


def test_every_script_that_is_named_is_there_with_all_that_it_includes():
    scripts = named()
    assert {"certs-change", "job", "packages-install", "versions"} <= {script.name for script in scripts}
    for script in scripts:
        text = script.text()
        assert not re.search(r"^\. ", text, re.MULTILINE), script
        assert script.command(["a b"]) == ["/bin/sh", "-c", text, f"kubectl-admin-{script.name}", "a b"]


def test_a_part_of_another_room_is_found():
    assert "settle_unit() {" in Script("certificates", "certs-restart").text()
    assert "ask_process() {" in Script("upgrade", "kubelet-stays").text()


def test_a_script_is_called_like_no_other():
    names = Counter(path.name for path in ROOMS.glob("*/scripts/*.sh"))
    assert [name for name, count in names.items() if count > 1] == []
