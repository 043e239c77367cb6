"""The life of a debug pod, on a cluster that is made up: what is waited for, said, and cleaned up."""

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster import nodes
from kubectl_admin.cluster.errors import ApiError, BrokenStream, Conflict, Forbidden, NotFound, Unreachable
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.node import debug_pod, pod_start_errors
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.left_out import LeftOutError
from kubectl_admin.node.pod_start_errors import LONGEST, MOST, is_running, without_echoes
from tests.fakes.clock import Clock
from tests.fakes.host import OPERATION
from tests.unit.interrupted import at_every_moment

READY = {"type": "Ready", "status": "True"}
PULL = 'failed to pull and unpack image "x:1": failed to resolve image: connection refused'
MISSING = 'MountVolume.SetUp failed for volume "{}" : hostPath type check failed: /{} is not a directory'


def node(
    *conditions: dict[str, str],
    images: list[str] | None = None,
    labels: dict[str, str] | None = None,
    info: dict[str, str] | None = None,
) -> dict[str, Any]:
    names = ["registry.k8s.io/pause:3.10"] if images is None else images
    return {
        "metadata": {"name": "cp-1", "labels": labels},
        "status": {
            "conditions": list(conditions) or [READY],
            "images": [{"names": names}],
            "nodeInfo": info or {"operatingSystem": "linux"},
        },
    }


UID = "11111111-2222-3333-4444-555555555555"


def pod(status: dict[str, Any], uid: str = UID) -> dict[str, Any]:
    return {"metadata": {"namespace": "kube-system", "name": "p", "uid": uid}, "status": status}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {
        "phase": "Pending",
        "containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}],
    }


