"""Pods of the lab reach each other, across nodes and through Services, as on any cluster."""

import json
from collections.abc import Iterator

import pytest

from tests.lab.nodes.lab import Lab
from tests.lab.recipes import images

pytestmark = pytest.mark.lab

NAMESPACE = "lab-pods"
PORT = 8080
ASKED = 80  # times; that one of four endpoints is never met has a chance of 4 in 10,000,000,000
# A Service's address is refused until the node has heard of its endpoints.
GET = "curl --silent --show-error --fail --max-time 60 --retry 60 --retry-delay 1 --retry-connrefused"
SERVE = f'echo "$NODE" > /tmp/index.html; exec httpd -f -p {PORT} -h /tmp'


def objects() -> dict[str, object]:
    """A web server on every node, control planes too, that says the node's name; a Service of them all."""
    labels = {"app": "echo"}
    container = {
        "name": "echo",
        "image": images.BUSYBOX,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", SERVE],
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "readinessProbe": {"httpGet": {"port": PORT}, "periodSeconds": 1},
    }
    pod = {
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
    }
    daemonset = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "echo", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "echo", "namespace": NAMESPACE},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": PORT}]},
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    return {"apiVersion": "v1", "kind": "List", "items": [namespace, daemonset, service]}


@pytest.fixture(scope="module")
def echoes(shared_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The web servers: each pod's address by the name of its node."""
    file = tmp_path_factory.mktemp("pods") / "objects.json"
    file.write_text(json.dumps(objects()), encoding="utf-8")
    shared_lab.kubectl("apply", "--filename", str(file))
    rollout = ["rollout", "status", "daemonset/echo", "--timeout=120s"]
    shared_lab.kubectl("--namespace", NAMESPACE, *rollout, timeout=130)
    pods = json.loads(shared_lab.kubectl("get", "pods", "--namespace", NAMESPACE, "--output=json"))["items"]
    yield {pod["spec"]["nodeName"]: pod["status"]["podIP"] for pod in pods}
    shared_lab.kubectl("delete", "namespace", NAMESPACE, timeout=120)


def from_every_pod(lab: Lab, script: str) -> dict[str, list[str]]:
    """What a shell script prints in the pod of each node, in lines."""
    output = "--output=jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name}{'\\n'}{end}"
    told = lab.kubectl("get", "pods", "--namespace", NAMESPACE, output)
    pods = dict(line.split() for line in told.splitlines())
    run = ["--namespace", NAMESPACE, "exec"]
    return {
        node: lab.kubectl(*run, pod, "--", "sh", "-ec", script).splitlines() for node, pod in pods.items()
    }


def test_there_is_a_pod_on_every_node(lab, echoes):
    assert sorted(echoes) == [each.name for each in lab.nodes]


def test_every_pod_reaches_the_pods_of_all_nodes(lab, echoes):
    asked = "; ".join(f"{GET} http://{address}:{PORT}/" for address in echoes.values())
    assert from_every_pod(lab, asked) == {node: list(echoes) for node in echoes}


def test_a_service_leads_every_pod_to_all_of_its_endpoints(lab, echoes):
    address = service_address(lab)
    script = f"for _ in $(seq {ASKED}); do {GET} http://{address}/; done | sort -u"
    assert from_every_pod(lab, script) == {node: sorted(echoes) for node in echoes}


def test_every_node_itself_gets_through_to_the_service(lab, echoes):
    address = service_address(lab)
    for each in lab.nodes:
        answer = lab.exec(each.name, [*GET.split(), f"http://{address}/"])
        assert answer.stdout.strip() in echoes


@pytest.mark.parametrize(
    "name", ["echo", f"echo.{NAMESPACE}", f"echo.{NAMESPACE}.svc.cluster.local", "kubernetes.default"]
)
def test_every_pod_resolves_the_names_of_services(lab, echoes, name):
    namespace, service = ("default", "kubernetes") if name.startswith("kubernetes") else (NAMESPACE, "echo")
    address = service_address(lab, namespace, service)
    answers = from_every_pod(lab, f"getent ahostsv4 {name}")
    assert {node: {line.split()[0] for line in lines} for node, lines in answers.items()} == {
        node: {address} for node in echoes
    }


def test_every_pod_reaches_the_service_by_its_name(lab, echoes):
    answers = from_every_pod(lab, f"{GET} http://echo/")
    assert answers.keys() == echoes.keys()
    assert {line for lines in answers.values() for line in lines} <= echoes.keys()


def service_address(lab: Lab, namespace: str = NAMESPACE, name: str = "echo") -> str:
    """The address of a Service."""
    return lab.kubectl(
        "get", "service", name, "--namespace", namespace, "--output=jsonpath={.spec.clusterIP}"
    )
