"""The drain room and its verbs against a real API server; the tests play kubelet and controllers."""

import contextlib
import itertools
import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kubectl_admin.cluster.errors import ApiError, Conflict, NotFound, TooManyRequests
from kubectl_admin.drain import drain
from kubectl_admin.drain.budgets import Leave
from kubectl_admin.drain.cordon import Cordon, cordon
from kubectl_admin.drain.evict import DrainError
from kubectl_admin.drain.filters import Action, Flags
from kubectl_admin.drain.observer import Observer
from tests import permissions
from tests.apiserver import drain_world
from tests.apiserver.conftest import NAME
from tests.apiserver.drain_world import World, budget, numbers, owner, pod
from tests.lab import api_only
from tests.lab.versions import RELEASES
from tests.program import Ended, environ, run, start
from tests.unit.api_stand_in import secured

pytestmark = pytest.mark.lab

EMPTY_DIR = {"name": "cache", "emptyDir": {}}
IN_MEMORY = {"name": "memory", "emptyDir": {"medium": "Memory"}}
CONFIG = {"name": "config", "configMap": {"name": "kube-root-ca.crt"}}
HOST = {"name": "host", "hostPath": {"path": "/etc"}}
MIRROR = {"kubernetes.io/config.mirror": "0123456789abcdef"}
HOUR = {"terminationGracePeriodSeconds": 3600}
PATIENCE = 120.0  # seconds for what a drain says and does

REPLICASET = owner("ReplicaSet", "web")
DAEMONSET = owner("DaemonSet", "agent")
NO_DAEMONSET = owner("DaemonSet", "gone")

# A pod each: its name, and what kubectl drain looks at.
KINDS = {
    "replicaset": {"owner": REPLICASET},
    "replicaset-emptydir": {"owner": REPLICASET, "volumes": [EMPTY_DIR]},
    "replicaset-in-memory": {"owner": REPLICASET, "volumes": [IN_MEMORY]},
    "replicaset-other-volumes": {"owner": REPLICASET, "volumes": [CONFIG, HOST]},
    "statefulset": {"owner": owner("StatefulSet", "db")},
    "job": {"owner": owner("Job", "once", api_version="batch/v1")},
    "job-finished-emptydir": {
        "owner": owner("Job", "done", api_version="batch/v1"),
        "phase": "Succeeded",
        "volumes": [EMPTY_DIR],
    },
    "custom": {"owner": owner("Cluster", "pg", api_version="postgresql.cnpg.io/v1")},
    "node-owned": {"owner": owner("Node", "w", api_version="v1")},
    "bare": {},
    "bare-emptydir": {"volumes": [EMPTY_DIR]},
    "bare-owned-not-controlled": {"owner": owner("ReplicaSet", "web", controls=False)},
    "bare-pending": {"phase": "Pending"},
    "bare-succeeded": {"phase": "Succeeded"},
    "bare-failed-emptydir": {"phase": "Failed", "volumes": [EMPTY_DIR]},
    "daemonset": {"owner": DAEMONSET},
    "daemonset-emptydir": {"owner": DAEMONSET, "volumes": [EMPTY_DIR]},
    "daemonset-failed": {"owner": DAEMONSET, "phase": "Failed"},
    "daemonset-old-api": {"owner": owner("DaemonSet", "agent", api_version="extensions/v1beta1")},
    "daemonset-gone": {"owner": NO_DAEMONSET},
    "daemonset-gone-emptydir": {"owner": NO_DAEMONSET, "volumes": [EMPTY_DIR]},
    "daemonset-gone-finished": {"owner": NO_DAEMONSET, "phase": "Succeeded"},
    "mirror": {"annotations": MIRROR},
    "mirror-emptydir": {"annotations": MIRROR, "volumes": [EMPTY_DIR]},
    "mirror-of-daemonset": {"annotations": MIRROR, "owner": DAEMONSET},
    "terminating": {"owner": REPLICASET, "finalizers": ["example.com/hold"]},
    "terminating-bare": {"finalizers": ["example.com/hold"]},
    "terminating-slowly": {"owner": REPLICASET, "finalizers": ["example.com/hold"], "spec": HOUR},
}
SWITCHES = ("ignore_daemonsets", "delete_emptydir_data", "force", "disable_eviction")
COMBINATIONS = [
    dict(zip(SWITCHES, values, strict=True)) for values in itertools.product((False, True), repeat=4)
]


