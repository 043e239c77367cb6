from datetime import UTC, datetime, timedelta

import pytest

from kubectl_admin.certificates.facts import Process, Source, Use
from kubectl_admin.certificates.judge import authorities, judge
from kubectl_admin.certificates.judge.expiry import Thresholds
from kubectl_admin.certificates.x509 import Broken
from kubectl_admin.finding import Gap, Severity
from tests.unit.certificates.samples import NOW, authority, certificate, facts, seen, served

BAD, DOUBT, NOTE = Severity.VIOLATION, Severity.WARNING, Severity.NOTE
MONTH = Thresholds(timedelta(days=30), timedelta(days=7))


def found(*sights, thresholds=MONTH, **changes):
    """The findings of a cluster of these certificates."""
    return judge(facts(*sights, **changes), NOW, thresholds)


def rules(*sights, **changes):
    """Their rules and severities."""
    return [(one.rule, one.severity) for one in found(*sights, **changes)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (31, []),
        (30, [("expires-soon", DOUBT)]),
        (7.01, [("expires-soon", DOUBT)]),
        (7, [("expires-soon", BAD)]),
        (0.0001, [("expires-soon", BAD)]),
        (0, [("expired", BAD)]),
        (-400, [("expired", BAD)]),
    ],
)
def test_the_time_that_is_left(days, expected):
    assert rules(seen("apiserver", certificate(days=days))) == expected


def test_thresholds_are_the_askers():
    hour = Thresholds(timedelta(hours=1), timedelta(0))
    assert rules(seen("apiserver", certificate(days=1)), thresholds=hour) == []
    assert rules(seen("apiserver", certificate(days=-1)), thresholds=hour) == [("expired", BAD)]
    # A critical time above the warning's counts all the same.
    odd = Thresholds(timedelta(0), timedelta(days=60))
    assert rules(seen("apiserver", certificate(days=50)), thresholds=odd) == [("expires-soon", BAD)]


@pytest.mark.parametrize(
    ("name", "lives", "left", "expected"),
    [
        # A kubelet asks for another in the last 30 to 10 % of the time.
        ("kubelet-client", 7, 6, []),
        ("kubelet-client", 7, 0.71, []),
        ("kubelet-serving", 7, 0.7, [("expires-soon", BAD)]),
        ("kubelet-client", 7, -1, [("expired", BAD)]),
        ("kubelet-client", 365, 31, []),
        ("kubelet-client", 365, 30, [("expires-soon", DOUBT)]),
        ("kubelet-client", 365, 7, [("expires-soon", BAD)]),
        # Nobody renews these by itself, however short they live.
        ("apiserver", 7, 6, [("expires-soon", BAD)]),
        ("kubelet.conf", 7, 6, [("expires-soon", BAD)]),
    ],
)
def test_what_is_renewed_by_itself_is_late_by_its_own_lifetime(name, lives, left, expected):
    end = NOW + timedelta(days=left)
    content = certificate(name, days=left, not_before=end - timedelta(days=lives))
    assert rules(seen(name, content, use=Use.CLIENT)) == expected


def test_so_is_it_where_an_earlier_warning_is_wanted():
    early = Thresholds(timedelta(days=120), timedelta(days=90))
    content = certificate(days=60, not_before=NOW - timedelta(days=305))
    assert rules(seen("kubelet-client", content, use=Use.CLIENT), thresholds=early) == []
    assert rules(seen("apiserver", content), thresholds=early) == [("expires-soon", BAD)]


@pytest.mark.parametrize(
    ("hours", "plugin", "expected"),
    [
        (11, True, []),
        (1.2, True, [("expires-soon", DOUBT)]),
        (0, True, [("expired", BAD)]),
        (11, False, [("expires-soon", BAD)]),
    ],
)
def test_what_a_plugin_gives_is_wrong_when_it_has_ended(hours, plugin, expected):
    begin = NOW + timedelta(hours=hours - 12)
    content = certificate("ops", days=hours / 24, not_before=begin)
    own = seen("user ops", content, node="", source=Source.USER, use=Use.CLIENT, by_plugin=plugin)
    assert rules(own) == expected


