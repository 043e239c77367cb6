"""What a look at a node finds, beside what its steps and gates say."""

from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Severity
from kubectl_admin.upgrade import inspection, report
from kubectl_admin.upgrade.facts import Record, Target
from kubectl_admin.upgrade.inspection import Options
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, disk, facts

GOAL = Target(NEW, "1.37.2-1.1")
CLUSTER = SimpleNamespace(target=SimpleNamespace(cluster_name="lab"))
DONE = facts("cp-1", moved=CONTROL_PLANES, written=NEW, kubelet=NEW)
OLD_DNS = "CoreDNS is r/coredns:v1.13.0, kubeadm's is r/coredns:v1.14.6"


@pytest.fixture
def looked(monkeypatch):
    """What is seen of a control plane whose CoreDNS is older than kubeadm's."""

    def looked(here, host, *, goal=GOAL, **options):
        monkeypatch.setattr(inspection.gather, "cluster_facts", lambda *_: here)
        monkeypatch.setattr(inspection.gather, "disk", lambda *_: host)
        monkeypatch.setattr(inspection, "goal_there", lambda *_: goal)
        monkeypatch.setattr(inspection.addons, "left_behind", lambda *_: [OLD_DNS])
        monkeypatch.setattr(inspection.drain, "look", lambda *_: None)
        return inspection.inspect(
            CLUSTER, SimpleNamespace(node="cp-1", operation=SimpleNamespace(id="mine")), Options(**options)
        )

    return looked


@pytest.mark.parametrize(
    ("options", "severities"),
    [
        ({}, [Severity.VIOLATION]),
        ({"allow": ("addon-behind",)}, [Severity.WARNING]),
        ({"patches": "/etc/patches"}, []),
    ],
)
def test_an_old_add_on_leaves_nothing_to_do_on_a_finished_node(looked, options, severities):
    seen = looked(DONE, disk("1.37.2-1.1"), **options)
    assert seen.is_over
    assert [each.severity for each in seen.findings if each.rule == "addon-behind"] == severities


TO_DO = facts("cp-1", moved=("cp-2",), written=NEW)


def rules(seen):
    return [each.rule for each in seen.findings]


def test_an_old_add_on_does_not_keep_a_run_from_its_end(looked):
    seen = looked(TO_DO, disk())
    assert not seen.is_over
    assert "addon-behind" not in rules(seen)


def test_a_file_in_the_snapshots_place_is_found_where_one_is_to_come(looked, tmp_path):
    file = tmp_path / "etcd.db"
    assert "snapshot-file" not in rules(looked(TO_DO, disk(), snapshot=str(file)))
    file.write_bytes(b"another one")
    assert "snapshot-file" in rules(looked(TO_DO, disk(), snapshot=str(file)))
    assert "snapshot-file" not in rules(looked(TO_DO, disk(), snapshot=None))
    assert "snapshot-file" not in rules(looked(DONE, disk("1.37.2-1.1"), snapshot=str(file)))
    begun = disk(records={"packages": Record("1.37.2-1.1", "-", 0)})
    assert "snapshot-file" not in rules(looked(TO_DO, begun, snapshot=str(file)))


@pytest.mark.parametrize(
    ("here", "to", "rule"),
    [
        (facts("worker-1"), "1.35", "downgrade"),
        (facts("worker-1"), "1.36.1", "downgrade"),
        (facts("worker-1"), "1.38", "kubelet-skew"),
        (facts("worker-1"), "1.38.0", "kubelet-skew"),
        (facts("cp-1"), "1.35", "downgrade"),
        (facts("cp-1"), "1.38", "skipped-minor"),
    ],
)
def test_a_way_that_no_package_makes_good_is_judged_before_the_repository_is_asked(
    looked, monkeypatch, here, to, rule
):
    def missing(*_, **__):
        raise AdminError("there is no such repository (404)")

    monkeypatch.setattr(inspection.packages, "ask_repository", missing)
    seen = looked(here, disk(), goal=None, to=to)
    assert not inspection.is_possible(seen, Options())
    found = next(each for each in seen.findings if each.rule == rule)
    assert found.severity is Severity.VIOLATION
    assert report.summary(seen).endswith(f"1.36.3 to {to}")
    assert report.document(seen)["package"] is None
    with pytest.raises(AdminError, match="no such repository"):
        looked(
            here,
            disk(),
            goal=None,
            to=to,
            allow=tuple(rules(seen)),
        )
    with pytest.raises(AdminError, match="no such repository"):
        looked(here, disk(), goal=None, to="1.36")
