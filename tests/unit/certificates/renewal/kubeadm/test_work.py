"""What follows after the files of a node have changed: seen served, restarted, or told why not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_admin.certificates.renewable import known
from kubectl_admin.certificates.renewal.facts import Backup, Etcd, Survey
from kubectl_admin.certificates.renewal.kubeadm import plan, work
from kubectl_admin.certificates.renewal.work import Site
from kubectl_admin.control_plane.pod import StaticPod
from kubectl_admin.errors import AdminError
from tests.fakes.renewal import Host
from tests.unit.certificates.renewal.samples import HEALTHY, NOW, certificate, facts, node

PARTS = {
    "kube-apiserver": {"tls-cert-file": "/etc/kubernetes/pki/apiserver.crt"},
    "etcd": {
        "cert-file": "/etc/kubernetes/pki/etcd/server.crt",
        "peer-cert-file": "/etc/kubernetes/pki/etcd/peer.crt",
        "listen-client-urls": "https://127.0.0.1:2379",
        "listen-peer-urls": "https://10.0.0.1:2380",
    },
    "kube-controller-manager": {},
    "kube-scheduler": {},
}


class Node:
    """A node on which some names were renewed, and what its ports show then."""

    def __init__(self, *names, log="", backups=(), backup=None, parts=PARTS):
        survey = Survey(kubeadm="v1.37.2", backups=backups)
        parts = {
            component: StaticPod(f"{component}-cp-1", "cp-1", component, flags, {}, NOW)
            for component, flags in parts.items()
        }
        before = replace(
            node("cp-1", survey=survey),
            parts=parts,
            uids={component: f"uid-{component}" for component in parts},
        )
        self.host, self.said = Host(), []
        self.serves = {}  # port -> the serial that it shows before and after its process was restarted
        self.states = [HEALTHY]  # of etcd, look by look
        self.ready = True
        self.taken_over = False
        after = tuple(
            replace(each, content=certificate(each.certificate.serial + 100), changed=NOW + timedelta(1))
            if each.name in names
            else each
            for each in before.seen
        )
        log = log or "".join(f"12:00:00 kubeadm certs renew {name}\n" for name in names)
        self.host.log = f"{log}backup 20261125T120000Z\n"
        self.after = replace(before, seen=after)
        self.step = replace(plan.renewal(facts(before), known(names)).steps[0], backup=backup)
        self.site = Site(self.host, self.said.append, self.check)

    def work(self):
        return work.Worker(self.site, self, self.step).work()

    def check(self):
        """Whether the Lease is still this run's; it is when the job is started."""
        if self.taken_over and self.host.jobs:
            raise AdminError("somebody else has taken over: bob")

    def with_disk(self, _node):
        return self.after

    def is_ready(self, _node):
        return self.ready

    def etcd(self):
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def served(self, _node, port):
        """The certificate of a port; by default the one on the disk."""
        component = {6443: "kube-apiserver", 2379: "etcd", 2380: "etcd"}.get(port.number, "")
        serials = self.serves.get(port.number)
        if serials is None:
            return self.after.certificate(port.file) if port.file else certificate(7)
        found = serials[component in self.host.restarted]
        if isinstance(found, AdminError):
            raise found
        return certificate(found) if found else self.after.certificate(port.file)


def test_what_reads_its_files_again_is_left_running():
    done = Node("apiserver", "etcd-server", "etcd-peer").work()
    assert [(one.name, one.served) for one in done.changed] == [
        ("apiserver", True),
        ("etcd-peer", True),
        ("etcd-server", True),
    ]
    assert done.restarted == ()
    assert done.backup == "20261125T120000Z"


def test_what_reads_its_file_once_is_restarted_and_the_backup_is_closed():
    node_ = Node("scheduler.conf", "admin.conf")
    done = node_.work()
    assert done.restarted == ("kube-scheduler",)
    changed = str(int((NOW + timedelta(1)).timestamp()))
    assert node_.host.asked == [
        ("certs-restart", "kube-scheduler", "uid-kube-scheduler", changed, "360"),
        (
            *("find", "/var/lib/kubectl-admin/certificates", "-maxdepth", "2", "-name", "open"),
            *("-exec", "rm", "-f", "--", "{}", "+"),
        ),
    ]


def test_where_the_api_server_is_not_well_no_further_node_follows():
    node_ = Node("apiserver")
    node_.ready = False
    with pytest.raises(AdminError, match="API server is not ready, so no further node is changed"):
        node_.work()
    assert node_.host.asked == []


def test_where_the_member_of_etcd_is_not_up_no_further_node_follows():
    node_ = Node("apiserver")
    node_.states = [Etcd(3, frozenset({"cp-2", "cp-3"}))]
    with pytest.raises(AdminError, match="its member of etcd is not back"):
        node_.work()


@pytest.mark.parametrize("name", ["scheduler.conf", "apiserver"])
def test_nothing_is_restarted_where_somebody_else_has_taken_over(name):
    """This machine may have slept since the files were changed."""
    node_ = Node(name)
    node_.serves[6443] = (5, 0)
    node_.taken_over = True
    with pytest.raises(AdminError, match="somebody else has taken over"):
        node_.work()
    assert node_.host.restarted == []


