"""What a look at a node finds, beside what its steps and gates say."""

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Severity
from kubectl_admin.upgrade import inspection, report, target
from kubectl_admin.upgrade.facts import Record
from kubectl_admin.upgrade.inspection import Options, Source
from kubectl_admin.upgrade.packages import Offer
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, disk, facts

DONE = facts("cp-1", moved=CONTROL_PLANES, written=NEW, kubelet=NEW)
OLD_DNS = "CoreDNS is r/coredns:v1.13.0, kubeadm's is r/coredns:v1.14.6"


def offers(_minor):
    """Its repository has the packages of NEW."""
    return [Offer(name, "1.37.2-1.1", str(NEW)) for name in target.NAMES]


def looked(here, host, *, offers=offers, **options):
    """What is seen of a control plane whose CoreDNS is older than kubeadm's."""
    source = Source(
        "lab",
        facts=lambda: here,
        disk=lambda _facts: host,
        offers=offers,
        behind=lambda _target: [OLD_DNS],
        preview=lambda: None,
    )
    return inspection.inspect(source, Options(**options))


@pytest.mark.parametrize(
    ("options", "severities"),
    [
        ({}, [Severity.VIOLATION]),
        ({"allow": ("addon-behind",)}, [Severity.WARNING]),
        ({"patches": "/etc/patches"}, []),
    ],
)
def test_an_old_add_on_leaves_nothing_to_do_on_a_finished_node(options, severities):
    seen = looked(DONE, disk("1.37.2-1.1"), **options)
    assert seen.is_over
    assert [each.severity for each in seen.findings if each.rule == "addon-behind"] == severities


TO_DO = facts("cp-1", moved=("cp-2",), written=NEW)


def rules(seen):
    return [each.rule for each in seen.findings]


def test_an_old_add_on_does_not_keep_a_run_from_its_end():
    seen = looked(TO_DO, disk())
    assert not seen.is_over
    assert "addon-behind" not in rules(seen)


def test_a_file_in_the_snapshots_place_is_found_where_one_is_to_come(tmp_path):
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
def test_a_way_that_no_package_makes_good_is_judged_before_the_repository_is_asked(here, to, rule):
    def missing(_minor):
        raise AdminError("there is no such repository (404)")

    seen = looked(here, disk(), offers=missing, to=to)
    assert not inspection.is_possible(seen, Options())
    found = next(each for each in seen.findings if each.rule == rule)
    assert found.severity is Severity.VIOLATION
    assert report.summary(seen).endswith(f"1.36.3 to {to}")
    assert report.document(seen)["package"] is None
    with pytest.raises(AdminError, match="no such repository"):
        looked(here, disk(), offers=missing, to=to, allow=tuple(rules(seen)))
    with pytest.raises(AdminError, match="no such repository"):
        looked(here, disk("1.36.2-1.1"), offers=missing, to="1.36")
