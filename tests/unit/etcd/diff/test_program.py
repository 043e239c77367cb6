"""`kubectl admin etcd-diff` as a program."""

import json
import sys
from uuid import UUID

import pytest

from tests import program
from tests.program import run
from tests.unit.etcd.diff.history import History, stored

PODS = 60


@pytest.fixture
def files(tmp_path):
    """Two snapshots: the second has more pods than are listed, another Node, and a Lease."""
    before = History().put(b"/registry/minions/w1", stored(UUID(int=1)))
    after = before.copy().put(b"/registry/minions/w1", stored(UUID(int=1), b"x"))
    for number in range(PODS):
        after.put(b"/registry/pods/shop/web-%02d" % number, stored(UUID(int=100 + number)))
    after.put(b"/registry/leases/kube-system/w1", stored(UUID(int=2)))
    return str(before.save(tmp_path / "a.db")), str(after.save(tmp_path / "b.db"))


def test_the_first_of_many_are_listed(files):
    ended = run("etcd-diff", *files)
    assert (ended.code, ended.err) == (0, "")
    listed = [line.split()[-1] for line in ended.out.splitlines() if line.startswith("only in b.db")]
    assert listed == [f"web-{number:02}" for number in range(25)]
    assert "not listed: 35 more only in b.db (--all lists them)\n" in ended.out
    assert "left out, since they tell nothing: 1 Lease (--all lists them)\n" in ended.out
    assert ended.out.endswith("objects that differ: 60 only in b.db, 1 changed\n")


def test_all_are_listed(files):
    ended = run("etcd-diff", *files, "--all", "--no-headers")
    lines = [line for line in ended.out.splitlines() if line.startswith("only in b.db")]
    assert len(lines) == PODS + 1
    assert "--all" not in ended.out


def test_names_are_all_that_a_person_would_be_shown(files):
    pods = [f"pod/shop/web-{number:02}" for number in range(PODS)]
    assert run("etcd-diff", *files, "-o", "name").out.splitlines() == [*pods, "node/w1"]
    some = run("etcd-diff", *files, "-o", "name", "--all", "-n", "kube-system").out
    assert some == "lease.coordination.k8s.io/kube-system/w1\n"
    assert run("etcd-diff", *files, "-o", "name", "--kind", "Node").out == "node/w1\n"


def test_json_holds_everything(files):
    found = json.loads(run("etcd-diff", *files, "-o", "json").out)
    assert len(found["items"]) == PODS + 2
    assert [each["kind"] for each in found["items"] if each["noise"]] == ["Lease"]
    assert found["items"][0]["b"]["uid"] == str(UUID(int=2))


def test_exit_codes(files, tmp_path):
    a, b = files
    (tmp_path / "bad.db").write_bytes(b"bad")
    for arguments, code in (
        ((a, b), 0),
        ((a, b, "--exit-code"), 3),
        ((a, a, "--exit-code"), 0),
        ((a, b, "--exit-code", "--kind", "lease"), 0),
        ((a, b, "--exit-code", "--kind", "lease", "--all"), 3),
        ((a, str(tmp_path / "bad.db")), 3),
        ((a, str(tmp_path)), 2),
        ((a,), 2),
    ):
        assert run("etcd-diff", *arguments).code == code, arguments


def test_the_program_compares_without_what_speaks_to_clusters(files):
    code = (
        "import sys; from kubectl_admin import cli; "
        f"code = cli.run(['etcd-diff', *{files!r}], cli.Environment.of_process()); "
        "print(code, *sys.modules, file=sys.stderr)"
    )
    ended = program.run("-c", code, program=(sys.executable,))
    code, *modules = ended.err.split()
    assert code == "0"
    assert not {"kubernetes", "urllib3", "websocket", "cryptography"} & {*modules}