RUNNING = {"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]}
CREATING = waiting("ContainerCreating")


class Api:
    """An API server with one node, that does with pods what a test says.

    statuses: of each pod that is made, in order: an exception, or what the watch shows of it.
    ending: the exit code of what ends a pod's process from inside, or why that can't be asked for.
    """

    def __init__(self, about: dict[str, Any], *statuses: Any) -> None:
        self.clock = Clock()
        self.node = about
        self.statuses = list(statuses)
        self.pods: dict[str, Any] = {}
        self.made: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.grace: list[int | None] = []
        self.ending: int | Exception = 137
        self.warnings: list[str] = []
        self.refusal: AdminError | None = None
        self.system: list[dict[str, Any]] = []
        self.config: dict[str, Any] | AdminError = NotFound(404, "NotFound", "no kubeadm-config")
        self.change: Callable[[dict[str, Any]], None] = lambda _: None

    def get(self, path: str, _query: Any = ()) -> dict[str, Any]:
        if path.startswith("/api/v1/nodes/"):
            return self.node
        if path.endswith("/configmaps/kubeadm-config"):
            if isinstance(self.config, AdminError):
                raise self.config
            return self.config
        if path.endswith("/events"):
            return {"items": list(self.list(path, _query))}
        if path.endswith("/pods"):
            return {"metadata": {"resourceVersion": "1"}, "items": list(self.pods.values())}
        name = path.rpartition("/")[2]
        if name not in self.pods:
            raise NotFound(404, "NotFound", f'pods "{name}" not found')
        found: dict[str, Any] = self.pods[name]
        return found

    def post(self, _path: str, body: dict[str, Any]) -> dict[str, Any]:
        if self.refusal:
            raise self.refusal
        self.made.append(body)
        made = deepcopy(body)
        made["metadata"]["uid"] = UID
        self.change(made)
        self.pods[body["metadata"]["name"]] = made
        return made

    def watch(self, _path: str, _query: Any, *, timeout: float) -> Iterator[dict[str, Any]]:
        assert timeout
        status = self.statuses.pop(0) if self.statuses else CREATING
        if isinstance(status, BaseException):
            raise status
        yield {"type": "ADDED", "object": pod(status)}

    def list(self, path: str, _query: Any) -> Iterator[dict[str, Any]]:
        if path.endswith("/events"):
            for words in self.warnings:
                reason, _, message = words.partition(": ")
                yield {"reason": reason, "message": message}
        elif path == "/api/v1/namespaces/kube-system/pods":
            yield from self.system

    def exec(self, *_: Any, timeout: float) -> SimpleNamespace:
        assert timeout
        if isinstance(self.ending, Exception):
            raise self.ending
        return SimpleNamespace(run=lambda: SimpleNamespace(exit_code=self.ending))

    def delete(
        self, path: str, options: dict[str, Any] | None = None, *, timeout: float | None = None
    ) -> None:
        assert timeout
        name = path.rpartition("/")[2]
        self.deleted.append(name)
        self.grace.append((options or {}).get("gracePeriodSeconds"))
        if name not in self.pods:
            raise NotFound(404, "NotFound", f'pods "{name}" not found')
        if (options or {})["preconditions"]["uid"] != self.pods[name]["metadata"]["uid"]:
            raise Conflict(409, "Conflict", "Precondition failed: UID in precondition")
        del self.pods[name]


@pytest.fixture
def said() -> list[str]:
    return []


def run(api: Api, said: list[str], inside: BaseException | None = None, **options: Any) -> str:
    with debug_pod.running(api, "cp-1", OPERATION, Options(**options), said.append) as made:
        assert made.name in api.pods
        assert made.uid == UID
        if inside:
            raise inside
    return made.name


def test_a_pod_runs_inside_and_is_gone_afterwards(said):
    api = Api(node(), CREATING, RUNNING)
    name = run(api, said)
    assert re.fullmatch("kubectl-admin-0123456789-[0-9a-f]{16}", name)
    assert (api.pods, api.deleted, said) == ({}, [name], [])
    assert api.made[0]["spec"]["containers"][0]["imagePullPolicy"] == "Never"


@pytest.mark.parametrize("code", [0, 137])
def test_a_pod_whose_process_was_seen_to_end_is_not_waited_for(said, code):
    api = Api(node(), RUNNING)
    api.ending = code
    run(api, said)
    assert api.grace == [0]


@pytest.mark.parametrize(
    "ending",
    [1, 127, NotFound(404, "NotFound", "container not found"), BrokenStream("cut"), Unreachable("no")],
)
def test_one_that_may_still_run_is_ended_by_its_kubelet(said, ending):
    api = Api(node(), RUNNING)
    api.ending = ending
    run(api, said)
    assert (api.pods, api.grace, said) == ({}, [None], [])


def test_where_a_policy_is_against_it_the_kubelet_ends_it(said):
    api = Api(node(), RUNNING)
    real = api.delete

    def delete(path: str, options: Any = None, *, timeout: float | None = None) -> None:
        if "gracePeriodSeconds" in options:
            raise ApiError(400, "", 'admission webhook "guard.example" denied the request: no force')
        real(path, options, timeout=timeout)

    api.delete = delete  # type: ignore[method-assign]
    run(api, said)
    assert (api.pods, api.grace, said) == ({}, [None], [])


class Stop(BaseException):
    """Ctrl-C, or SIGTERM."""


@pytest.mark.parametrize("error", [Stop(), AdminError("no"), BrokenStream("cut"), KeyError("bug")])
def test_it_goes_away_however_the_work_ends(said, error):
    api = Api(node(), RUNNING)
    with pytest.raises(type(error)):
        run(api, said, error)
    assert api.pods == {}


@pytest.mark.parametrize("error", [Stop(), ApiError(422, "Invalid", "no")])
def test_it_goes_away_while_it_starts(said, error):
    api = Api(node(), CREATING, error)
    with pytest.raises(type(error)):
        run(api, said)
    assert api.pods == {}


def test_a_creation_that_is_interrupted_is_waited_for(said):
    """The request may still be on its way."""
    api = Api(node())
    sent: list[dict[str, Any]] = []

    def post(_path: str, body: dict[str, Any]) -> None:
        sent.append(body)
        raise Stop

    def get(path: str, _query: Any = ()) -> dict[str, Any]:
        if len(api.clock.slept) == 3 and not path.endswith("/pods"):
            Api.post(api, path, sent.pop())
        return Api.get(api, path)

    api.post, api.get = post, get  # type: ignore[method-assign]
    with pytest.raises(Stop):
        run(api, said)
    assert api.pods == {}
    assert len(api.deleted) == 1


EXISTS = Conflict(409, "AlreadyExists", 'pods "p" already exists')
QUOTA = Conflict(
    409, "Conflict", 'Operation cannot be fulfilled on resourcequotas "q": please apply your changes'
)


def test_a_creation_whose_answer_was_lost_is_no_conflict(said):
    api = Api(node(), RUNNING)
    answers = iter([Unreachable("reset"), EXISTS])
    real = api.post

    def post(path: str, body: dict[str, Any]) -> None:
        real(path, body) if not api.made else None
        raise next(answers)

    api.post = post  # type: ignore[method-assign]
    run(api, said)
    assert len(api.made) == 1
    assert api.pods == {}


@pytest.mark.parametrize(
    "difference",
    [
        {"spec": {"nodeName": "cp-2"}},
        {"metadata": {"labels": {"kubectl-admin/operation": "9876543210"}}},
        {"metadata": {"annotations": {"kubectl-admin/attempt": "another"}}},
        {"metadata": {"annotations": None}},
    ],
)
def test_a_pod_of_that_name_that_is_not_this_attempts_is_neither_used_nor_removed(said, difference):
    """Two threads with one name would work on one node, and take it for two."""
    api = Api(node(), RUNNING)
    real = api.post

    def post(path: str, body: dict[str, Any]) -> None:
        theirs = deepcopy(body)
        for part, changed in difference.items():
            theirs[part] = theirs[part] | changed
        real(path, theirs)
        raise EXISTS

    api.post = post  # type: ignore[method-assign]
    with pytest.raises(AdminError, match="is there already, made by another run"):
        run(api, said)
    assert (len(api.pods), api.deleted, said) == (1, [], [])


def test_one_that_was_there_and_is_gone_was_deleted_by_somebody_else(said):
    api = Api(node())
    api.refusal = EXISTS
    with pytest.raises(AdminError, match="was deleted by somebody else"):
        run(api, said)


def test_a_creation_that_collides_with_another_one_in_a_quota_is_tried_again(said):
    api = Api(node(), RUNNING)
    refusals, real = [QUOTA, QUOTA, QUOTA], api.post

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if refusals:
            raise refusals.pop()
        return real(path, body)

    api.post = post  # type: ignore[method-assign]
    run(api, said)
    assert (len(api.made), len(api.clock.slept), api.pods) == (1, 3, {})


def test_one_that_collides_for_ever_is_given_up_in_the_servers_words(said):
    api = Api(node())
    api.refusal = QUOTA
    with pytest.raises(AdminError, match=r"node cp-1: .*cannot be fulfilled on resourcequotas"):
        run(api, said)
    assert sum(api.clock.slept) < 60


def test_another_pod_that_has_taken_the_name_is_neither_waited_for_nor_removed(said):
    api = Api(node())
    api.statuses = [RUNNING]
    api.watch = lambda *_, **__: iter([{"type": "ADDED", "object": pod(RUNNING, "other")}])  # type: ignore[method-assign]
    real = api.post

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        made = real(path, body)
        api.pods[body["metadata"]["name"]] = deepcopy(made) | {"metadata": {"uid": "other"}}
        return made

    api.post = post  # type: ignore[method-assign]
    with pytest.raises(AdminError, match="was deleted by somebody else"):
        run(api, said)
    assert (len(api.pods), said) == (1, [])


MIRROR = {"kubernetes.io/config.mirror": "0123"}


def running_pod(image: str, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "metadata": {"name": "s", "annotations": annotations},
        "spec": {"containers": [{"name": "c", "image": image}]},
        "status": {"containerStatuses": [{"name": "c", "state": {"running": {}}}]},
    }


def test_what_a_tenant_has_brought_to_the_node_is_never_the_image(said):
    api = Api(node(images=["docker.io/mallory/pause:1"]), RUNNING)
    api.system = [running_pod("docker.io/mallory/app:1"), running_pod("registry.example/etcd:3", MIRROR)]
    run(api, said, namespace="of-mallory")
    assert api.made[0]["spec"]["containers"][0]["image"] == "registry.example/etcd:3"


def test_a_clusters_own_mirror_is_known_from_kubeadms_configuration(said):
    api = Api(node(images=["docker.io/mallory/pause:1", "registry.example/k8s/pause:3.10"]), RUNNING)
    api.config = {"data": {"ClusterConfiguration": "imageRepository: registry.example/k8s\n"}}
    run(api, said)
    assert api.made[0]["spec"]["containers"][0]["image"] == "registry.example/k8s/pause:3.10"


def test_what_may_not_be_looked_at_is_said_where_no_image_is_found(said):
    api = Api(node(images=["docker.io/mallory/pause:1"]))
    api.config = Forbidden(403, "Forbidden", "no")

    def listed(path: str, _query: Any) -> Iterator[dict[str, Any]]:
        raise Forbidden(403, "Forbidden", path)

    api.list = listed  # type: ignore[method-assign]
    with pytest.raises(AdminError, match=r"this user may not list pods .*; get configmaps") as raised:
        run(api, said)
    assert "--image" in raised.value.hint
    assert api.made == []


@pytest.mark.parametrize(
    ("about", "what"),
    [
        (node(info={"operatingSystem": "windows"}), "it runs windows"),
        (node(info={"osImage": ""}, labels={"kubernetes.io/os": "windows"}), "it runs windows"),
        (node(labels={"type": "virtual-kubelet"}), "virtual node"),
    ],
)
def test_a_node_that_is_no_linux_host_is_left_out_at_once(said, about, what):
    api = Api(about)
    with pytest.raises(LeftOutError, match=f"node cp-1 is left out: .*{what}"):
        run(api, said)
    assert api.made == []


@pytest.mark.parametrize("status", [None, {}, {"conditions": None, "images": None, "nodeInfo": None}])
def test_a_node_object_that_says_nothing_is_no_puzzle(said, status):
    api = Api({"metadata": {"name": "cp-1"}, "status": status})
    api.system = [running_pod("registry.example/etcd:3", MIRROR)]
    api.statuses = [RUNNING]
    run(api, said)


def test_no_pod_is_killed_for_it_unless_that_is_asked_for(said):
    api = Api(node(), RUNNING, RUNNING)
    run(api, said)
    run(api, said, critical=True)
    assert [each["spec"].get("priorityClassName") for each in api.made] == [None, "system-node-critical"]


@pytest.mark.parametrize(
    ("refusal", "hint"),
    [
        (
            Forbidden(
                403, "Forbidden", 'pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged'
            ),
            "name one that does with --debug-namespace",
        ),
        (
            Forbidden(
                403, "Forbidden", 'pods "p" is forbidden: ValidatingAdmissionPolicy "x" denied request: no'
            ),
            "make an exception",
        ),
        (
            ApiError(400, "", 'admission webhook "guard.example" denied the request: no'),
            "make an exception",
        ),
        (
            ApiError(
                422, "Invalid", "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'x' denied request: no"
            ),
            "make an exception",
        ),
        (ApiError(500, "InternalError", 'failed calling webhook "x"'), "bring the webhook back"),
        (
            Forbidden(403, "Forbidden", 'pods "p" is forbidden: failed quota: q: must specify limits.cpu'),
            "wants every pod to have requests or limits; name another --debug-namespace",
        ),
        (
            Forbidden(403, "Forbidden", 'pods "p" is forbidden: exceeded quota: q, requested: pods=1'),
            "the quota of namespace kube-system has no room",
        ),
        (ApiError(422, "Invalid", "spec.nodeName: Invalid value"), None),
        (
            NotFound(404, "NotFound", 'namespaces "kube-system" not found'),
            "name an existing one with --debug-namespace",
        ),
        (
            Forbidden(
                403,
                "Forbidden",
                'pods is forbidden: User "u" cannot create resource "pods" in API group ""',
            ),
            None,
        ),
    ],
)
def test_a_refusal_is_in_the_servers_words_with_a_way_out_and_nothing_else_is_said(said, refusal, hint):
    api = Api(node())
    api.refusal = refusal
    with pytest.raises(AdminError) as raised:
        run(api, said)
    assert refusal.message in raised.value.what
    assert said == []
    if hint:
        assert hint in raised.value.hint
        assert api.deleted == []


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_a_node_that_is_not_ready_is_refused_before_anything_is_made(said, status):
    api = Api(
        node(
            {
                "type": "Ready",
                "status": status,
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        )
    )
    with pytest.raises(AdminError) as raised:
        run(api, said)
    assert (
        "node cp-1 is not Ready since 2026-01-01T00:00:00Z: NodeStatusUnknown: Kubelet stopped"
        in raised.value.what
    )
    assert "bring it back first" in raised.value.hint
    assert api.made == []


def test_a_node_without_any_known_image_asks_for_one(said):
    with pytest.raises(AdminError, match="found no image on the node that can run the debug pod") as raised:
        run(Api(node(images=[])), said)
    assert "name one that you trust with --image" in raised.value.hint


def test_an_image_that_is_named_may_be_pulled(said):
    api = Api(node(images=[]), RUNNING)
    run(api, said, image="busybox:1")
    container = api.made[0]["spec"]["containers"][0]
    assert (container["image"], container["imagePullPolicy"]) == ("busybox:1", "IfNotPresent")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../pods", "a?b", "A", "a b", "-a", "a-", "é", "a\n"])
def test_what_can_be_no_name_is_never_asked_for(said, name):
    api = Api(node())
    with pytest.raises(UsageError, match="can't be the name of a node"):
        nodes.read_node(api, name)
    with pytest.raises(UsageError, match="can't be the name of a namespace"):
        run(api, said, namespace=name)
    assert api.made == []


def test_for_an_operation_that_is_over_nothing_is_made(said):
    """Its pods are being removed: a thread whose pod is gone must not make another one."""
    api, over = Api(node(), RUNNING), replace(OPERATION, over=Event())
    over.over.set()
    with (
        pytest.raises(AdminError, match="interrupted"),
        debug_pod.running(api, "cp-1", over, Options(), said.append),
    ):
        pass
    assert api.made == []


@pytest.mark.parametrize("name", ["a", "cp-1", "node.example.com", "10.0.0.1", "1"])
def test_names_of_nodes_are_taken(name):
    assert nodes.read_node(Api(node()), name)


def test_a_host_without_a_programs_directory_gets_a_pod_with_an_empty_one(said):
    api = Api(node(), CREATING, CREATING, RUNNING)
    folders = iter(["lib64", "lib"])

    def listed(path: str, _query: Any) -> Iterator[dict[str, Any]]:
        if path.endswith("/events") and (folder := next(folders, None)):
            yield {"reason": "FailedMount", "message": MISSING.format(folder, folder)}

    api.list = listed  # type: ignore[method-assign]
    run(api, said)
    empty = [[each["name"] for each in body["spec"]["volumes"] if "emptyDir" in each] for body in api.made]
    assert empty == [["etc"], ["etc", "lib64"], ["etc", "lib", "lib64"]]
    assert (api.pods, said) == ({}, [])
    assert len(set(api.deleted)) == 3


def test_a_pod_that_does_not_run_is_said_with_its_events_and_given_up(said):
    api = Api(node())
    api.warnings = ["FailedCreatePodSandBox: no network"]
    real = api.watch

    def watch(*arguments: Any, timeout: float) -> Iterator[dict[str, Any]]:
        api.clock.now += timeout
        return real(*arguments, timeout=timeout)

    api.watch = watch  # type: ignore[method-assign]
    with pytest.raises(AdminError, match=r"does not run after 1m0s: FailedCreatePodSandBox: no network"):
        run(api, said)
    assert len(said) == 1
    assert "is not running yet: FailedCreatePodSandBox: no network" in said[0]
    assert api.pods == {}


@pytest.mark.parametrize(
    "error", [Unreachable("no route"), BrokenStream("cut"), ApiError(503, "", "shutting down")]
)
def test_an_api_server_that_restarts_meanwhile_is_waited_for(said, error):
    api = Api(node(), error, CREATING, error, RUNNING)
    run(api, said)
    assert api.pods == {}


@pytest.mark.parametrize(("seconds", "comes"), [(100, True), (200, False)])
def test_a_pod_is_not_late_while_no_api_server_answers(said, seconds, comes):
    """Seen while kubeadm upgraded the only one: its kubelet had not even heard of the pod."""
    api = Api(node(), CREATING, RUNNING)
    real, cut, back = api.watch, Unreachable("no route"), api.clock.now + seconds

    def watch(*arguments: Any, timeout: float) -> Iterator[dict[str, Any]]:
        if api.clock.now < back:
            raise cut
        api.clock.now += 50
        return real(*arguments, timeout=timeout)

    api.watch = watch  # type: ignore[method-assign]
    with nullcontext() if comes else pytest.raises(Unreachable):
        run(api, said)
    assert api.pods == {}


@pytest.mark.parametrize(("seconds", "comes"), [(110, True), (130, False)])
def test_a_kubelet_that_has_not_found_its_api_server_again_is_waited_for(said, seconds, comes):
    """Seen after kubeadm had upgraded the only one: its kubelet came back to it after more than a minute."""
    api = Api(node(), {"phase": "Pending"}, {"phase": "Pending"}, CREATING, RUNNING)
    real, steps = api.watch, iter([1, seconds, 59, 0])

    def watch(*arguments: Any, timeout: float) -> Iterator[dict[str, Any]]:
        api.clock.now += next(steps)
        return real(*arguments, timeout=timeout)

    api.watch = watch  # type: ignore[method-assign]
    with (
        nullcontext()
        if comes
        else pytest.raises(AdminError, match="does not run after 2m0s: its kubelet has not taken it")
    ):
        run(api, said)
    assert api.pods == {}


def test_who_may_not_watch_is_told_and_leaves_nothing(said):
    api = Api(node(), Forbidden(403, "Forbidden", "cannot watch"))
    with pytest.raises(Forbidden):
        run(api, said)
    assert api.pods == {}


def test_a_pod_that_can_not_be_removed_is_said(said):
    api = Api(node(), RUNNING)

    def delete(*_: object, **_others: object) -> None:
        raise Forbidden(403, "Forbidden", "cannot delete")

    api.delete = delete  # type: ignore[method-assign]
    run(api, said)
    assert len(said) == 1
    assert "could not be removed" in said[0]
    assert "kubectl admin cleanup" in said[0]


def test_a_pod_that_somebody_else_removed_is_no_failure(said):
    api = Api(node(), RUNNING)
    with debug_pod.running(api, "cp-1", OPERATION, Options(), said.append):
        api.pods.clear()
    assert said == []


@pytest.mark.parametrize("folder", ["usr", "bin"])
def test_no_event_takes_the_hosts_programs_away(said, folder):
    """Whoever may write events in the namespace can say that."""
    api = Api(node())
    api.warnings = [f"FailedMount: {MISSING.format(folder, folder)}"]
    real = api.watch

    def watch(*arguments: Any, timeout: float) -> Iterator[dict[str, Any]]:
        api.clock.now += timeout
        return real(*arguments, timeout=timeout)

    api.watch = watch  # type: ignore[method-assign]
    with pytest.raises(AdminError, match="does not run after 1m0s"):
        run(api, said)
    assert len(api.made) == 1


def always_pulled(made: dict[str, Any]) -> None:
    made["spec"]["containers"][0]["imagePullPolicy"] = "Always"


def from_elsewhere(made: dict[str, Any]) -> None:
    made["spec"]["containers"][0]["image"] = "mirror.example/pause:3.10"


def limited(made: dict[str, Any]) -> None:
    made["spec"]["containers"][0]["resources"] = {"limits": {"memory": "8Mi"}}
    made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] = "LimitRanger plugin set: memory limit"


def joined(made: dict[str, Any]) -> None:
    made["spec"]["containers"].append({"name": "sidecar", "image": "x"})


@pytest.mark.parametrize(
    ("change", "what", "who"),
    [
        (always_pulled, "imagePullPolicy is Always, not Never", "AlwaysPullImages"),
        (from_elsewhere, "image is mirror.example/pause:3.10, not registry.k8s.io/pause:3.10", "webhook"),
        (limited, "limits {'memory': '8Mi'}", "a LimitRange did that (LimitRanger plugin set: memory limit)"),
        (joined, "container sidecar was added", "webhook"),
    ],
)
def test_where_it_does_not_start_it_is_said_what_the_server_made_of_it_and_who(said, change, what, who):
    api = Api(node(), waiting("ErrImagePull", PULL))
    api.change = change
    with pytest.raises(AdminError) as raised:
        run(api, said)
    assert what in raised.value.what
    assert PULL in raised.value.what
    assert who in raised.value.hint


def test_limits_that_its_commands_run_into_are_said_beforehand(said):
    api = Api(node(), RUNNING)
    api.change = limited
    run(api, said)
    (told,) = said
    assert told.endswith("a command that needs more than memory 8Mi is killed")


def test_a_failure_of_the_work_itself_says_nothing_of_that(said):
    api = Api(node(), RUNNING)
    api.change = always_pulled
    with pytest.raises(AdminError) as raised:
        run(api, said, AdminError("no"))
    assert raised.value.what == "no"


def nothing() -> list[str]:
    return []


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"phase": "Pending"},
        CREATING,
        {"phase": "Pending", "containerStatuses": None},
        waiting("PodInitializing"),
    ],
)
def test_what_may_yet_run_is_waited_for(status):
    assert is_running(pod(status), "ADDED", UID, nothing) is False