@pytest.fixture(scope="module")
def kinds(kubeconfig: Path) -> Iterator[World]:
    """A node with a pod of every kind."""
    world = drain_world.made_namespace(kubeconfig, "kinds", "worker-1")
    world.put(daemonset("agent"), *(pod(name, world.node, **kind) for name, kind in KINDS.items()))
    for name in KINDS:
        if name.startswith("terminating"):
            grace = {} if name == "terminating-slowly" else drain_world.NOW
            world.cluster.delete(world.path("pods", name), grace)
    yield world
    world.clear()


def daemonset(name: str) -> drain_world.Object:
    labels = {"app": name}
    return {
        "kind": "DaemonSet",
        "apiVersion": "apps/v1",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "x"}]},
            },
        },
    }


def kubectls_judgement(world: World, *flags: str) -> dict[str, str]:
    """What kubectl drain says of each pod: refuse, go or leave.

    Where it refuses one it says nothing of the others, so it is asked a second time without the refused.
    """
    said = world.kubectl("drain", world.node, "--dry-run=client", *flags, "--pod-selector=case")
    refused = set(re.findall(r"\bkinds/([\w-]+)", said.stderr)) if said.returncode else set()
    rest = (
        f"--pod-selector=case,case notin ({','.join(sorted(refused))})" if refused else "--pod-selector=case"
    )
    again = world.kubectl("drain", world.node, "--dry-run=client", *flags, rest)
    assert again.returncode == 0, again.stderr
    going = set(re.findall(r"evicting pod kinds/([\w-]+)", again.stdout))
    return {name: "refuse" if name in refused else "go" if name in going else "leave" for name in KINDS}


def our_judgement(world: World, flags: Flags) -> dict[str, str]:
    seen = drain.look(world.cluster, world.node, drain.Options(flags, pod_selector="case"))
    return {
        verdict.pod.name: "go" if verdict.leaves else "refuse" if verdict.action is Action.REFUSE else "leave"
        for verdict in seen.verdicts
    }


@pytest.mark.parametrize(
    "switches", COMBINATIONS, ids=lambda each: "+".join(k for k in each if each[k]) or "none"
)
def test_the_judgement_on_every_kind_of_pod_is_kubectls(kinds, switches):
    flags = [f"--{name.replace('_', '-')}={str(value).lower()}" for name, value in switches.items()]
    assert our_judgement(kinds, Flags(**switches)) == kubectls_judgement(kinds, *flags)


def test_what_of_it_is_kubectls_without_flags_and_with_all(kinds):
    """The table itself, so that a comparison of nothing with nothing is noticed."""
    none = kubectls_judgement(kinds)
    assert [name for name, said in none.items() if said == "go"] == [
        *("replicaset", "replicaset-other-volumes", "statefulset", "job", "job-finished-emptydir", "custom"),
        *("node-owned", "bare-succeeded", "bare-failed-emptydir", "daemonset-failed", "daemonset-old-api"),
        *("daemonset-gone-finished", "terminating", "terminating-slowly"),
    ]
    assert [name for name, said in none.items() if said == "leave"] == ["mirror", "mirror-emptydir"]
    every = kubectls_judgement(kinds, "--ignore-daemonsets", "--delete-emptydir-data", "--force")
    assert "refuse" not in every.values()
    assert [name for name, said in every.items() if said == "leave"] == [
        *("daemonset", "daemonset-emptydir", "mirror", "mirror-emptydir", "mirror-of-daemonset"),
    ]


def test_pods_that_should_be_gone_long_ago_are_left_as_kubectl_leaves_them(kinds):
    def ago() -> float:
        item = kinds.cluster.get(kinds.path("pods", "terminating"))
        return (
            datetime.now(UTC) - datetime.fromisoformat(item["metadata"]["deletionTimestamp"])
        ).total_seconds()

    while ago() < 3:
        time.sleep(0.1)
    mine = our_judgement(kinds, Flags(skip_wait_for_delete_timeout=1))
    assert mine == kubectls_judgement(kinds, "--skip-wait-for-delete-timeout=1")
    assert {name for name, said in mine.items() if said == "leave"} == {
        *("mirror", "mirror-emptydir", "terminating", "terminating-bare")
    }


