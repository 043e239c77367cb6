from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_admin.certificates.facts import ABSENT
from kubectl_admin.certificates.renewable import RENEWABLE, known
from kubectl_admin.certificates.renewal import report
from kubectl_admin.certificates.renewal.facts import Backup, Etcd, Left, Survey
from kubectl_admin.certificates.renewal.kubeadm import plan
from kubectl_admin.certificates.renewal.kubeadm import rollback as rollbacks
from kubectl_admin.certificates.renewal.work import Changed, Done
from kubectl_admin.certificates.x509 import Broken
from kubectl_admin.control_plane.pod import StaticPod
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.node.operation import Owner
from kubectl_admin.report import terminal
from tests.unit.certificates.renewal.samples import (
    NOW,
    THREE,
    certificate,
    facts,
    node,
    on_disk,
    with_backups,
)

ELSEWHERE = Owner("ann@laptop", "another-boot", 4711, "1")
MINE = Owner.of_process()
ENDED = replace(MINE, started="1")


def rules(planned):
    return [(str(each.severity), each.rule, each.objects) for each in planned.findings]


def text(shown):
    return terminal.render(shown, wide=False, headers=True, colour=False, width=80)


def test_all_is_what_each_node_has():
    planned = plan.renewal(facts(), None)
    assert [step.node for step in planned.steps] == ["cp-1", "cp-2", "cp-3"]
    assert planned.steps[0].names == tuple(RENEWABLE)
    assert planned.steps[1].names == tuple(name for name in RENEWABLE if name != "super-admin.conf")
    assert planned.steps[0].words == ("all",)
    assert (planned.is_possible, planned.findings) == (True, ())


def test_names_are_kubeadms_in_its_order():
    assert known(["etcd-peer", "apiserver", "etcd-peer"]) == ("apiserver", "etcd-peer")
    planned = plan.renewal(facts(), ("super-admin.conf",))
    assert [(step.node, step.words) for step in planned.steps] == [("cp-1", ("super-admin.conf",))]
    assert (planned.steps[0].name, planned.steps[0].title) == ("renew", "renew super-admin.conf")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ca", "is an authority"),
        ("kubelet.conf", "can.t be renewed"),
        ("kubelet-client,apiserver", "renewed in one run"),
    ],
)
def test_what_kubeadm_does_not_renew_is_wrong_usage(name, words):
    with pytest.raises(UsageError, match=words):
        known(name.split(","))


def test_what_is_on_no_node_is_said():
    with pytest.raises(AdminError, match="etcd-peer is not on any of the nodes cp-1"):
        plan.renewal(facts(node("cp-1", "etcd-peer")), ("etcd-peer",))


def test_a_file_that_should_be_there_and_is_not_is_not_renewed():
    gone = node("cp-1", "apiserver")
    gone = replace(gone, seen=(*gone.seen, on_disk("apiserver", "cp-1", content=ABSENT)))
    planned = plan.renewal(facts(gone), None)
    assert "apiserver" not in planned.steps[0].names
    assert rules(planned) == [("warning", "missing-certificate", ("node/cp-1",))]


def test_a_file_that_is_lost_is_restored():
    gone = with_backups("cp-1", Backup("20261125T120000Z", open=False, held=HELD))
    lost = on_disk("apiserver", "cp-1", content=ABSENT)
    seen = tuple(one for one in gone.seen if one.name != "apiserver")
    planned = rollback(facts(replace(gone, seen=(*seen, lost))))
    assert "apiserver" in planned.steps[0].names


def test_only_who_reads_at_its_start_has_to_be_started_anew():
    step = plan.renewal(facts(), None).steps[0]
    assert step.restarts == ("kube-controller-manager", "kube-scheduler")
    assert step.served == ("apiserver", "etcd-peer", "etcd-server")
    assert plan.renewal(facts(), ("front-proxy-client",)).steps[0].restarts == ()


def without_key(name, plane):
    seen = tuple(replace(each, key=False) if each.name == name else each for each in plane.seen)
    return replace(plane, seen=seen)


def test_an_external_authority_forbids_what_it_signs_and_says_whom_to_ask():
    planned = plan.renewal(facts(without_key("front-proxy-ca", node("cp-1"))), None)
    (finding,) = planned.findings
    assert not planned.is_possible
    assert (finding.rule, finding.subject) == ("external-authority", "front-proxy-client")
    assert "kubeadm certs generate-csr --config" in finding.fix
    assert "«CN=front-proxy-ca»" in finding.fix
    others = known(["apiserver", "etcd-server"])
    assert plan.renewal(facts(without_key("front-proxy-ca", node("cp-1"))), others).is_possible