def test_what_runs_runs():
    assert is_running(pod(RUNNING), "MODIFIED", UID, nothing) is True


@pytest.mark.parametrize("reason", sorted(pod_start_errors.HOPELESS))
def test_what_will_never_run_is_said_at_once(reason):
    with pytest.raises(AdminError, match=f"pod kube-system/p does not start: {reason}: words") as raised:
        is_running(pod(waiting(reason, "words")), "MODIFIED", UID, nothing)
    assert "--image" in raised.value.hint


def test_an_image_that_can_not_be_pulled_is_told_once():
    events = [
        f'Failed: Failed to pull image "x:1": {PULL}',
        "Failed: Error: ErrImagePull",
        "Failed: Error: ImagePullBackOff",
    ]
    with pytest.raises(AdminError) as raised:
        is_running(pod(waiting("ErrImagePull", PULL)), "MODIFIED", UID, lambda: events)
    assert raised.value.what == f"pod kube-system/p does not start: ErrImagePull: {PULL}"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource"},
            "low on resource",
        ),
        ({"phase": "Failed", "reason": "NodeAffinity"}, "NodeAffinity"),
        ({"phase": "Failed", "reason": "OutOfpods", "message": "Pod was rejected: pods"}, "rejected: pods"),
        ({"phase": "Failed"}, "event words"),
        ({"phase": "Succeeded"}, "event words"),
    ],
)
def test_a_pod_that_has_ended_says_why(status, said):
    with pytest.raises(AdminError, match=f"pod kube-system/p has ended: .*{said}"):
        is_running(pod(status), "MODIFIED", UID, lambda: ["event words"])


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("OutOfpods", "the node is full"),
        ("OutOfmemory", "the node is full"),
        ("Evicted", "short of disk, memory"),
        ("NodeAffinity", "its kubelet|the node's kubelet"),
    ],
)
def test_a_full_node_is_said_with_what_it_would_take(reason, hint):
    status = {"phase": "Failed", "reason": reason, "message": "Pod was rejected: words"}
    with pytest.raises(AdminError) as raised:
        is_running(pod(status), "MODIFIED", UID, nothing)
    assert re.search(hint, raised.value.hint)
    assert ("--debug-critical" in raised.value.hint) is (reason != "NodeAffinity")