GUARDED = {
    # the pod, its budgets, and what an eviction meets
    "none": ({}, [], Leave.FREE),
    "allowed": ({}, [numbers(1, 3, 2, 3)], Leave.ALLOWED),
    "not-yet": ({}, [numbers(0, 2, 2, 3)], Leave.WAIT),
    "never": ({}, [numbers(0, 3, 3, 3)], Leave.NEVER),
    "several": ({}, [numbers(1, 3, 2, 3), numbers(1, 3, 2, 3)], Leave.SEVERAL),
    "several-pending": ({"phase": "Pending"}, [numbers(0, 3, 3, 3), numbers(0, 3, 3, 3)], Leave.FREE),
    "stale": ({}, [numbers(1, 3, 2, 3, observedGeneration=0)], Leave.WAIT),
    "finished": ({"phase": "Succeeded"}, [numbers(0, 3, 3, 3)], Leave.FREE),
    "pending": ({"phase": "Pending"}, [numbers(0, 3, 3, 3)], Leave.FREE),
    "unready-healthy-rest": ({"ready": False}, [numbers(0, 2, 2, 3)], Leave.FREE),
    "unready-too-few": ({"ready": False}, [numbers(0, 1, 2, 3)], Leave.WAIT),
    "unready-none-desired": ({"ready": False}, [numbers(0, 0, 0, 0)], Leave.WAIT),
    "unknown-phase": ({"phase": "Unknown"}, [numbers(0, 2, 3, 3)], Leave.NEVER),
}
SELECTORS = {
    "everything": ({}, Leave.NEVER),
    "in": ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}, Leave.NEVER),
    "not-in": ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, Leave.FREE),
    "not-in-without": (
        {"matchExpressions": [{"key": "no", "operator": "NotIn", "values": ["a"]}]},
        Leave.NEVER,
    ),
    "exists": ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, Leave.NEVER),
    "not-there": ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, Leave.FREE),
    "both": (
        {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "no", "operator": "Exists"}]},
        Leave.FREE,
    ),
}


@pytest.fixture
def world(kubeconfig: Path) -> Iterator[World]:
    """A node that is empty and not cordoned, before and after."""
    made = drain_world.made_namespace(kubeconfig, "moving", "worker-2")
    made.clear()
    yield made
    made.clear()


def ruling_of_server(world: World, name: str) -> set[Leave]:
    """What the eviction API itself says to a pod, without carrying it out."""
    body = {
        "kind": "Eviction",
        "apiVersion": "policy/v1",
        "metadata": {"name": name},
        "deleteOptions": {"dryRun": ["All"]},
    }
    try:
        world.cluster.post(f"{world.path('pods', name)}/eviction", body)
    except TooManyRequests:
        return {Leave.WAIT, Leave.NEVER}
    except ApiError as error:
        return {Leave.SEVERAL} if "more than one PodDisruptionBudget" in error.message else set()
    return {Leave.FREE, Leave.ALLOWED}


def test_what_budgets_say_is_what_the_eviction_api_says(world):
    for name, (kind, statuses, _) in GUARDED.items():
        world.put(
            pod(name, world.node, owner=REPLICASET, **kind),
            *(budget(f"{name}-{at}", {"case": name}, status) for at, status in enumerate(statuses)),
        )
    seen = drain.look(world.cluster, world.node, drain.Options())
    ours = {name: seen.rulings[world.namespace, name].leave for name in GUARDED}
    assert ours == {name: leave for name, (_, _, leave) in GUARDED.items()}
    for name, leave in ours.items():
        assert leave in ruling_of_server(world, name), name


@pytest.mark.parametrize("name", SELECTORS)
def test_which_pods_a_budget_counts_is_what_the_eviction_api_says(world, name):
    selector, leave = SELECTORS[name]
    world.put(
        pod("one", world.node, owner=REPLICASET, labels={"app": "a"}),
        budget("guard", {}, numbers(0, 3, 3, 3), selector=selector),
    )
    seen = drain.look(world.cluster, world.node, drain.Options())
    assert seen.rulings[world.namespace, "one"].leave is leave
    assert leave in ruling_of_server(world, "one")