def test_an_authority_that_is_not_there_is_external_as_well():
    planned = plan.renewal(facts(node("cp-1", "ca")), ("apiserver", "admin.conf"))
    (finding,) = planned.findings
    assert (finding.rule, finding.subject) == ("external-authority", "apiserver, admin.conf")
    assert "the holder of the authority's key" in finding.fix


def members(voters, *up, problem=""):
    return Etcd(voters, frozenset(up), problem)


@pytest.mark.parametrize(
    ("names", "etcd", "severity"),
    [
        (None, members(3, *THREE), None),
        (None, members(3, "cp-1", "cp-3"), "violation"),
        (None, members(2, "cp-1", "cp-2"), "warning"),
        (None, members(2, "cp-1"), "violation"),
        (None, members(1, "cp-1"), None),
        (None, members(0), None),
        (None, members(0, problem="no member answers"), "violation"),
        (("etcd-server",), members(3, "cp-1", "cp-3"), "violation"),
        (("etcd-peer",), members(3, "cp-1", "cp-3"), "violation"),
        (("etcd-healthcheck-client", "apiserver"), members(0, problem="no member answers"), None),
    ],
)
def test_etcd_must_be_able_to_spare_a_member_where_one_may_be_started_anew(names, etcd, severity):
    planned = plan.renewal(facts(node("cp-1"), etcd=etcd), names)
    assert [str(each.severity) for each in planned.findings] == ([severity] if severity else [])
    assert planned.is_possible is (severity != "violation")


@pytest.mark.parametrize("up", [("cp-1", "cp-2"), ("cp-2",), ("cp-3",), ()])
def test_a_member_that_does_not_answer_comes_first_and_back_by_its_renewal(up):
    """Its certificate may have ended; the others wait until it is back."""
    planned = plan.renewal(facts(etcd=members(3, *up)), None)
    nodes = [step.node for step in planned.steps]
    assert nodes == [*(name for name in THREE if name not in up), *up]
    assert planned.is_possible


def with_etcd_outside(name, *left_out):
    api = StaticPod(
        f"kube-apiserver-{name}",
        name,
        "kube-apiserver",
        {"etcd-servers": "https://10.0.0.30:2379,https://10.0.0.31:2379"},
        {},
        None,
    )
    etcds = ("etcd-peer", "etcd-server", "etcd-healthcheck-client")
    return replace(node(name, *etcds, *left_out), parts={"kube-apiserver": api})


@pytest.mark.parametrize("key", [True, False])
def test_what_an_external_etcd_has_signed_is_left_out_of_all(key):
    here = with_etcd_outside("cp-1")
    here = replace(
        here, seen=tuple(replace(one, key=key) if one.name == "etcd-ca" else one for one in here.seen)
    )
    planned = plan.renewal(facts(here, etcd=members(0)), None)
    assert planned.is_possible
    assert "apiserver-etcd-client" not in planned.steps[0].names
    assert rules(planned) == [("note", "external-etcd", ("node/cp-1",))]


def test_what_an_external_etcd_has_signed_is_refused_where_it_is_named():
    planned = plan.renewal(
        facts(without_key("etcd-ca", with_etcd_outside("cp-1")), etcd=members(0)), ("apiserver-etcd-client",)
    )
    assert not planned.is_possible


def test_an_authority_is_kubeadms_whatever_else_clients_are_checked_by():
    """--client-ca-file may name a bundle without a key beside it."""
    here = node("cp-1")
    bundle = on_disk("ca", "cp-1", where="/etc/kubernetes/pki/clients.crt", key=False)
    own = on_disk("ca", "cp-1", where="/etc/kubernetes/pki/ca.crt")
    others = tuple(one for one in here.seen if one.name != "ca")
    assert plan.renewal(facts(replace(here, seen=(bundle, own, *others))), None).is_possible


@pytest.mark.parametrize(
    ("job", "possible"),
    [
        (None, True),
        (Left(True, ELSEWHERE), False),
        (Left(False, ELSEWHERE), False),
        (Left(False, ELSEWHERE, 1801), True),
        (Left(True, MINE), False),
        (Left(False, MINE), False),
        (Left(True, ENDED), True),
        (Left(False, ENDED), True),
        (Left(True, None), False),
        (Left(False, None), False),
        (Left(False, None, 1801), True),
        (Left(False, MINE, 1801), False),
    ],
    ids=(
        "none",
        "active, elsewhere",
        "inactive, elsewhere",
        "long inactive, elsewhere",
        "active, mine",
        "inactive, mine",
        "active, ended",
        "inactive, ended",
        "active, nobody's",
        "inactive, nobody's",
        "long inactive, nobody's",
        "long inactive, mine",
    ),
)
def test_another_run_is_waited_for_only_where_it_is_known_to_be_dead(job, possible):
    busy = node("cp-1", survey=Survey(kubeadm="v1.37.2", job=job))
    assert plan.renewal(facts(busy), None).is_possible is possible