def test_a_pod_that_was_deleted_is_no_riddle():
    with pytest.raises(AdminError, match="was deleted by somebody else"):
        is_running(pod(RUNNING), "DELETED", UID, nothing)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([], []),
        (["A: one", "B: two"], ["A: one", "B: two"]),
        (["A: one", "A: one"], ["A: one"]),
        (["A: one", "B: one"], ["A: one"]),
        (["A: one", "B: more about: one"], ["A: one"]),
        (["A: more about: one", "B: one"], ["A: more about: one"]),
        (["ErrImagePull: ", "Failed: something else"], ["ErrImagePull: ", "Failed: something else"]),
        (["ErrImagePull: why", "Failed: Error: ErrImagePull"], ["ErrImagePull: why"]),
        (["BackOff: Back-off pulling", "Failed: Error: ImagePullBackOff"], ["BackOff: Back-off pulling"]),
    ],
)
def test_what_is_told_several_times_is_heard_once(said, kept):
    assert without_echoes(said) == kept


def test_of_a_flood_of_events_the_last_are_told_and_no_page_more_is_asked_for():
    class Flooded:
        def get(self, _path: str, query: Any) -> dict[str, Any]:
            assert ("limit", str(debug_pod.EVENTS)) in query
            items = [{"reason": "A", "message": f"{number} {'x' * 5000}"} for number in range(100)]
            return {"metadata": {"continue": "more"}, "items": items}

    said = debug_pod.warnings_about(Flooded(), "kube-system", "x")
    assert [each.split()[1] for each in said] == [str(number) for number in range(80, 100)]
    assert {len(each) for each in said} == {LONGEST}


def test_what_is_heard_has_an_end():
    many = [f"A: {number} {'x' * 5000}" for number in range(1000)]
    heard = without_echoes(many)
    assert (len(heard), max(map(len, heard))) == (MOST, LONGEST)
    waiting = {"reason": "ErrImagePull", "message": "why"}
    status = {"containerStatuses": [{"state": {"waiting": waiting}}]}
    with pytest.raises(AdminError, match="does not start: ErrImagePull: why"):
        is_running(pod(status), "MODIFIED", UID, lambda: many)


def test_no_pod_stays_whenever_a_signal_comes(monkeypatch, said):
    def once() -> None:
        api = Api(node(), CREATING, RUNNING)
        try:
            run(api, said)
        finally:
            assert api.pods == {}

    assert at_every_moment(monkeypatch, once) > 100
    assert said == []