def test_an_unhealthy_pod_may_always_go_where_its_budget_says_so(world):
    world.put(
        pod("one", world.node, owner=REPLICASET, ready=False),
        budget("guard", {}, numbers(0, 0, 1, 1), selector={}, unhealthyPodEvictionPolicy="AlwaysAllow"),
    )
    seen = drain.look(world.cluster, world.node, drain.Options())
    assert seen.rulings[world.namespace, "one"].leave is Leave.FREE
    assert ruling_of_server(world, "one") == {Leave.FREE, Leave.ALLOWED}


@contextlib.contextmanager
def draining(world: World, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A drain of the node that goes on while a test changes things around it."""
    env = environ(KUBECONFIG=str(world.kubeconfig))
    process = start("drain", world.node, "--yes", "--ignore-daemonsets", *arguments, env=env)
    watchdog = threading.Timer(PATIENCE, process.kill)  # what never comes is not waited for
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def until(process: "subprocess.Popen[str]", *words: str) -> list[str]:
    """Reads what the process tells until all of these have been said, in any order; fails at its end."""
    lines, missing = [], set(words)
    assert process.stderr
    for line in process.stderr:
        lines.append(line)
        missing = {each for each in missing if each not in line}
        if not missing:
            return lines
    raise AssertionError(f"{missing} was not said: {''.join(lines)}")


def ended(process: "subprocess.Popen[str]") -> Ended:
    """The rest of what it says, and how it ended."""
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


def finished(world: World, *arguments: str) -> Ended:
    """A whole drain."""
    env = environ(KUBECONFIG=str(world.kubeconfig))
    return run("drain", world.node, "--yes", "--ignore-daemonsets", *arguments, env=env)


def test_a_drained_node_is_empty_and_cordoned_until_uncordon_takes_it_back(world):
    kinds = ("replicaset", "statefulset", "bare-succeeded", "custom")
    world.put(*(pod(name, world.node, **KINDS[name]) for name in kinds))
    with world.kubelet():
        answer = finished(world)
    assert answer.code == 0, answer.err
    assert re.search(rf"node/{world.node} drained in \d+s: 4 pods gone", answer.err)
    assert world.pods() == set()
    assert world.is_cordoned
    back = run("uncordon", world.node, env=environ(KUBECONFIG=str(world.kubeconfig)))
    assert (back.code, back.out) == (0, f"node {world.node} uncordoned\n")
    assert not world.is_cordoned
    assert Cordon.of(world.node_object()) is None


def test_a_dry_run_touches_nothing(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    answer = finished(world, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert not world.is_cordoned
    assert world.pods() == {"one"}


def test_a_pod_that_is_refused_keeps_the_node_from_being_touched(world):
    world.put(pod("one", world.node), pod("two", world.node, owner=REPLICASET))
    answer = finished(world)
    assert answer.code == 3
    assert "add --force" in answer.out
    assert "was not touched" in answer.err
    assert not world.is_cordoned
    assert world.pods() == {"one", "two"}


def test_a_budget_that_can_never_be_met_is_named_before_anything_is_touched(world):
    never = budget("guard", {"case": "one"}, numbers(0, 2, 2, 2), minAvailable="100%")
    world.put(pod("one", world.node, owner=REPLICASET), never)
    answer = finished(world)
    assert answer.code == 3
    assert "violation: disruption budget moving/guard on pod/moving/one" in answer.out
    assert not world.is_cordoned


def test_what_a_budget_holds_leaves_as_soon_as_the_budget_allows_it(world):
    """Well before any retry by time: the first one would come after five seconds."""
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)))
    with world.kubelet(), draining(world) as process:
        until(process, "pod moving/one waits: budget guard needs 2 healthy pods and has 2 currently")
        at = time.monotonic()
        world.set_status("poddisruptionbudgets", "guard", numbers(1, 3, 2, 3))
        until(process, "pod moving/one is gone")
        assert time.monotonic() - at < 4
        assert ended(process).code == 0


def test_a_blocked_budget_is_waited_for_where_that_is_asked_for(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 1, 1, 1)))
    with world.kubelet(), draining(world, "--wait-for-budgets") as process:
        until(process, "pod moving/one waits")
        world.cluster.delete(world.path("poddisruptionbudgets", "guard"))
        assert ended(process).code == 0


def test_at_the_end_of_its_time_a_drain_names_who_holds_it_and_takes_its_cordon_back(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)))
    answer = finished(world, "--timeout", "2s")
    assert answer.code == 1
    said = "the time is up and a pod is still there: moving/one: budget guard needs 2 healthy pods"
    assert said in answer.err
    assert f"node {world.node} is uncordoned again" in answer.err
    assert not world.is_cordoned
    assert world.pods() == {"one"}


@pytest.mark.parametrize(
    ("before", "arguments", "after"),
    [(None, [], False), (True, [], True), (None, ["--keep-cordon"], True)],
    ids=["cordoned-by-the-run", "cordoned-before", "keep-cordon"],
)
def test_an_interrupted_drain_takes_back_no_cordon_but_its_own(world, before, arguments, after):
    world.set_cordon(before)
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)))
    with draining(world, *arguments) as process:
        until(process, "pod moving/one waits")
        assert world.is_cordoned
        process.send_signal(signal.SIGINT)
        answer = ended(process)
    assert answer.code == 130
    assert "still there: pod moving/one: budget guard" in answer.err
    assert world.is_cordoned is after


def test_a_pod_that_takes_its_time_is_waited_for(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    with draining(world) as process:
        until(process, "evicting pod moving/one")
        while not world.cluster.get(world.path("pods", "one"))["metadata"].get("deletionTimestamp"):
            assert process.poll() is None
        world.cluster.delete(world.path("pods", "one"), drain_world.NOW)
        answer = ended(process)
    assert answer.code == 0, answer.err


def test_with_disable_eviction_budgets_are_passed_by(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 1, 1, 1)))
    with world.kubelet():
        answer = finished(world, "--disable-eviction")
    assert answer.code == 0
    assert "deleting pod moving/one" in answer.err


def test_a_pod_that_takes_the_place_of_one_that_left_is_no_part_of_the_drain(world):
    """A StatefulSet makes a pod of the same name at once; here even on the same node, tolerating all."""
    tolerant = {"tolerations": [{"operator": "Exists"}]}
    world.put(pod("db-0", world.node, owner=owner("StatefulSet", "db")))
    with draining(world) as process:
        until(process, "evicting pod moving/db-0")
        while world.pods():
            world.cluster.delete(world.path("pods", "db-0"), drain_world.NOW)
            break
        world.put(pod("db-0", world.node, owner=owner("StatefulSet", "db"), spec=tolerant))
        answer = ended(process)
    assert answer.code == 0, answer.err
    assert world.pods() == {"db-0"}


def test_critical_pods_leave_last(world):
    critical = {"priorityClassName": "system-cluster-critical"}
    world.put(
        pod("dns", world.node, owner=REPLICASET, spec=critical), pod("web", world.node, owner=REPLICASET)
    )
    with world.kubelet():
        answer = finished(world)
    lines = [line for line in answer.err.splitlines() if "moving/" in line]
    assert [line.split(" (")[0] for line in lines] == [
        *("evicting pod moving/web", "pod moving/web is gone"),
        *("evicting pod moving/dns", "pod moving/dns is gone"),
    ]


CNPG = "postgresql.cnpg.io"
PRIMARY = {"cnpg.io/cluster": "pg", "cnpg.io/podRole": "instance", "cnpg.io/instanceRole": "primary"}
REPLICA = PRIMARY | {"cnpg.io/instanceRole": "replica"}


@pytest.fixture
def postgres(world: World) -> World:
    """A CloudNativePG cluster of two: its primary, guarded by a budget of one, is on the node."""
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"clusters.{CNPG}"},
        "spec": {
            "group": CNPG,
            "scope": "Namespaced",
            "names": {"plural": "clusters", "singular": "cluster", "kind": "Cluster"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                    },
                }
            ],
        },
    }
    with contextlib.suppress(Conflict):
        world.cluster.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    while True:
        with contextlib.suppress(NotFound):
            list(world.cluster.list(world.path("clusters")))
            break
    with contextlib.suppress(NotFound):
        world.cluster.delete(world.path("clusters", "pg"))
    keeper = owner("Cluster", "pg", api_version=f"{CNPG}/v1")
    world.put(
        {
            "apiVersion": f"{CNPG}/v1",
            "kind": "Cluster",
            "metadata": {"name": "pg"},
            "status": {"currentPrimary": "pg-1"},
        },
        pod("pg-1", world.node, owner=keeper, labels=PRIMARY),
        pod("pg-2", "worker-1", owner=keeper, labels=REPLICA),
        budget("pg-primary", {"cnpg.io/instanceRole": "primary"}, numbers(0, 1, 1, 1)),
    )
    return world


def test_a_primary_is_moved_by_its_operator_before_anything_is_evicted(postgres):
    postgres.put(pod("client", postgres.node, owner=REPLICASET))
    with postgres.kubelet(), draining(postgres) as process:
        until(process, "CloudNativePG moving/pg: its operator is given time to move the primary pg-1")
        assert postgres.is_cordoned
        postgres.set_labels("pg-1", REPLICA)
        postgres.set_labels("pg-2", PRIMARY)
        assert postgres.pods() == {"pg-1", "pg-2", "client"}, "the operator has not said that it is done"
        postgres.set_status("clusters", "pg", {"currentPrimary": "pg-2"})
        told = until(process, "the primary has moved")
        assert not any("evicting" in line for line in told)
        answer = ended(process)
    assert answer.code == 0, answer.err
    assert postgres.pods() == {"pg-2"}


def test_a_primary_that_stays_ends_the_drain_and_the_cordon(postgres):
    answer = finished(postgres, "--primary-timeout", "1s")
    assert answer.code == 1
    assert "primary of CloudNativePG moving/pg, which its operator is to move" in answer.err
    assert not postgres.is_cordoned
    assert postgres.pods() == {"pg-1", "pg-2"}


def test_a_database_without_a_second_instance_is_said_before_the_cordon(postgres):
    postgres.cluster.delete(postgres.path("pods", "pg-2"), drain_world.NOW)
    answer = finished(postgres)
    assert answer.code == 3
    assert "warning: CloudNativePG moving/pg on pod/moving/pg-1: no other instance" in answer.out
    assert "violation: disruption budget moving/pg-primary" in answer.out
    assert not postgres.is_cordoned


@contextlib.contextmanager
def webhook(world: World, answers: Callable[[drain_world.Object], drain_world.Object]) -> Iterator[None]:
    """While this lasts evictions in the namespace are reviewed. answers: makes a response of a request."""
    context, trust = secured()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            review["response"] = {"uid": review["request"]["uid"], **answers(review["request"])}
            body = json.dumps(review).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        configuration = {
            "metadata": {"name": "drain-cleaner"},
            "webhooks": [
                {
                    "name": "cleaner.example.com",
                    "clientConfig": {
                        "url": f"https://127.0.0.1:{server.server_port}/",
                        "caBundle": trust["certificate-authority-data"],
                    },
                    "rules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE"],
                            "resources": ["pods/eviction"],
                        }
                    ],
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}},
                    "sideEffects": "None",
                    "admissionReviewVersions": ["v1"],
                }
            ],
        }
        path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
        world.cluster.post(path, configuration)
        try:
            yield
        finally:
            world.cluster.delete(f"{path}/drain-cleaner")
            server.shutdown()


def refused_by_webhook(world: World, name: str) -> None:
    """Returns once the API server asks the webhook, which it hears of a moment after it was made."""
    body = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": name}}
    body |= {"deleteOptions": {"dryRun": ["All"]}}
    while True:
        try:
            world.cluster.post(f"{world.path('pods', name)}/eviction", body)
        except ApiError:
            return


@pytest.mark.parametrize("code", [500, 403, 400])
def test_a_webhooks_refusal_is_a_not_yet(world, code):
    """As Strimzi's drain cleaner answers: 500, once it has told the operator to roll the pod."""
    refusals = [{"allowed": False, "status": {"code": code, "message": "will be rolled"}}] * 3

    def answers(_request: drain_world.Object) -> drain_world.Object:
        return refusals.pop() if refusals else {"allowed": True}

    with webhook(world, answers), world.kubelet():
        world.put(pod("one", world.node, owner=REPLICASET))
        refused_by_webhook(world, "one")
        answer = finished(world, "--timeout", "60s")
    assert answer.code == 0, answer.err
    assert 'pod moving/one waits: not yet: admission webhook "cleaner.example.com" denied' in answer.err


def test_an_api_server_that_is_restarted_in_the_middle_is_waited_for(world):
    world.put(
        pod("one", world.node, owner=REPLICASET),
        pod("two", world.node, owner=REPLICASET),
        budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)),
    )
    with world.kubelet(), draining(world) as process:
        until(process, "pod moving/two is gone")
        api_only.stop_apiserver(NAME, "cp-1")
        try:
            # The eviction of «one» is asked for again after some seconds, whatever the budget is like.
            until(process, "pod moving/one waits: the API server can't be reached")
        finally:
            api_only.start_apiserver(NAME, "cp-1")
        world.set_status("poddisruptionbudgets", "guard", numbers(1, 3, 2, 3))
        answer = ended(process)
    assert answer.code == 0, answer.err