def test_what_is_alike_on_several_nodes_is_said_once_with_the_first_end():
    (one,) = found(
        seen("apiserver", certificate(days=3, serial=2), node="cp2"),
        seen("apiserver", certificate(days=2, serial=1), node="cp1"),
        seen("apiserver", certificate(days=200, serial=3), node="cp3"),
    )
    assert one.objects == ("node/cp1", "node/cp2")
    assert one.evidence.startswith("expires in 2 days, at 2026-11-27 12:00 UTC")
    assert one.fix == "kubectl admin certs renew apiserver"


@pytest.mark.parametrize(
    ("name", "changes", "severity"),
    [
        ("kubelet-serving", {"content": certificate("w1", issuer="CN=w1-ca@1780000000", days=-1)}, DOUBT),
        ("scheduler-serving", {"content": certificate("x", issuer="CN=localhost-ca@1", days=-1)}, DOUBT),
        ("kubelet-serving", {"content": certificate("w1", days=-1)}, BAD),
        ("kubelet-serving", {"content": certificate("w1", issuer="CN=w1", days=-1)}, DOUBT),
        # Self-signed, and given to a server: its clients were given it as well.
        ("external-etcd", {"content": certificate("etcd", issuer="CN=etcd", days=-1)}, BAD),
        ("apiserver", {"content": certificate("api", issuer="CN=api", days=-1)}, BAD),
        ("pki/old.crt", {"content": certificate(days=-1), "required": False, "use": Use.UNKNOWN}, DOUBT),
        ("admin.conf", {"content": certificate(days=-1), "required": False, "use": Use.CLIENT}, BAD),
    ],
)
def test_what_nobody_checks_or_uses_is_a_warning_only(name, changes, severity):
    assert rules(seen(name, **changes)) == [("expired", severity)]


def test_an_authority_in_many_places_is_said_once():
    (one,) = found(authority(days=3), authority(days=3, node="cp2"), authority("kubeconfig", days=3, node=""))
    assert (one.rule, one.severity, one.subject) == ("expires-soon", BAD, "ca")
    assert "docs/certificates.md" in one.fix


@pytest.mark.parametrize(("days", "severity"), [(3650, DOUBT), (31, DOUBT), (20, BAD)])
def test_an_old_authority_beside_one_that_lasts_is_a_warning(days, severity):
    """A bundle in the midst of a change of authorities."""
    hook = "validatingwebhook/cert-manager"
    bundle = (certificate("old", days=-1), certificate("new", days=days, serial=2))
    findings = found(
        *(seen(hook, one, node="", source=Source.OBJECT, use=Use.AUTHORITY, where=hook) for one in bundle)
    )
    assert [one.severity for one in findings if one.rule == "expired"] == [severity]


def test_an_end_in_an_object_is_its_owners():
    hooks = ("validatingwebhook/cert-manager", "apiservice/v1.example")
    (one,) = found(
        *(
            seen(hook, certificate(days=1), node="", source=Source.OBJECT, use=Use.AUTHORITY, where=hook)
            for hook in hooks
        )
    )
    assert (one.subject, one.objects) == ("caBundle", hooks)
    assert "the tool that installed it" in one.fix


@pytest.mark.parametrize(
    ("organization", "fix"),
    [
        ("kubeadm:cluster-admins", "kubectl admin certs renew admin.conf"),
        ("system:masters", "kubectl admin certs renew super-admin.conf"),
        ("developers", "ask the issuer"),
    ],
)
def test_who_renews_the_users_own(organization, fix):
    own = certificate("ops", days=1, organizations=(organization,))
    (one,) = found(seen("user ops", own, node="", source=Source.USER, use=Use.CLIENT))
    assert one.fix.startswith(fix)
    assert one.objects == ()


