"""docs/permissions.md, rule by rule, for verbs that name what is missing before they do anything.

A run that lacks nothing goes on, and ends here, since there is no such node. That the rights of the page are
enough is seen on real nodes: tests/cluster/test_VERB.py.
"""

from pathlib import Path

import pytest

from kubectl_admin.node import debug_pod
from kubectl_admin.upgrade.inspection import rights
from tests import permissions
from tests.permissions import Right
from tests.program import Ended, environ, run
from tests.unit.etcd.diff.history import History

pytestmark = pytest.mark.lab

NODE = "no-such-node"
# By its section of the page: a verb that is to work on that node.
VERBS = {
    "certs renew": ("certs", "renew", "apiserver", "--node", NODE, "--dry-run"),
    "certs renew kubelet-client": ("certs", "renew", "kubelet-client", "--node", NODE, "--dry-run"),
    "etcd-snapshot": ("etcd-snapshot", "--node", NODE),
    "etcd-open": ("etcd-open", "--node", NODE),
    "drain-upgrade": ("drain-upgrade", NODE, "--to", "1.37", "--yes"),
}
NEEDED_HALF_WAY = {str(right) for right in rights(debug_pod.Options(), doing=True)}


@pytest.mark.parametrize("section", VERBS)
def test_what_is_missing_is_named_before_anything_is_done_and_nothing_else(
    stage, section, tmp_path, tmp_path_factory
):
    """Each right is there once and missing once. That to say why a pod does not start is not asked for."""
    further = {
        "etcd-snapshot": lambda: ("-o", str(tmp_path)),
        "etcd-open": lambda: (str(History().save(tmp_path_factory.mktemp("open") / "a.db")),),
    }
    words = (*VERBS[section], *further.get(section, tuple)())

    def tried(kubeconfig: Path) -> Ended:
        return run(*words, env=environ(KUBECONFIG=str(kubeconfig)))

    objects = permissions.of_page(section)
    asked = [right for right in permissions.rights(objects) if is_asked_for(section, right)]
    halves = asked[::2], asked[1::2]
    for half in halves:
        with permissions.holder(stage, section, list(map(str, half))) as path:
            ended = tried(path)
        assert (ended.code, ended.out) == (1, "")
        assert sorted(permissions.told_missing(ended)) == sorted(map(str, half))
    with permissions.holder(stage, section) as path:
        ended = tried(path)
    assert (ended.code, ended.err.splitlines()[0]) == (1, f"error: there is no node {NODE}")
    assert list(tmp_path.iterdir()) == []


def is_asked_for(section: str, right: Right) -> bool:
    """Of an upgrade's, those that it must not lack half way."""
    return str(right) in NEEDED_HALF_WAY if section == "drain-upgrade" else right.resource != "events"


def test_what_an_upgrade_asks_for_in_one_namespace_is_there_for_all():
    """Of these, none could be taken away alone."""
    named = {str(right) for right in permissions.rights(permissions.of_page("drain-upgrade"))}
    in_all = {f"{verb} pods in namespace kube-system" for verb in ("list", "watch")}
    assert NEEDED_HALF_WAY - named == {*in_all, "list daemonsets.apps in namespace kube-system"}
