"""Ways to break a lab beside those of `lab.faults`; each is a context that ends with the lab mended.

What a context gives is the kubeconfig to look with; None for the administrator's.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import permissions
from tests.cluster import labs
from tests.lab.nodes import users
from tests.lab.nodes.lab import Lab

PKI = "/etc/kubernetes/pki/etcd"
API_PORT, ETCD_PORT, PEER_PORT = 6443, 2379, 2380
KUBE_PROXY = "k8s-app=kube-proxy"
DNS = "k8s-app=kube-dns"


# Where the process of a component says itself that it is well.
ENDPOINTS = {
    "etcd": "http://127.0.0.1:2381/readyz",
    "kube-apiserver": "https://127.0.0.1:6443/livez",
    "kube-controller-manager": "https://127.0.0.1:10257/healthz",
    "kube-proxy": "http://127.0.0.1:10256/livez",
    "kube-scheduler": "https://127.0.0.1:10259/healthz",
    "kubelet": "http://127.0.0.1:10248/healthz",
}
# Seconds for which one process must have answered. One that was frozen for long answers for a moment, until
# it sees that it has lost its Lease and ends.
STAYS = 3


def on(lab: Lab, node: str, script: str) -> str:
    """What a script writes that runs on a node as root."""
    return lab.exec(node, ["sh", "-ec", script], timeout=240).stdout.strip()


def wait_until_it_runs(lab: Lab, node: str, program: str) -> None:
    """Return when a process of a component has answered at its own endpoint for a while."""
    if program not in ENDPOINTS:
        return
    wait = f"""
        well() {{ curl --silent --fail --insecure --max-time 2 --output /dev/null {ENDPOINTS[program]}; }}
        for _ in $(seq 240); do
            pid=$(pidof {program} || true)
            if [ "$pid" ] && well && sleep {STAYS} && well && [ "$(pidof {program})" = "$pid" ]; then
                exit 0
            fi
            sleep 0.5
        done
        echo "{program} does not run for {STAYS} s" >&2
        exit 1
    """
    on(lab, node, wait)


@contextmanager
def nothing(lab: Lab, node: str) -> Iterator[None]:
    """Nothing is broken."""
    del lab, node
    yield


@contextmanager
def off(lab: Lab, node: str) -> Iterator[None]:
    """The node has no power."""
    with lab.faults.node(node):
        yield


@contextmanager
def frozen(lab: Lab, node: str, program: str) -> Iterator[None]:
    """The processes of a program on a node do not go on; a node sees no processes but its own."""
    on(lab, node, f"kill -STOP $(pidof {program})")
    try:
        yield
    finally:
        # The kubelet may have replaced it meanwhile.
        on(lab, node, f"pidof {program} | xargs --no-run-if-empty kill -CONT || true")
        wait_until_it_runs(lab, node, program)


@contextmanager
def stopped(lab: Lab, node: str, component: str) -> Iterator[None]:
    """The manifest of a static pod is taken away, and its process has ended."""
    with lab.faults.static_pod(node, component):
        yield


@contextmanager
def kubelet_stopped(lab: Lab, node: str) -> Iterator[None]:
    """The kubelet is stopped; its pods go on."""
    with lab.faults.kubelet(node):
        yield


@contextmanager
def runtime_stopped(lab: Lab, node: str) -> Iterator[None]:
    """containerd is stopped; its containers go on."""
    with lab.faults.runtime(node):
        yield


@contextmanager
def cut_off(lab: Lab, node: str, port: int) -> Iterator[None]:
    """Nothing that leaves a node, or comes to it, to or from that TCP port arrives."""
    rules = [
        f"{chain} -p tcp --{side} {port} -j DROP"
        for chain in ("INPUT", "OUTPUT")
        for side in ("dport", "sport")
    ]
    if port != PEER_PORT:
        rules = [f"OUTPUT -p tcp --dport {port} -j DROP"]
    try:
        on(lab, node, "; ".join(f"iptables -w -I {rule}" for rule in rules))
        yield
    finally:
        on(lab, node, "; ".join(f"iptables -w -D {rule} || true" for rule in rules))


@contextmanager
def no_kube_proxy(lab: Lab, node: str) -> Iterator[None]:
    """The kube-proxy of a node is deleted, and a quota keeps the DaemonSet from making another."""
    lab.kubectl("-n", "kube-system", "create", "quota", "none", "--hard=pods=0")
    try:
        delete_pods(lab, KUBE_PROXY, node)
        yield
    finally:
        lab.kubectl("-n", "kube-system", "delete", "quota", "none")
        # The DaemonSet's controller has backed off; a change of the object wakes it.
        lab.kubectl("-n", "kube-system", "annotate", "daemonset/kube-proxy", "woken=yes", "--overwrite")


@contextmanager
def rules_not_written(lab: Lab, node: str) -> Iterator[None]:
    """What writes kube-proxy's rules does not come back, as where another program holds its lock.

    iptables in its nft form has no such lock, so a program that waits for ever stands where it was. A
    Service that comes makes kube-proxy call it.
    """
    root = "/proc/$(pidof kube-proxy)/root"
    names = ("/usr/sbin/iptables-restore", "/usr/sbin/ip6tables-restore")
    try:
        on(
            lab,
            node,
            f"waits=$(ls -d /proc/[0-9]*/root/pause | head -n 1); for name in {' '.join(names)}; do "
            f"mv {root}$name {root}$name.off; cp $waits {root}$name; done",
        )
        lab.kubectl("create", "service", "clusterip", "waits", "--tcp=80:80")
        yield
    finally:
        for name in names:
            on(lab, node, f"if [ -e {root}{name}.off ]; then mv -f {root}{name}.off {root}{name}; fi")
        on(lab, node, "pidof iptables-restore ip6tables-restore | xargs --no-run-if-empty kill -KILL || true")
        lab.kubectl("delete", "service", "waits", "--ignore-not-found")
        delete_pods(lab, KUBE_PROXY, node)


@contextmanager
def xtables_locked(lab: Lab, node: str) -> Iterator[None]:
    """Another program holds the lock of xtables, which iptables in its nft form does not take."""
    on(lab, node, "systemd-run --unit=holds-xtables --quiet flock /run/xtables.lock sleep 600")
    try:
        lab.kubectl("create", "service", "clusterip", "waits", "--tcp=80:80")
        yield
    finally:
        on(lab, node, "systemctl stop holds-xtables")
        lab.kubectl("delete", "service", "waits", "--ignore-not-found")


@contextmanager
def no_space(lab: Lab, node: str) -> Iterator[None]:
    """A member of etcd has the alarm NOSPACE, so that nobody writes anything."""
    secured = f"--cacert {PKI}/ca.crt --cert {PKI}/server.crt --key {PKI}/server.key"

    def ask(path: str, body: object) -> dict[str, object]:
        given = json.dumps(body)
        url = f"https://127.0.0.1:{ETCD_PORT}/v3/maintenance/{path}"
        told = on(lab, node, f"curl --silent --fail {secured} --data '{given}' {url}")
        found: dict[str, object] = json.loads(told)
        return found

    header = ask("status", {})["header"]
    assert isinstance(header, dict)
    alarm = {"memberID": header["member_id"], "alarm": "NOSPACE"}
    try:
        ask("alarm", {"action": "ACTIVATE", **alarm})
        yield
    finally:
        ask("alarm", {"action": "DEACTIVATE", **alarm})


@contextmanager
def no_dns(lab: Lab, node: str) -> Iterator[None]:
    """CoreDNS has no pods."""
    del node
    lab.kubectl("-n", "kube-system", "scale", "deployment/coredns", "--replicas=0")
    try:
        lab.kubectl(
            "-n", "kube-system", "wait", "pod", "-l", DNS, "--for=delete", "--timeout=120s", timeout=150
        )
        yield
    finally:
        lab.kubectl("-n", "kube-system", "scale", "deployment/coredns", "--replicas=2")


@contextmanager
def dns_without_api(lab: Lab, node: str) -> Iterator[None]:
    """CoreDNS reaches no API server, and has begun again since: one that knows all goes on as before.

    The rule is in the network of its pod, which outlives the process.
    """
    del node
    cut = (
        "for each in $(pidof coredns); do "
        "nsenter -t $each -n iptables -w -I OUTPUT -p tcp --dport 443 -j DROP; kill -KILL $each; done"
    )
    try:
        for each in dns_nodes(lab):
            on(lab, each, cut)
        yield
    finally:
        delete_pods(lab, DNS)


@contextmanager
def dns_frozen(lab: Lab, node: str) -> Iterator[None]:
    """The processes of CoreDNS do not go on."""
    del node
    nodes = dns_nodes(lab)
    for each in nodes:
        on(lab, each, "kill -STOP $(pidof coredns)")
    try:
        yield
    finally:
        for each in nodes:
            on(lab, each, "pidof coredns | xargs --no-run-if-empty kill -CONT || true")


def dns_nodes(lab: Lab) -> list[str]:
    """The nodes where CoreDNS runs."""
    where = ("-l", DNS, "-o", "jsonpath={.items[*].spec.nodeName}")
    return sorted(set(lab.kubectl("-n", "kube-system", "get", "pods", *where).split()))


@contextmanager
def objects(lab: Lab, node: str, *documents: dict[str, object]) -> Iterator[None]:
    """Objects of the API that should not be so."""
    del node
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
    try:
        apply(lab, text)
        yield
    finally:
        with temporary(lab, text) as file:
            lab.kubectl("delete", "--ignore-not-found", "-f", str(file))


@contextmanager
def no_balancer(lab: Lab, node: str) -> Iterator[None]:
    """The load balancer has cut all connections and takes no new ones."""
    del node
    with lab.faults.load_balancer():
        yield


@contextmanager
def few_rights(lab: Lab, node: str) -> Iterator[Path]:
    """A user who may list nodes and pods, and nothing else."""
    del node
    kubeconfig = users.user(lab, "few-rights")
    lab.kubectl("create", "clusterrole", "few-rights", "--verb=list,get,watch", "--resource=nodes,pods")
    try:
        lab.kubectl(
            "create", "clusterrolebinding", "few-rights", "--clusterrole=few-rights", "--user=few-rights"
        )
        yield Path(kubeconfig)
    finally:
        lab.kubectl("delete", "clusterrole,clusterrolebinding", "few-rights", "--ignore-not-found")


@contextmanager
def rights_without(lab: Lab, node: str, *rights: str) -> Iterator[Path]:
    """A user with the rights of docs/permissions.md but for these."""
    del node
    with permissions.holder(labs.stage_of(lab), "health", rights) as kubeconfig:
        yield kubeconfig


@contextmanager
def rights_on(lab: Lab, node: str, allowed: str) -> Iterator[Path]:
    """The same, where ports may be forwarded to the kube-system's pods of one node alone."""
    del node
    objects = permissions.of_page("health")
    for rule in (rule for role in objects for rule in role["rules"]):
        if "pods/portforward" in rule.get("resources", ()):
            names = "jsonpath={.items[*].metadata.name}"
            there = ("get", "pods", f"--field-selector=spec.nodeName={allowed}", "-o", names)
            rule["resourceNames"] = lab.kubectl("-n", "kube-system", *there).split()
    with permissions.bound(labs.stage_of(lab), {"some-rights": objects}):
        yield users.user(lab, "some-rights")


