import json
from datetime import timedelta

import pytest

from kubectl_admin.certificates.facts import Source, Use
from kubectl_admin.certificates.inventory import report as module
from kubectl_admin.certificates.judge import judge
from kubectl_admin.certificates.judge.expiry import Thresholds
from kubectl_admin.certificates.x509 import Broken
from kubectl_admin.report import terminal
from kubectl_admin.report.document import to_json
from tests.unit.certificates.samples import NOW, authority, certificate, facts, seen, served

THRESHOLDS = Thresholds()


def report(*sights, wide=False, **changes):
    cluster = facts(*sights, **changes)
    return module.report(cluster, judge(cluster, NOW, THRESHOLDS), NOW, THRESHOLDS, wide=wide)


def shown(*sights, wide=False, **changes):
    """The rows of the table, and the lines below it."""
    text = terminal.render(
        report(*sights, wide=wide, **changes), wide=wide, headers=True, colour=False, width=80
    )
    table, _, rest = text.partition("\n\n")
    return [line.split() for line in table.splitlines()], rest.splitlines()


def apiserver(node, serial=1, days=365.0):
    return certificate("kube-apiserver", serial=serial + ord(node[-1]), days=days)


def test_rows_that_look_alike_are_one_and_the_first_to_end_stands_first():
    rows, below = shown(
        *(seen("apiserver", apiserver(node), node=node) for node in ("cp1", "cp2", "cp3")),
        *(served("apiserver", apiserver(node), node=node) for node in ("cp1", "cp2", "cp3")),
        *(authority(node=node) for node in ("cp1", "cp2", "cp3", "w1")),
        seen(
            "kubelet-client",
            certificate("w1", days=4, not_before=NOW - timedelta(days=361)),
            node="w1",
            use=Use.CLIENT,
        ),
    )
    assert rows == [
        ["NAME", "NODES", "EXPIRES", "LEFT", "SERVED"],
        ["kubelet-client", "w1", "2026-11-29", "4d!", "-"],
        ["apiserver", "cp1,cp2,cp3", "2027-11-25", "365d", ":6443"],
        ["ca", "cp1,cp2,cp3,w1", "2036-11-22", "3650d", "-"],
    ]
    assert below[:2] == [
        "context lab, 5 certificates, disks of 4 of 4 nodes",
        "first to expire, generated ones aside: kubelet-client on w1, in 4 days",
    ]


def test_wide_shows_each_with_all_about_it():
    rows, _ = shown(
        seen("apiserver", certificate("a", serial=0xAB, names=("DNS:x", "IP:10.0.0.1"))),
        seen("apiserver", certificate("a", serial=0xAC), node="cp2"),
        wide=True,
    )
    assert rows[0][5:] == ["SIGNER", "KEY", "SERIAL", "NAMES", "WHERE"]
    assert rows[1] == [
        *("apiserver", "cp1", "2027-11-25T12:00:00Z", "365d", "-", "CN=kubernetes", "RSA", "2048", "AB"),
        *("DNS:x,IP:10.0.0.1", "/etc/kubernetes/pki/apiserver.crt"),
    ]
    assert [row[1] for row in rows[2:]] == ["cp2"]


def test_what_is_served_although_another_one_lies_there():
    rows, _ = shown(
        seen("etcd-server", certificate(serial=2, days=300)),
        served("etcd-server", certificate(serial=1, days=100), port=2379),
    )
    assert [(row[0], row[-1]) for row in rows[1:]] == [("etcd-server", ":2379!"), ("etcd-server", "no!")]


def test_an_authority_in_two_objects_is_a_row_each():
    bundle = authority(node="").certificate
    kinds = ("validatingwebhook/a", "apiservice/b")
    hooks = [
        seen(name, bundle, node="", source=Source.OBJECT, use=Use.AUTHORITY, where=name) for name in kinds
    ]
    rows, _ = shown(authority(), *hooks)
    assert sorted(row[0] for row in rows[1:]) == ["apiservice/b", "ca", "validatingwebhook/a"]