def test_a_node_without_kubeadm_is_refused():
    assert rules(plan.renewal(facts(node("cp-1", survey=Survey())), None)) == [
        ("violation", "no-kubeadm", ("node/cp-1",))
    ]


def test_a_broken_certificate_is_refused_but_where_a_backup_mends_it():
    seen = tuple(
        replace(each, content=Broken("it is cut off")) if each.name == "apiserver" else each
        for each in node("cp-1").seen
    )
    broken = replace(node("cp-1"), seen=seen)
    assert rules(plan.renewal(facts(broken), None)) == [("violation", "broken-certificate", ("node/cp-1",))]
    assert plan.renewal(facts(broken), None).findings[0].evidence == "apiserver: it is cut off"
    mended = replace(broken, survey=replace(broken.survey, backups=(Backup("a", open=True),)))
    assert rules(plan.renewal(facts(mended), None)) == [("note", "renewal-resumed", ("node/cp-1",))]
    assert plan.renewal(facts(mended), None).steps[0].resumes


def test_kubelet_conf_that_embeds_is_told_of():
    planned = plan.renewal(facts(node("cp-1", survey=Survey("v1.37.2", embedded=True))), None)
    assert rules(planned) == [("warning", "kubelet-conf-embeds", ("node/cp-1",))]
    assert planned.is_possible


HELD = {"apiserver": certificate(50)}
A, B = Backup("a", open=False, held=HELD), Backup("b", open=True, held=HELD)
C = Backup("c-before-rollback", open=False, held=HELD)


def rollback(facts, to=None, **more):
    """The plan of a rollback a week before anything may end."""
    return rollbacks.rollback(facts, to, now=NOW, critical=timedelta(7), **more)


@pytest.mark.parametrize(
    ("backups", "to", "chosen"),
    [((A, B), None, B), ((A, B, C), None, B), ((A, B, C), "c-before-rollback", C), ((A, B), "a", A)],
)
def test_the_newest_backup_of_a_renewal_is_restored_or_the_named_one(backups, to, chosen):
    planned = rollback(facts(with_backups("cp-1", *backups)), to)
    assert planned.steps[0].backup is chosen
    assert planned.is_possible


def test_a_node_without_a_backup_is_left_as_it_is():
    planned = rollback(facts(with_backups("cp-1", A), node("cp-2")))
    assert [step.node for step in planned.steps] == ["cp-1"]
    assert rules(planned) == [("warning", "no-backup", ("node/cp-2",))]


@pytest.mark.parametrize(("to", "words"), [(None, "no backup on cp-1"), ("x", "no backup x on cp-1")])
def test_without_any_backup_nothing_can_be_restored(to, words):
    with pytest.raises(AdminError, match=words):
        rollback(facts(node("cp-1")), to)


def holding(**ends):
    """A backup in which certificates end in so many days from now."""
    held = {
        name.replace("_", "-"): replace(certificate(50), not_after=NOW + timedelta(days))
        for name, days in ends.items()
    }
    return Backup("20260101T000000Z", open=False, held=held)


@pytest.mark.parametrize(("days", "rule"), [(-1, True), (0, True), (7, True), (7.01, False), (400, False)])
@pytest.mark.parametrize("to", [None, "20260101T000000Z"])
def test_a_backup_with_anything_that_ends_soon_is_refused(days, rule, to):
    planned = rollback(facts(with_backups("cp-1", holding(apiserver=days, etcd_server=400))), to)
    assert planned.is_possible is not rule
    if rule:
        assert rules(planned)[0] == ("violation", "expired-backup", ("node/cp-1",))
        assert planned.findings[0].evidence.startswith("apiserver expire")


def test_a_person_may_have_it_all_the_same():
    backup = holding(apiserver=-1)
    planned = rollback(facts(with_backups("cp-1", backup)), backup.name, allow_expired=True)
    assert rules(planned)[0] == ("warning", "expired-backup", ("node/cp-1",))
    assert (planned.is_possible, planned.steps[0].end) == (True, None)


def test_the_host_is_told_when_the_first_of_it_ends():
    planned = rollback(facts(with_backups("cp-1", holding(apiserver=30, etcd_server=20))))
    assert planned.steps[0].end == NOW + timedelta(20)


def test_what_is_there_already_is_not_restored_whenever_it_ends():
    here = with_backups("cp-1")
    same = replace(here.certificate("apiserver"), not_after=NOW)
    seen = tuple(replace(one, content=same) if one.name == "apiserver" else one for one in here.seen)
    backup = Backup("a", open=False, held={"apiserver": same})
    planned = rollback(facts(replace(here, seen=seen, survey=replace(here.survey, backups=(backup,)))))
    assert (planned.is_possible, planned.steps[0].restored) == (True, {})