@contextmanager
def clock_off(lab: Lab, node: str, seconds: float) -> Iterator[None]:
    """The health endpoint of a node's kube-proxy tells a time that is off by so much.

    All nodes have this machine's clock, so a relay that changes the times in the answer stands in for one.
    """
    relay = (Path(__file__).parent / "clock_relay.pl").read_text(encoding="utf-8")
    rule = (
        "OUTPUT -t nat -o lo -p tcp --dport 10256 -m owner ! --uid-owner nobody -j REDIRECT --to-ports 11256"
    )
    try:
        lab.exec(
            node,
            [
                *("systemd-run", "--unit=clock-relay", "--quiet", "--uid=nobody"),
                *("perl", "-e", relay, "11256", "10256", str(seconds)),
            ],
        )
        on(lab, node, f"until ss -ltn | grep -q :11256; do sleep 0.1; done; iptables -w -I {rule}")
        yield
    finally:
        on(lab, node, f"iptables -w -D {rule} || true; systemctl stop clock-relay || true")


def delete_pods(lab: Lab, selector: str, node: str = "") -> None:
    """Deletes pods of kube-system, of one node or of all."""
    where = [f"--field-selector=spec.nodeName={node}"] if node else []
    lab.kubectl("-n", "kube-system", "delete", "pod", "-l", selector, *where, timeout=120)


def apply(lab: Lab, text: str) -> None:
    """Makes objects as they are in a text."""
    with temporary(lab, text) as file:
        lab.kubectl("create", "-f", str(file))


@contextmanager
def temporary(lab: Lab, text: str) -> Iterator[Path]:
    """A file of the lab's folder with a text."""
    file = lab.folder / "objects.json"
    file.write_text(text, encoding="utf-8")
    try:
        yield file
    finally:
        file.unlink()