def test_a_certificate_of_the_future():
    future = certificate(not_before=NOW + timedelta(hours=3))
    (one,) = found(seen("apiserver", future))
    assert (one.rule, one.severity) == ("not-valid-yet", BAD)
    assert one.evidence == "becomes valid in 3 hours, at 2026-11-25 15:00 UTC"


def test_what_is_broken_is_as_bad_as_it_is_used():
    broken = Broken("it is not base64")
    assert rules(seen("apiserver", broken)) == [("unreadable", BAD)]
    assert rules(seen("pki/x.crt", broken, required=False)) == [("unreadable", DOUBT)]
    (one,) = found(seen("apiserver", broken), seen("apiserver", broken, node="cp2"))
    assert one.objects == ("node/cp1", "node/cp2")


OLD, NEW = certificate(serial=0x1111AAAA, days=10.5), certificate(serial=0x2222BBBB)


def test_a_certificate_that_was_renewed_and_not_loaded():
    told = found(
        seen("apiserver", NEW),
        served("apiserver", OLD),
        seen("apiserver", NEW, node="cp2"),
        served("apiserver", NEW, node="cp2"),
        thresholds=Thresholds(timedelta(0), timedelta(0)),
    )
    (one,) = told
    assert (one.rule, one.severity, one.objects) == ("not-loaded", BAD, ("node/cp1",))
    assert one.evidence == (
        "kube-apiserver serves serial …1111AAAA (until 2026-12-06) on port 6443;"
        " on disk is serial …2222BBBB (until 2027-11-25)"
    )
    assert one.fix.startswith("kubectl admin certs renew apiserver, which verifies that it is loaded")


@pytest.mark.parametrize(
    ("name", "lying", "shown"),
    [
        # They make their own, whatever lies there.
        ("kubelet-serving", certificate("a"), certificate("b", issuer="CN=w1-ca@1780000000")),
        ("scheduler-serving", None, certificate("b", issuer="CN=localhost-ca@1")),
        # Nothing was seen on the disk.
        ("apiserver", None, certificate("b")),
        # It can't be read, which is a finding of its own.
        ("apiserver", Broken("it is empty"), certificate("b")),
    ],
)
def test_what_is_never_called_stale(name, lying, shown):
    sights = [served(name, shown, port=1)] + ([seen(name, lying)] if lying else [])
    assert "not-loaded" not in dict(rules(*sights))


def test_a_kubelet_that_does_not_serve_what_it_was_given():
    (one,) = found(
        seen("kubelet-serving", NEW, node="w1"),
        served("kubelet-serving", OLD, node="w1", port=10250),
        thresholds=Thresholds(timedelta(0), timedelta(0)),
    )
    assert one.fix == "systemctl restart kubelet, on that node"


@pytest.mark.parametrize(("seconds", "expected"), [(-60, []), (0, []), (2, []), (3, [("not-loaded", BAD)])])
def test_a_kubeconfig_that_was_written_after_its_process_began(seconds, expected):
    process = Process("cp1", "kube-scheduler", "scheduler.conf", NOW)
    config = seen(
        "scheduler.conf",
        source=Source.KUBECONFIG,
        use=Use.CLIENT,
        changed=NOW + timedelta(seconds=seconds),
    )
    assert rules(config, processes=(process,)) == expected


def test_a_kubeconfig_that_names_files_is_read_again_by_itself():
    process = Process("cp1", "kube-scheduler", "scheduler.conf", NOW)
    file = seen("scheduler.conf", use=Use.CLIENT, changed=NOW + timedelta(days=1))
    assert rules(file, processes=(process,)) == []