def test_a_process_that_is_young_enough_is_not_told_of():
    node_ = Node("scheduler.conf")
    node_.host.answers["certs-restart"] = b"young\n"
    assert node_.work().restarted == ()


def test_a_server_that_does_not_read_them_again_is_restarted():
    node_ = Node("apiserver")
    node_.serves[6443] = (5, 0)
    done = node_.work()
    assert done.restarted == ("kube-apiserver",)
    assert done.changed[0].served
    assert "does not reload its new certificate by itself" in node_.said[1]


def test_one_that_serves_the_old_one_all_the_same_ends_the_run_and_keeps_the_backup_open():
    node_ = Node("apiserver")
    node_.serves[6443] = (5, 5)
    with pytest.raises(AdminError, match="does not serve the certificate apiserver"):
        node_.work()
    assert [each[0] for each in node_.host.asked] == ["certs-restart"]


def test_etcd_is_restarted_only_where_it_can_spare_a_member():
    node_ = Node("etcd-server")
    node_.serves[2379] = (5, 0)
    node_.states = [Etcd(3, frozenset({"cp-1", "cp-2"}))]
    with pytest.raises(AdminError, match="other members are not a quorum now"):
        node_.work()
    assert node_.host.asked == []
    node_.states = [Etcd(1, frozenset({"cp-1"}))]
    assert node_.work().restarted == ("etcd",)


def test_etcd_whose_members_are_unknown_is_not_restarted_and_asked_again_for_a_while():
    unknown = Etcd(problem="no member gave the list")
    node_ = Node("etcd-server")
    node_.serves[2379] = (5, 0)
    node_.states = [unknown]
    with pytest.raises(AdminError, match="its members can't be asked: no member gave the list"):
        node_.work()
    assert node_.host.asked == []
    node_.states = [unknown, unknown, HEALTHY]
    assert node_.work().restarted == ("etcd",)


def test_a_member_that_does_not_answer_is_restarted_and_waited_for():
    """Its certificate had ended: for those who ask it, it was down."""
    node_ = Node("etcd-server")
    node_.serves[2379] = (5, 0)
    node_.states = [Etcd(3, frozenset({"cp-2"})), Etcd(3, frozenset({"cp-2"})), HEALTHY]
    assert node_.work().restarted == ("etcd",)
    assert node_.states == [HEALTHY]


def test_where_another_file_is_named_kubeadms_own_is_served_nowhere():
    """--tls-cert-file of the administrator's own: nothing is to be seen on the port, or restarted."""
    parts = PARTS | {"kube-apiserver": {"tls-cert-file": "/etc/kubernetes/pki/public/tls.crt"}}
    done = Node("apiserver", parts=parts).work()
    assert (done.changed[0].served, done.restarted) == (None, ())


def test_what_no_program_on_the_host_can_look_at_is_told_and_not_guessed():
    node_ = Node("etcd-peer")
    blind = AdminError("neither openssl nor curl is there to look at 10.0.0.1:2380")
    node_.serves[2380] = (blind, blind)
    done = node_.work()
    assert (done.changed[0].served, done.restarted) == (None, ())


def test_a_port_that_does_not_answer_for_a_moment_is_looked_at_again():
    node_ = Node("apiserver")
    answers = iter([AdminError("no answer"), None])
    usual = node_.served

    def served(node, port):
        if error := next(answers, None):
            raise error
        return usual(node, port)

    node_.served = served
    assert node_.work().restarted == ()


def test_what_kubeadm_has_passed_over_is_a_failure():
    log = "12:00:00 kubeadm certs renew apiserver\n12:00:01 kubeadm certs renew front-proxy-client\n"
    node_ = Node("apiserver", log=log)
    with pytest.raises(AdminError, match="has not renewed front-proxy-client"):
        node_.work()


def test_after_a_run_that_was_cut_off_everything_is_looked_at():
    node_ = Node("apiserver", backups=(Backup("20261125T110000Z", open=True),))
    node_.host.answers["certs-restart"] = b"young\n"
    done = node_.work()
    assert node_.host.restarted == ["kube-controller-manager", "kube-scheduler"]
    assert [one.name for one in done.changed] == ["apiserver"]


def test_all_is_all_that_the_node_has():
    every = list(work.RENEWABLE)
    done = Node(*every, log="12:00:00 kubeadm certs renew all\n").work()
    assert [one.name for one in done.changed] == every
    assert done.restarted == ("kube-controller-manager", "kube-scheduler")


def test_a_rollback_tells_what_has_changed_and_leaves_backups_as_they_are():
    node_ = Node("apiserver", backup=Backup("20261125T110000Z", open=False))
    done = node_.work()
    assert [one.name for one in done.changed] == ["apiserver"]
    assert all(each[0] != "rm" for each in node_.host.asked)


def test_what_somebody_else_has_changed_meanwhile_starts_nothing_anew():
    """Seen with two runs at once: the first took the second one's certificate for one that is not loaded."""
    node_ = Node("apiserver")
    mine, theirs = node_.after, certificate(999)

    def served(*_):
        node_.after = replace(
            mine,
            seen=tuple(replace(one, content=theirs) if one.name == "apiserver" else one for one in mine.seen),
        )
        return theirs

    node_.served = served
    with pytest.raises(AdminError, match="somebody else has changed the certificate apiserver"):
        node_.work()
    assert node_.host.asked == []