def test_an_api_server_that_is_away_when_a_drain_is_interrupted_still_loses_the_cordon(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {}, numbers(0, 2, 2, 3), selector={}))
    with draining(world) as process:
        until(process, "pod moving/one waits")
        api_only.stop_apiserver(NAME, "cp-1")
        try:
            process.send_signal(signal.SIGINT)
            until(process, "still there: pod moving/one")
        finally:
            api_only.start_apiserver(NAME, "cp-1")
        answer = ended(process)
    assert answer.code == 130
    assert not world.is_cordoned


def test_who_may_not_evict_is_told_so_at_once(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    role = {
        "metadata": {"name": "drain-without-evictions"},
        "rules": [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["patch"]},
        ],
    }
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": role["metadata"],
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "drain-without-evictions"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "viewer"}],
    }
    made = {"clusterroles": role, "clusterrolebindings": binding}
    for kind, body in made.items():
        world.cluster.post(f"/apis/{group}/v1/{kind}", body)
    try:
        answer = finished(world, "--as", "viewer")
    finally:
        for kind in made:
            world.cluster.delete(f"/apis/{group}/v1/{kind}/drain-without-evictions")
    assert answer.code == 1
    assert 'cannot create resource "pods/eviction"' in answer.err
    assert not world.is_cordoned


