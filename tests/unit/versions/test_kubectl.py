import json

import pytest

from kubectl_admin.versions.kubectl import asked
from kubectl_admin.versions.version import Version

ANSWER = json.dumps({"clientVersion": {"gitVersion": "v1.36.3"}})


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """Puts a script on PATH as kubectl, alone."""

    def put(script):
        (tmp_path / "kubectl").write_text(script)
        (tmp_path / "kubectl").chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return put


def answer():
    with asked() as mine:
        return mine()


@pytest.mark.usefixtures("kubectl")
def test_a_machine_without_kubectl():
    assert answer() is None


def test_kubectl_says_its_version(kubectl):
    kubectl(f"#!/bin/sh\n[ \"$*\" = 'version --client --output=json' ] && echo '{ANSWER}'\n")
    assert answer().running.version == Version.parse("1.36.3")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\nexit 3\n", "returned non-zero exit status 3"),
        ("#!/bin/sh\necho nonsense\n", "its answer is not JSON: 'nonsense'"),
        ("#!/bin/sh\necho '{}'\n", "clientVersion"),
        ("no program at all", "Exec format error"),
    ],
)
def test_a_kubectl_that_does_not_say_its_version_has_a_problem(kubectl, script, reason):
    kubectl(script)
    instance = answer()
    assert instance.version is None
    assert "version --client failed: " in instance.problem
    assert reason in instance.problem


def test_a_kubectl_that_nobody_waited_for_is_ended(kubectl):
    kubectl("#!/bin/sh\nwhile :; do :; done\n")
    with pytest.raises(LookupError), asked():
        raise LookupError
