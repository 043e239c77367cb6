"""`kubectl admin certs` on a real cluster: openssl has the last word on what lies and is served there."""

import json
import re
import time
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from tests import permissions
from tests.cluster import ended
from tests.cluster.labs import admin, stage_of
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

# Every certificate file of a node, each certificate of it with what openssl says, in lines «NAME VALUE».
FILES = r"""
for file in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /var/lib/kubelet/pki/kubelet.crt \
  /var/lib/kubelet/pki/kubelet-client-current.pem; do
  [ -e "$file" ] || continue
  echo "file $file"
  openssl x509 -noout -serial -enddate -ext subjectAltName < "$file" 2> /dev/null
done
for file in /etc/kubernetes/*.conf; do
  sed -n 's/.*client-certificate-data: //p' "$file" | grep . > /tmp/data || continue
  echo "file $file"
  base64 -d < /tmp/data | openssl x509 -noout -serial -enddate -ext subjectAltName 2> /dev/null
done
rm -f /tmp/data
"""
SERVED = """
address=$(hostname -i | cut -d' ' -f1)
for port in "$@"; do
  echo "file port $port"
  openssl s_client -connect "$address:$port" < /dev/null 2> /dev/null | openssl x509 -noout -serial
done
"""
PATIENCE = 240  # seconds until it must be so
BROKEN = "/etc/kubernetes/pki/beside.crt"


def told_by_openssl(lab: Lab, node: str, script: str, *arguments: str) -> dict[str, dict[str, str]]:
    """What openssl says of each file or port of a node: its serial, notAfter and names."""
    found: dict[str, dict[str, str]] = {}
    for line in lab.exec(node, ["sh", "-c", script, "sh", *arguments], timeout=180).stdout.splitlines():
        name, _, value = line.strip().partition("=")
        if line.startswith("file "):
            current = found[line.removeprefix("file ")] = {}
        elif name in ("serial", "notAfter"):
            current[name] = value
        elif line.startswith("    "):
            current["names"] = line.strip()
    return found


def end(certificate: dict) -> str:
    """A certificate's end as openssl writes it."""
    moment = datetime.fromisoformat(certificate["notAfter"]).astimezone(UTC)
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S} {moment.year} GMT"