def test_a_pod_of_a_namespace_that_is_being_deleted_is_waited_for(kubeconfig, world):
    ending = drain_world.made_namespace(kubeconfig, f"ending-{time.time_ns()}", world.node)
    ending.put(pod("one", world.node, owner=REPLICASET))
    world.cluster.delete(f"/api/v1/namespaces/{ending.namespace}")
    with draining(world) as process:
        until(process, f"pod {ending.namespace}/one waits: its namespace is being deleted")
        ending.cluster.delete(ending.path("pods", "one"), drain_world.NOW)
        answer = ended(process)
    assert answer.code == 0, answer.err


@pytest.fixture
def crowded(world: World) -> World:
    """A node with pods that make every listing necessary."""
    data = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    world.put(
        daemonset("agent"),
        pod("agent", world.node, owner=DAEMONSET),
        pod("db-0", world.node, owner=owner("StatefulSet", "db"), volumes=[data]),
        pod("web", world.node, owner=REPLICASET),
    )
    return world


def tried(
    world: World, section: str, act: Callable[[Path], Ended], taken: Callable[[permissions.Right], bool]
) -> None:
    """Whether each right of the page that is taken away is named then, and none where all are there."""
    version = RELEASES[0].kubernetes
    server = world.cluster.server
    stage = permissions.Stage(world.kubeconfig, [server], version, lambda who: api_only.user(NAME, who))
    permissions.check(permissions.try_out(stage, section, act, taken))