def test_an_authority_that_ends_before_what_it_signed():
    leaf = certificate("apiserver", days=400, authority_key="aa")
    (one,) = found(authority(days=365), seen("apiserver", leaf), seen("apiserver", leaf, node="cp2"))
    assert (one.rule, one.severity, one.subject) == ("authority-expires-first", DOUBT, "ca")
    assert one.objects == ("node/cp1", "node/cp2")
    assert rules(authority(days=365), seen("x", certificate("x", days=400, authority_key="bb"))) == []
    assert rules(authority(days=400), seen("x", certificate("x", days=400, authority_key="aa"))) == []


@pytest.mark.parametrize(
    ("own", "names", "told"),
    [
        ("aa", {"authority_key": "aa"}, True),
        ("aa", {"authority_key": ""}, True),
        ("", {"authority_key": "aa"}, True),
        ("aa", {"authority_key": "bb"}, False),
        ("aa", {"authority_key": "aa", "issuer": "CN=other"}, False),
    ],
)
def test_who_has_signed_what_is_told_by_name_and_key_where_both_say_that(own, names, told):
    signer = certificate("kubernetes", days=365, authority=True, subject_key=own, authority_key=own)
    leaf = seen("apiserver", certificate("apiserver", days=400, **names))
    assert bool(found(seen("ca", signer, use=Use.AUTHORITY), leaf)) is told


def test_authorities_are_not_each_compared_with_every_certificate(monkeypatch):
    """Counted, not timed: a node may show hundreds of one name, and each lasts longer than another."""
    monkeypatch.setattr(authorities, "MOST", 3)
    compared = 0

    class Moment(datetime):
        def __gt__(self, other):
            nonlocal compared
            compared += 1
            return super().__gt__(other)

    ends = [
        Moment.fromtimestamp((NOW + timedelta(days=900 + place)).timestamp(), UTC) for place in range(200)
    ]
    shown = [
        seen(
            f"ca-{place}",
            certificate("ca", issuer="CN=ca", serial=place, authority=True, not_after=end),
            use=Use.AUTHORITY,
            node=f"w{place}",
        )
        for place, end in enumerate(ends)
    ]
    told = list(authorities.expiring_first(facts(*shown)))
    assert len(told) == 199
    assert told[0].objects == ("node/w197", "node/w198", "node/w199")
    assert compared <= 200 * 4


def test_a_kubelet_conf_with_a_certificate_of_its_own():
    told = found(seen("kubelet.conf", source=Source.KUBECONFIG, use=Use.CLIENT, node="w1"))
    assert [(one.rule, one.severity, one.objects) for one in told] == [
        ("kubelet-conf-embeds", DOUBT, ("node/w1",))
    ]


def test_an_authority_whose_key_is_elsewhere():
    told = found(seen("apiserver"), authority(key=False))
    assert [(one.rule, one.severity, one.subject) for one in told] == [("external-authority", NOTE, "ca")]
    # A worker never has it.
    assert rules(seen("kubelet-client", node="w1"), authority(key=False, node="w1")) == []
    assert rules(seen("apiserver"), authority(key=True)) == []


def test_kubelets_that_refuse_the_api_server():
    (one,) = found(refusing=("cp1", "w1"))
    assert (one.rule, one.severity, one.objects) == ("apiserver-refused", BAD, ("node/cp1", "node/w1"))
    assert "kubeadm certs renew apiserver-kubelet-client" in one.fix


def test_kubelets_without_a_certificate():
    (one,) = found(uncertified=("w1",))
    assert (one.rule, one.severity, one.objects) == ("kubelet-without-certificate", BAD, ("node/w1",))
    assert "kubectl admin certs csr" in one.fix


def test_what_could_not_be_seen_is_a_note_and_the_worst_stands_first():
    told = rules(
        seen("apiserver", certificate(days=20)),
        seen("etcd-peer", certificate(days=1)),
        gaps=(Gap("the disk of node w9", "not Ready"),),
    )
    assert told == [("expires-soon", BAD), ("expires-soon", DOUBT), ("not-seen", NOTE)]
