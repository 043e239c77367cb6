import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.finding import Rule
from kubectl_admin.health.again import compare
from kubectl_admin.health.again.changes import Change, Kind
from kubectl_admin.health.again.record import record
from kubectl_admin.health.look import look
from kubectl_admin.health.object_facts import Budget, Objects
from kubectl_admin.part_file import PartFile
from tests.unit.health.made import AT, facts, node

FINDING = Rule("slow-disk", "etcd writes quickly").violation(
    subject="etcd", evidence="slow", objects=["node/cp-1", "node/ü"]
)
SEEN = look(
    facts(objects=Objects(budgets=(Budget("default", "db", 3, 1),))),
    [FINDING],
)


@pytest.fixture
def saved(tmp_path):
    file = tmp_path / "before.json"
    save(SEEN, file)
    return file


def save(seen, file, **how):
    with PartFile(file, **how) as part:
        compare.save(seen, "uid-1", part)


def test_a_record_is_read_as_it_was_written(saved):
    assert compare.read(saved) == ("uid-1", record(SEEN))


def test_a_file_is_a_document_of_a_kind(saved):
    document = json.loads(saved.read_text())
    assert (document["apiVersion"], document["kind"]) == ("kubectl-admin/v1", "HealthRecord")
    assert not any("econds" in name for name in saved.read_text().split('"'))


def test_a_file_that_is_there_is_kept(saved):
    before = saved.read_text()
    with pytest.raises(UsageError, match="already"):
        save(look(facts(), ()), saved)
    assert saved.read_text() == before
    save(look(facts(), ()), saved, force=True)
    assert saved.read_text() != before


def test_the_changes_since_a_file(saved):
    _, before = compare.read(saved)
    later = look(facts(node("cp-1"), at=AT + timedelta(minutes=12)), ())
    compared = compare.compare(later, saved, before)
    assert compared.paragraph(later.facts.at) == (
        f"since {saved} (2026-11-30T03:00:00Z, 12 minutes ago):\n"
        "  gone: node on node/w1\n"
        "  gone: violation slow-disk on node/cp-1, node/ü"
    )
    assert compared.changes[0].document() == {
        "kind": "gone",
        "what": "node",
        "object": "node/w1",
        "before": None,
        "after": None,
        "severity": None,
    }


def test_nothing_has_changed(saved):
    _, before = compare.read(saved)
    said = compare.compare(SEEN, saved, before).paragraph(AT)
    assert said.endswith("ago): nothing has changed")


def test_a_file_of_another_cluster_is_refused(saved):
    compare.require_same("uid-1", saved, "uid-1")
    with pytest.raises(AdminError, match="is of another cluster"):
        compare.require_same("uid-2", saved, "uid-1")


WHOLE = compare.written(record(SEEN), "uid-1")


def damaged(*path, to):
    """The document with another value at a place."""
    document = json.loads(json.dumps(WHOLE))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a whole JSON document"),
        (json.dumps(WHOLE)[:-20], "is not a whole JSON document"),
        ("[" * 200_000, "is not a whole JSON document"),
        ("1" * 10_000, "is not a whole JSON document"),
        ("[]", "is not a record of health"),
        ("null", "is not a record of health"),
        ("{}", "is not a record of health"),
        (damaged("kind", to="Health"), "is not a record of health that this version knows"),
        (damaged("apiVersion", to="kubectl-admin/v2"), "is not a record of health that this version knows"),
        (damaged("cluster", to=1), "is a damaged record of health"),
        (damaged("at", to="0001-01-01T00:00:00+23:00"), "is a damaged record of health"),
        (damaged("at", to=None), "is a damaged record of health"),
        (damaged("nodes", to=[]), "is a damaged record of health"),
        (damaged("nodes", "cp-1", to=None), "is a damaged record of health"),
        (damaged("nodes", "cp-1", "ready", to="yes"), "is a damaged record of health"),
        (damaged("nodes", "cp-1", "components", "etcd", to={}), "is a damaged record of health"),
        (damaged("nodes", "cp-1", "components", "etcd", "state", to={}), "is a damaged record of health"),
        (
            damaged("nodes", "cp-1", "components", "etcd", "restarts", to=1e400),
            "is a damaged record of health",
        ),
        (damaged("findings", to={"a": 1}), "is a damaged record of health"),
        (damaged("findings", 0, "severity", to="awful"), "is a damaged record of health"),
        (damaged("budgets", "default/db", "wanted", to="3"), "is a damaged record of health"),
        (damaged("leaders", to=[1]), "is a damaged record of health"),
    ],
)
def test_a_file_that_is_no_record_is_one_error(tmp_path, text, said):
    file = tmp_path / "file"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        compare.read(file)
    assert caught.value.what == f"{file} {said}"


def test_a_file_that_is_not_there_or_no_file(tmp_path):
    for file, said in (
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "a\0b", "its name is not one of a file"),
    ):
        with pytest.raises(UsageError, match=f"can't be read: {said}"):
            compare.read(file)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is not a regular file"):
        compare.read(tmp_path / "pipe")


def test_a_file_without_end_is_not_read_to_its_end(tmp_path):
    file = tmp_path / "long"
    with file.open("wb") as stream:
        stream.truncate(compare.LONGEST + 1)
    with pytest.raises(UsageError, match="too long"):
        compare.read(file)


def test_a_state_of_a_later_version_is_not_compared(tmp_path):
    file = tmp_path / "later"
    file.write_text(damaged("nodes", "cp-1", "components", "etcd", "state", to="dreaming"))
    _, before = compare.read(file)
    assert compare.compare(SEEN, file, before).changes == ()


def test_a_name_in_a_file_makes_no_line_of_its_own():
    change = Change(Kind.GONE, "node", "node/w1\nviolation: all is lost")
    compared = compare.Compared(Path("x\ny"), record(look(facts(node()), ())), (change,))
    assert len(compared.paragraph(AT).splitlines()) == 2