def test_what_a_preview_may_not_list_is_named(crowded):
    def act(path: Path) -> Ended:
        return run(
            *("drain", crowded.node, "--dry-run", "--ignore-daemonsets"), env=environ(KUBECONFIG=str(path))
        )

    tried(crowded, "drain", act, lambda right: right.verb in ("get", "list"))


def test_what_a_drain_may_not_do_is_named(world):
    """The watch of budgets is not among it: without it, held pods are asked again by the clock."""

    def act(path: Path) -> Ended:
        world.put(pod("web", world.node, owner=REPLICASET))
        with world.kubelet():
            answer = run(*drained, env=environ(KUBECONFIG=str(path)))
        world.clear()
        return answer

    drained = ("drain", world.node, "--yes", "--ignore-daemonsets")
    needed = ("patch nodes", "watch pods", "create pods/eviction")
    tried(world, "drain", act, lambda right: str(right) in needed)


def test_what_an_uncordon_may_not_do_is_named(world):
    moved = Cordon.begin(datetime.now(UTC), ["ReplicaSet/moving/web", "StatefulSet/moving/db"])

    def act(path: Path) -> Ended:
        cordon(world.cluster, world.node, moved)
        return run("uncordon", world.node, "--timeout", "5s", env=environ(KUBECONFIG=str(path)))

    # Whether it may watch is seen by whom the first list does not satisfy.
    tried(world, "uncordon", act, lambda right: right.verb != "watch")


