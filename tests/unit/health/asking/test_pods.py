from datetime import UTC, datetime

import pytest

from kubectl_admin.health.asking.pods import pod_of
from kubectl_admin.health.facts import Container, Pod

BEGUN = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 30, 3, 5, tzinfo=UTC)


def document(status=None, spec=None, **metadata):
    return {
        "metadata": {"name": "p", "namespace": "kube-system", **metadata},
        "spec": spec or {},
        "status": status or {},
    }


def test_a_pod_that_runs():
    owners = [
        {"kind": "Node", "name": "cp-1", "controller": True, "apiVersion": "v1", "uid": "u"},
        {"kind": "Other", "name": "x", "apiVersion": "v1", "uid": "v"},
    ]
    running = {
        "name": "etcd",
        "ready": True,
        "restartCount": 2,
        "state": {"running": {"startedAt": "2026-11-30T03:05:00Z"}},
        "lastState": {
            "terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-30T03:00:00Z"}
        },
    }
    status = {
        "phase": "Running",
        "podIP": "10.0.0.11",
        "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-30T03:05:00Z"},
            {"type": "PodScheduled", "status": "True"},
        ],
        "containerStatuses": [running],
    }
    spec = {"nodeName": "cp-1", "hostNetwork": True, "priorityClassName": "system-node-critical"}
    seen = document(
        status,
        spec,
        creationTimestamp="2026-11-30T03:00:00Z",
        labels={"component": "etcd"},
        ownerReferences=owners,
    )
    etcd = Container("etcd", True, 2, "", LATER, 137, "OOMKilled", BEGUN)
    assert pod_of(seen) == Pod(
        namespace="kube-system",
        name="p",
        node="cp-1",
        phase="Running",
        ready=True,
        since=LATER,
        created=BEGUN,
        labels={"component": "etcd"},
        host_network=True,
        ip="10.0.0.11",
        priority_class="system-node-critical",
        owner="Node",
        owner_name="cp-1",
        containers=(etcd,),
    )


def test_a_pod_of_which_nothing_is_known_yet():
    assert pod_of(document()) == Pod("kube-system", "p", "", "", None)


def test_a_process_that_has_ended_and_has_no_successor_is_the_one_before():
    ended = {"exitCode": 1, "reason": "Error", "finishedAt": "2026-11-30T03:05:00Z"}
    status = {"containerStatuses": [{"name": "c", "state": {"terminated": ended}, "restartCount": 3}]}
    assert pod_of(document(status)).containers == (Container("c", False, 3, "", None, 1, "Error", LATER),)


def test_a_container_waits_for_its_next_try():
    waiting = {"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 7}
    (seen,) = pod_of(document({"containerStatuses": [waiting]})).containers
    assert (seen.waiting, seen.ready, seen.restarts, seen.started) == ("CrashLoopBackOff", False, 7, None)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"conditions": [{"type": "Ready", "status": "True"}]}, ""),
        (
            {
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "late"},
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "no room",
                    },
                ]
            },
            "Unschedulable: no room",
        ),
        (
            {"reason": "Evicted", "message": "The node was low on resource: memory."},
            "Evicted: The node was low",
        ),
        (
            {
                "initContainerStatuses": [
                    {"name": "a", "state": {"terminated": {"exitCode": 0}}},
                    {"name": "b", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
                ]
            },
            "init container b: CrashLoopBackOff",
        ),
        (
            {"initContainerStatuses": [{"name": "a", "state": {"waiting": {"reason": "PodInitializing"}}}]},
            "",
        ),
    ],
)
def test_the_most_telling_word_of_a_status_is_kept(status, message):
    assert pod_of(document(status)).message.startswith(message)
    assert bool(pod_of(document(status)).message) is bool(message)


def test_a_kubelet_may_write_what_it_likes():
    status = {
        "conditions": [{"type": "Ready", "status": "False", "message": "x" * 100_000}],
        "containerStatuses": [
            {"restartCount": "9" * 5000, "state": 7, "lastState": {"terminated": {"exitCode": "1"}}}
        ],
        "initContainerStatuses": "none",
    }
    seen = pod_of(document(status))
    assert len(seen.message) == 300
    assert seen.containers == (Container("", False, 0),)


def test_the_ports_for_tcp_that_containers_name():
    ports = [
        {"name": "dns", "containerPort": 1053, "protocol": "UDP"},
        {"name": "dns-tcp", "containerPort": 1053, "protocol": "TCP"},
        {"name": "metrics", "containerPort": 9153},
        {"name": "odd", "containerPort": 1 << 16},
        {"containerPort": 80},
    ]
    found = pod_of(document(spec={"containers": [{"name": "coredns", "ports": ports}]}))
    assert found.ports == {"dns-tcp": 1053, "metrics": 9153}