def names(text: str) -> list[str]:
    """The subject alternative names that openssl has written, as the program writes them."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return [
        f"IP:{ip_address(part.removeprefix('IP Address:'))}" if part.startswith("IP Address:") else part
        for part in parts
    ]


@pytest.fixture(scope="module")
def items(shared_lab) -> list[dict]:
    """What certs says of each certificate."""
    answer = admin(shared_lab, "certs", "-o", "json")
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    assert document["hosts"] == ["cp-1", "cp-2", "cp-3", "worker-1"]
    assert document["findings"] == []
    return document["items"]


@pytest.mark.parametrize("node", ["cp-1", "cp-2", "cp-3", "worker-1"])
def test_openssl_agrees_with_every_date_serial_and_name_on_disk(lab, items, node):
    mine = {
        place: item["certificate"]
        for item in items
        for place in item["where"]
        # A kubeconfig embeds its authority as well.
        if node in item["nodes"] and not (place.endswith(".conf") and item["use"] == "authority")
    }
    files = told_by_openssl(lab, node, FILES)
    assert len(files) >= (15 if node.startswith("cp-") else 3)
    assert [file for file in files if file not in mine] == []
    for file, said in files.items():
        assert (file, mine[file]["serial"], end(mine[file])) == (file, said["serial"], said["notAfter"])
        assert mine[file]["subjectAlternativeNames"] == names(said.get("names", ""))


@pytest.mark.parametrize("node", ["cp-1", "worker-1"])
def test_openssl_sees_the_same_served(lab, items, node):
    ports = [6443, 2379, 2380, 10250] if node == "cp-1" else [10250]
    mine = {
        port: item["certificate"]["serial"]
        for item in items
        if node in item["nodes"]
        for port in item["servedOn"]
    }
    assert set(ports) <= set(mine)
    assert (10257 in mine, 10259 in mine) == (node == "cp-1", node == "cp-1")
    told = told_by_openssl(lab, node, SERVED, *map(str, ports))
    assert {f"port {port}": mine[port] for port in ports} == {
        port: one["serial"] for port, one in told.items()
    }


def test_the_table_fits_and_shows_what_ends_first(lab):
    answer = admin(lab, "certs")
    assert (answer.code, answer.err) == (0, "")
    rows = [re.split(r"\s{2,}", line) for line in answer.out.split("\n\n")[0].splitlines()]
    assert rows[0] == ["NAME", "NODES", "EXPIRES", "LEFT", "SERVED"]
    assert [row[2] for row in rows[1:]] == sorted(row[2] for row in rows[1:])
    by_name = {row[0]: row[1:] for row in rows[1:]}
    assert by_name["apiserver"][0] == "cp-1,cp-2,cp-3"
    assert by_name["apiserver"][-1] == ":6443"
    assert "!" not in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_without_hosts_what_is_served_shows_and_no_pod_is_made(lab):
    before = pods_of_events(lab)
    answer = admin(lab, "certs", "--no-host", "-o", "json")
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    assert document["hosts"] == []
    assert {port for item in document["items"] for port in item["servedOn"]} == {
        6443,
        2379,
        10250,
        10257,
        10259,
    }
    assert "user kubernetes-admin" in {item["name"] for item in document["items"]}
    assert [pod for pod in pods_of_events(lab) - before if pod.startswith("kubectl-admin-")] == []


def pods_of_events(lab: Lab) -> set[str]:
    """Of whom there are events. The last of a pod may come when it has been gone for a while."""
    output = "--output=jsonpath={.items[*].involvedObject.name}"
    return set(lab.kubectl("get", "events", "--namespace=kube-system", output).split())


def test_a_broken_file_put_beside_is_a_row_and_a_warning(lab):
    lab.exec("cp-2", ["sh", "-c", f"head -c 200 /etc/kubernetes/pki/ca.crt > {BROKEN}"])
    try:
        answer = admin(lab, "certs", "-o", "json")
    finally:
        lab.exec("cp-2", ["rm", BROKEN])
    (finding,) = json.loads(answer.out)["findings"]
    assert (answer.code, finding["rule"], finding["severity"]) == (0, "unreadable", "warning")
    assert (finding["subject"], finding["objects"]) == ("pki/beside.crt", ["node/cp-2"])


def test_metrics_are_one_gauge_a_certificate(lab):
    answer = admin(lab, "certs", "--no-host", "-o", "prometheus")
    head, kind, *samples = answer.out.splitlines()
    assert (head.split()[:2], kind.split()[-1]) == (["#", "HELP"], "gauge")
    label = r'[a-z_]+="(?:[^"\\]|\\["\\n])*"'
    sample = re.compile(
        rf"kubectl_admin_certificate_expiry_timestamp_seconds\{{{label}(?:,{label})*\}} \d{{10,}}"
    )
    assert [line for line in samples if not sample.fullmatch(line)] == []
    assert len(samples) == len(set(samples)) > 10


def test_everything_that_is_critical_at_a_century_is_exit_code_3(lab):
    answer = admin(lab, "certs", "--no-host", "--critical", "36500d", "-o", "name")
    assert answer.code == 3
    assert "cp-1/apiserver" in answer.out.splitlines()


def test_who_has_a_certificate_that_has_ended_is_told_how_to_get_another(lab, tmp_path):
    config = tmp_path / "ended.conf"
    config.write_text(ended.kubeconfig(lab))
    answer = admin(lab, "certs", KUBECONFIG=str(config))
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("error: the client certificate of user kubernetes-admin expired 2 days ago")
    assert "kubeadm certs renew admin.conf" in answer.err
    assert lab.exec("cp-1", ["kubeadm", "certs", "renew", "admin.conf"]).returncode == 0
    config.write_text(lab.exec("cp-1", ["cat", "/etc/kubernetes/admin.conf"]).stdout)
    assert admin(lab, "certs", "--no-host", KUBECONFIG=str(config)).code == 0


def test_api_servers_whom_kubelets_refuse_are_told_what_to_do_and_that_helps(lab):
    nodes = [each.name for each in lab.control_planes]
    try:
        for node in nodes:
            ended.put(lab, node, "/etc/kubernetes/pki/apiserver-kubelet-client.crt")
        # One after the other: each API server reads its certificate again by itself.
        refused = [f"node/{name}" for name in (*nodes, "worker-1")]
        until(lab, {"apiserver-refused": refused})
    finally:
        for node in nodes:
            lab.exec(node, ["kubeadm", "certs", "renew", "apiserver-kubelet-client"])
    until(lab, {})


def until(lab: Lab, wanted: dict[str, list[str]]) -> None:
    """Waits until the findings are of these rules only, each of these objects; then not all may be seen."""
    end = time.monotonic() + PATIENCE
    while True:
        document = json.loads(admin(lab, "certs", "-o", "json").out)
        told = {finding["rule"]: finding["objects"] for finding in document["findings"]}
        seen = {rule: objects for rule, objects in told.items() if rule != "not-seen"}
        if seen == wanted and (wanted or not told):
            return
        assert time.monotonic() < end, told
        time.sleep(0.5)


def test_the_permissions_of_the_page(shared_lab):
    tried = permissions.try_out(
        stage_of(shared_lab),
        "certs",
        lambda path: admin(shared_lab, "certs", "--no-host", "-o", "json", KUBECONFIG=str(path)),
    )
    assert tried.with_all.code == 0
    permissions.check(tried)