def test_a_pod_bound_before_the_scheduler_saw_the_cordon_leaves_as_well(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)))
    with world.kubelet(), draining(world) as process:
        until(process, "pod moving/one waits")
        world.put(pod("late", world.node, owner=owner("ReplicaSet", "other")), pod("late-bare", world.node))
        alone = "pod moving/late-bare has come meanwhile and is left alone (no controller)"
        until(process, alone, "pod moving/late is gone")
        # Whoever puts one here again and again, past the scheduler, would never come to an end.
        world.put(pod("again", world.node, owner=owner("ReplicaSet", "other")))
        until(process, "pod moving/again has come in spite of the cordon and is left alone")
        world.cluster.delete(world.path("poddisruptionbudgets", "guard"))
        answer = ended(process)
    assert answer.code == 0, answer.err
    assert world.pods() == {"late-bare", "again"}


def test_a_pod_that_may_not_be_touched_and_came_before_the_cordon_ends_the_drain(world):
    """Between the preview and the cordon there is a person who thinks."""
    world.put(pod("one", world.node, owner=REPLICASET))
    seen = drain.look(world.cluster, world.node, drain.Options(Flags(ignore_daemonsets=True)))
    world.put(pod("bare", world.node))
    with pytest.raises(DrainError, match=r"moving/bare \(no controller: --force\)"):
        drain.drain(world.cluster, seen, drain.Options(seen.flags), Observer())
    assert not world.is_cordoned
    assert world.pods() == {"one", "bare"}


def test_with_no_grace_nobody_is_waited_for(world):
    world.put(pod("one", world.node, owner=REPLICASET, spec=HOUR))
    answer = finished(world, "--grace-period", "0")
    assert answer.code == 0, answer.err
    assert world.pods() == set()


def test_nothing_is_done_where_nobody_can_be_asked(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    answer = run(*("drain", world.node, "--ignore-daemonsets"), env=environ(KUBECONFIG=str(world.kubeconfig)))
    assert answer.code == 2
    assert f"drain node {world.node} of context kubernetes-admin@" in answer.err
    assert not world.is_cordoned


def test_the_preview_as_a_document_is_all_that_stands_on_stdout(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    with world.kubelet():
        answer = finished(world, "-o", "json")
    document = json.loads(answer.out)
    assert [item["action"] for item in document["items"]] == ["evict", "leave"]
    assert "pod moving/one is gone" in answer.err


def test_pods_that_ended_too_long_ago_are_not_waited_for(world):
    """Nobody ends them here: the node's kubelet is away."""
    one_second = {"terminationGracePeriodSeconds": 1}
    world.put(pod("one", world.node, owner=REPLICASET, spec=one_second))
    answer = finished(world, "--skip-wait-for-delete-timeout", "1")
    assert answer.code == 0, answer.err
    assert "0 pods gone, 1 not waited for" in answer.err