@pytest.mark.parametrize("held", [{}, {"apiserver": Broken("it is cut off")}])
def test_what_can_not_be_read_of_a_backup_is_not_restored(held):
    planned = rollback(facts(with_backups("cp-1", Backup("a", open=False, held=held))))
    assert rules(planned)[0] == ("violation", "broken-backup", ("node/cp-1",))


@pytest.mark.parametrize(
    ("name", "hours", "told"), [("", 24, True), ("", 0.5, False), ("-before-rollback", 24, False)]
)
def test_what_others_have_renewed_since_is_told_of(name, hours, told):
    moment = NOW - timedelta(hours=hours)
    backup = Backup(f"{moment:%Y%m%dT%H%M%SZ}{name}", open=False, held=HELD)
    planned = rollback(facts(with_backups("cp-1", backup)), backup.name)
    assert ("renewed-since" in [each.rule for each in planned.findings]) is told
    assert planned.is_possible


def test_the_plan_of_a_rollback_says_what_will_be_there():
    backup = holding(apiserver=30)
    here = with_backups("cp-1", backup)
    here = replace(here, seen=tuple(one for one in here.seen if one.name in ("apiserver", "scheduler.conf")))
    shown = report.plan(rollback(facts(here)))
    assert text(shown).startswith("""\
NODE  CERTIFICATE     EXPIRES           EXPIRES AFTERWARDS  THEN
cp-1  apiserver       2027-11-25 12:00  2026-12-25 12:00    verify that kube-apiserver serves it
cp-1  scheduler.conf  2027-11-25 12:00  2027-11-25 12:00    unchanged
""")
    (item,) = shown.items()
    assert item["certificates"][0]["afterwards"]["notAfter"] == "2026-12-25T12:00:00+00:00"
    assert item["backups"][0]["certificates"][0]["serial"] == "32"


def test_the_survey_is_read():
    answer = (
        b"kubeadm v1.37.2\nkubelet active\nkubelet.conf embedded\njob yes 7 ann@laptop b 1 2\n"
        b"backup 20261125T120000Z whole\nbackup 20261125T130000Z open\n"
    )
    assert Survey.of(answer) == Survey(
        "v1.37.2",
        kubelet=True,
        embedded=True,
        job=Left(True, Owner("ann@laptop", "b", 1, "2"), 7),
        backups=(Backup("20261125T120000Z", open=False), Backup("20261125T130000Z", open=True)),
    )
    assert Survey.of(b"job no 9 \n") == Survey(kubelet=False, job=Left(False, None, 9))
    long = b"job no " + b"9" * 5000 + b" \n"
    assert Survey.of(long) == Survey(kubelet=False, job=Left(False, None, 0))


def test_a_plan_says_what_follows_for_each():
    planned = plan.renewal(facts(node("cp-1")), known(["apiserver", "scheduler.conf", "admin.conf"]))
    assert (
        text(report.plan(planned))
        == """\
NODE  CERTIFICATE     EXPIRES           THEN
cp-1  admin.conf      2027-11-25 12:00  -
cp-1  apiserver       2027-11-25 12:00  verify that kube-apiserver serves it
cp-1  scheduler.conf  2027-11-25 12:00  restart kube-scheduler

one node after the other: cp-1; the present files are backed up first; a server
  that does not reload its new certificate is restarted
"""
    )


def test_what_was_done_is_a_row_each():
    changed = (
        Changed("cp-1", "admin.conf", certificate(1), certificate(17)),
        Changed("cp-1", "apiserver", certificate(2), certificate(18), served=True),
        Changed("cp-1", "etcd-peer", certificate(2), certificate(19)),
    )
    shown = report.result("prod", [Done("cp-1", "20261125T120000Z", changed, ("kube-scheduler",), 12.3)])
    assert (
        text(shown)
        == """\
NODE  CERTIFICATE  EXPIRES           SERVED
cp-1  admin.conf   2027-11-25 12:00  -
cp-1  apiserver    2027-11-25 12:00  yes
cp-1  etcd-peer    2027-11-25 12:00  not seen?

node cp-1: 3 certificates changed, kube-scheduler restarted in 12s; the previous
  files are in backup 20261125T120000Z
"""
    )
    (item,) = shown.items()
    assert item["certificates"][1]["after"]["serial"] == "12"


def test_where_no_node_was_done_that_is_said():
    shown = report.result("prod", [])
    assert text(shown) == "no node is done\n"
    assert list(shown.items()) == []
