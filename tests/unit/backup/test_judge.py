"""What a backup lacks is said, each thing once, and nothing is taken for saved that nobody saw."""

import pytest

from kubectl_admin.backup import rules
from kubectl_admin.backup.facts import Lost, SavedNode
from kubectl_admin.backup.judge import SavedFiles, judge, lost
from kubectl_admin.backup.named_files import Named, NamedFiles
from tests.unit.backup.samples import NEW, control_plane

POLICY = Named(
    "/etc/kubernetes/audit.yaml", "/etc/kubernetes/audit.yaml", "--audit-policy-file of kube-apiserver"
)
MAYBE = Named("/etc/kubernetes/x", "/etc/kubernetes/x", "--of-the-future of kube-apiserver", is_sure=False)
VAULT = "KMS plugin vault at unix:///run/vault.sock", "it holds the key"


def node(name="cp-1", version="v1.36.3", why="", control_plane=True):
    return SavedNode(name, control_plane, {"kube-apiserver": version} if version else {}, why)


def saved(*there, named=(POLICY, MAYBE), lost=(), unread=(), keys=None):
    return SavedFiles((NamedFiles(tuple(named), (), tuple(lost)),), there, dict(unread), keys)


def found(nodes, files):
    return [(one.rule, str(one.severity)) for one in judge(nodes, files)]


def test_all_is_there():
    assert found([node(), node("w1", "", control_plane=False)], {"cp-1": saved(POLICY.path)}) == []


@pytest.mark.parametrize("why", ["", "its host gives no answer"])
def test_a_control_plane_that_was_not_saved(why):
    nodes = [node(), node("cp-2", why=why)]
    (one,) = judge(nodes, {"cp-1": saved(POLICY.path)})
    assert (one.rule, str(one.severity), one.objects) == (
        rules.NODE_NOT_SAVED.id,
        "violation",
        ("node/cp-2",),
    )
    assert why in one.evidence


def test_where_none_was_saved_each_is_named():
    assert found([node(), node("cp-2")], {}) == [(rules.NODE_NOT_SAVED.id, "violation")] * 2


def test_a_file_that_is_named_and_not_there():
    files = {"cp-1": saved(), "cp-2": saved(POLICY.path), "cp-3": saved()}
    (one,) = judge([node(name) for name in files], files)
    assert (one.rule, str(one.severity)) == (rules.FILE_NOT_SAVED.id, "violation")
    assert one.objects == ("node/cp-1", "node/cp-3")
    assert one.evidence == "--audit-policy-file of kube-apiserver names it, and it is not there on cp-1, cp-3"


def test_a_file_that_could_not_be_read_is_lost_and_told_once():
    files = {"cp-1": saved(unread={POLICY.path: "it has 9 MiB"})}
    assert found([node()], files) == [(rules.NOT_RESTORABLE.id, "warning")]
    assert lost(files) == (Lost(POLICY.path, "it has 9 MiB", "cp-1"),)


def test_mixed_versions():
    nodes = [node(), node("cp-2", "v1.37.2"), node("cp-3", "")]
    (one,) = judge(nodes, {each.name: saved(POLICY.path) for each in nodes})
    assert (one.rule, str(one.severity)) == (rules.MIXED_VERSIONS.id, "violation")
    assert one.evidence == "v1.36.3 on cp-1; v1.37.2 on cp-2"


def test_the_same_plugin_of_many_nodes_is_one_finding():
    files = {name: saved(POLICY.path, lost=[Lost(*VAULT, name)] * 2) for name in ("cp-1", "cp-2")}
    (one,) = judge([node(), node("cp-2")], files)
    assert (one.rule, str(one.severity), one.objects) == (
        rules.NOT_RESTORABLE.id,
        "warning",
        ("node/cp-1", "node/cp-2"),
    )


def test_control_planes_that_differ():
    files = {
        "cp-1": saved(POLICY.path, keys=control_plane()),
        "cp-2": saved(POLICY.path, keys=control_plane("cp-2", accepts=frozenset({NEW}))),
    }
    assert found([node(), node("cp-2")], files) == [(rules.SIGNING_KEYS_DIFFER.id, "violation")]


def test_words_of_a_node_never_move_the_cursor():
    files = {"cp-1": saved(POLICY.path, lost=[Lost("\x1b[2J", "\x07", "cp-1")])}
    nodes = [node(version="\x1b"), node("cp-2", why="\x1b[1m")]
    assert all(one.evidence.isprintable() and one.subject.isprintable() for one in judge(nodes, files))
