"""Files of nodes that say something wrong, each put back in the end; the node's kubelet acts on them."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.health.breaks import KUBE_PROXY, delete_pods, on, wait_until_it_runs
from tests.lab.nodes.lab import Lab

KEPT = "/var/lib/kept-by-the-matrix"


@contextmanager
def edited(lab: Lab, node: str, path: str, edit: str, then: str = "true") -> Iterator[None]:
    """A file of a node after a sed script. then: what makes its reader read it again."""
    kept = f"{KEPT}/{path.replace('/', '_')}"
    try:
        # A kubelet must never see half of a manifest, nor two of one pod.
        on(
            lab,
            node,
            f"mkdir -p {KEPT}; cp -p {path} {kept}; sed '{edit}' {kept} > {kept}.new; "
            f"! cmp -s {kept} {kept}.new; mv {kept}.new {path}; {then}",
        )
        yield
    finally:
        on(lab, node, f"if [ -e {kept} ]; then mv {kept} {path}; {then}; fi")


@contextmanager
def manifest(lab: Lab, node: str, component: str, edit: str) -> Iterator[None]:
    """The manifest of a static pod after a sed script; the process of before has ended."""
    wait_until_it_runs(lab, node, component)  # or its end, from a case before, would be taken for this one
    before = on(lab, node, f"pidof {component} || true")
    with edited(lab, node, f"/etc/kubernetes/manifests/{component}.yaml", edit):
        on(
            lab,
            node,
            f"for _ in $(seq 240); do kill -0 {before} 2>/dev/null || exit 0; sleep 0.5; done; exit 1",
        )
        yield


@contextmanager
def wrong_flag(lab: Lab, node: str, component: str) -> Iterator[None]:
    """A static pod is given a flag that its program does not know."""
    with manifest(lab, node, component, f"s/^    - {component}$/&\\n    - --no-such-flag=1/"):
        yield


@contextmanager
def other_address(lab: Lab, node: str, component: str) -> Iterator[None]:
    """A component listens at its node's address instead of the loopback, and its probes ask there."""
    address = lab.node(node).address
    edit = f"s/--bind-address=127.0.0.1/--bind-address={address}/; s/host: 127.0.0.1/host: {address}/"
    with manifest(lab, node, component, edit):
        yield


@contextmanager
def not_listening(lab: Lab, node: str, component: str) -> Iterator[None]:
    """The container of a component runs, and what runs in it listens nowhere."""
    edit = (
        f"s/^    - {component}$/    - sh\\n    - -c\\n    - sleep 3600\\n    - {component}/; "
        "s|image: .*|image: localhost/lab/busybox:1|"
    )
    with manifest(lab, node, component, edit):
        yield


@contextmanager
def without_api(lab: Lab, node: str, component: str) -> Iterator[None]:
    """A controller-manager or scheduler is told to find its API server at a port where nothing listens.

    It has begun with that: as long as nothing runs, something else would be found.
    """
    with manifest(lab, node, component, f"s/^    - {component}$/&\\n    - --master=https:\\/\\/127.0.0.1:1/"):
        wait_until_it_runs(lab, node, component)
        yield


@contextmanager
def kubelet_flag(lab: Lab, node: str) -> Iterator[None]:
    """A kubelet is given a flag that it does not know."""
    edit = "s/^KUBELET_EXTRA_ARGS=.*/KUBELET_EXTRA_ARGS=--no-such-flag/"
    with edited(lab, node, "/etc/default/kubelet", edit, "systemctl restart kubelet || true"):
        yield


@contextmanager
def kube_proxy_flag(lab: Lab, node: str) -> Iterator[None]:
    """The kube-proxy of a node has begun with a configuration that it refuses; the others have not."""
    config = lab.kubectl("-n", "kube-system", "get", "configmap", "kube-proxy", "-o", "yaml")
    refused = config.replace('mode: ""', "mode: nonsense")
    assert refused != config

    def replace(text: str) -> None:
        file = lab.folder / "kube-proxy.yaml"
        file.write_text(text, encoding="utf-8")
        lab.kubectl("replace", "--force", "-f", str(file), timeout=120)
        file.unlink()

    try:
        replace(refused)
        delete_pods(lab, KUBE_PROXY, node)
        yield
    finally:
        replace(config)
        delete_pods(lab, KUBE_PROXY, node)