def test_what_is_broken_stands_on_top():
    rows, _ = shown(
        seen("apiserver", certificate(days=-3)),
        seen("pki/x.crt", Broken("it is empty"), required=False),
        seen("etcd-peer", Broken("it is empty"), node="cp2"),
    )
    assert [row[:4] for row in rows[1:]] == [
        ["pki/x.crt", "cp1", "-", "broken?"],
        ["etcd-peer", "cp2", "-", "broken!"],
        ["apiserver", "cp1", "2026-11-22", "expired!"],
    ]


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(days=20), "20d?"),
        (timedelta(days=1, hours=23), "47h!"),
        (timedelta(hours=1, minutes=59), "119m!"),
        (timedelta(seconds=90), "90s!"),
        (timedelta(0), "expired!"),
    ],
)
def test_the_time_left_in_one_unit(time, text):
    rows, _ = shown(seen("apiserver", certificate(not_after=NOW + time)))
    assert rows[1][3] == text


def test_many_nodes_are_a_number():
    nodes = [f"worker-{number}" for number in range(500)]
    rows, _ = shown(
        *(seen("kubelet-client", certificate(n, serial=1), node=n, use=Use.CLIENT) for n in nodes)
    )
    assert rows[1][1] == "worker-0,+499"


def test_a_real_clusters_table_fits_80_columns():
    names = ("apiserver-kubelet-client", "etcd-healthcheck-client", "controller-manager.conf")
    nodes = ("control-plane-1", "control-plane-2", "control-plane-3")
    text = terminal.render(
        report(
            *(seen(name, certificate(name + node), node=node) for name in names for node in nodes),
            seen("controller-manager-serving", certificate("x", days=2000)),
        ),
        wide=False,
        headers=True,
        colour=False,
        width=80,
    )
    assert max(map(len, text.splitlines())) <= 80


def test_an_external_etcd_and_no_disks():
    _, below = shown(served("apiserver", certificate()), hosts=frozenset(), etcd_servers=("https://e:2379",))
    assert below[0].endswith("disks of 0 of 1 nodes")
    assert "etcd is external, with certificates of its own: https://e:2379" in below


def test_a_cluster_that_shows_nothing():
    assert shown()[0][0][:3] == ["context", "lab,", "0"]


def as_json(answer):
    """The document of a report, as a program reads it."""
    return json.loads(to_json(answer))


def test_the_document():
    one = seen("apiserver", certificate("a", serial=0xABC, names=("DNS:x",)))
    answer = as_json(report(one, served("apiserver", one.certificate), seen("x", Broken("it is empty"))))
    assert answer["kind"] == "CertificateReport"
    assert answer["hosts"] == ["cp1"]
    broken, first = answer["items"]
    assert (broken["problem"], broken["certificate"]) == ("it is empty", None)
    assert (first["name"], first["nodes"], first["servedOn"], first["stale"]) == (
        "apiserver",
        ["cp1"],
        [6443],
        False,
    )
    assert first["where"] == ["/etc/kubernetes/pki/apiserver.crt", "port 6443"]
    assert first["certificate"]["serial"] == "0ABC"
    assert first["certificate"]["notAfter"] == "2027-11-25T12:00:00Z"
    assert first["certificate"]["secondsLeft"] == 365 * 86400


def test_names():
    told = report(
        seen("apiserver"),
        seen("user ops", certificate("ops"), node="", source=Source.USER, use=Use.CLIENT),
    )
    assert list(told.names()) == ["cp1/apiserver", "user/ops"]


def test_metrics_for_a_textfile():
    nasty = 'a"b\\c\nd\x1b'
    text = report(
        seen("apiserver", certificate("a", serial=0xAB)),
        seen("apiserver", certificate("a", serial=0xAB)),
        served("apiserver", certificate("a", serial=0xAB)),
        seen("x", certificate(nasty, issuer="CN=x"), where="/p"),
        seen("y", Broken("it is empty")),
    ).texts["prometheus"]()
    head, kind, *samples = text.splitlines()
    metric = "kubectl_admin_certificate_expiry_timestamp_seconds"
    assert head.startswith(f"# HELP {metric} ")
    assert kind == f"# TYPE {metric} gauge"
    assert samples == [
        f'{metric}{{name="apiserver",node="cp1",source="file",where="/etc/kubernetes/pki/apiserver.crt",'
        'common_name="a",issuer="CN=kubernetes",serial="AB"} 1827144000',
        f'{metric}{{name="apiserver",node="cp1",source="served",where="port 6443",'
        'common_name="a",issuer="CN=kubernetes",serial="AB"} 1827144000',
        f'{metric}{{name="x",node="cp1",source="file",where="/p",'
        r'common_name="a\"b\\c\\nd\\x1b",issuer="CN=x",serial="01"} 1827144000',
    ]
