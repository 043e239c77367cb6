"""A host whose pod may be gone, killed, or replaced, and whose answers may be cut."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from kubectl_admin.cluster.errors import ApiError, BrokenStream, NotFound
from kubectl_admin.errors import AdminError
from kubectl_admin.node import host
from kubectl_admin.node.debug_pod import DebugPod, Options
from kubectl_admin.node.host import Host
from tests.fakes.host import OPERATION, Cut, Machine, host_of, inline

WAIT_TIMEOUT = 60  # seconds; nothing here takes so long
GONE = NotFound(404, "NotFound", 'pods "kubectl-admin-0123456789-0001" not found')


@pytest.fixture
def said() -> list[str]:
    return []


def test_the_environment_is_the_hosts_own_and_not_ours(machine, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    result = host_of(machine).run(["env"])
    assert sorted(line.partition("=")[0] for line in result.stdout.decode().split()) == [
        "HOME",
        "LC_ALL",
        "PATH",
    ]


def test_a_command_that_fails_is_told_with_its_last_words(machine):
    with pytest.raises(AdminError) as raised:
        host_of(machine).run(["sh", "-c", "echo a >&2; echo b >&2; exit 3"])
    assert raised.value.what == "node cp-1: sh ended with exit code 3: b"
    with pytest.raises(AdminError, match=r"^node cp-1: false ended with exit code 1$"):
        host_of(machine).run(["false"])
    assert host_of(machine).run(["false"], check=False).exit_code == 1


def test_a_command_is_run_once_and_a_script_until_it_has_answered(machine):
    machine.cuts = [Cut(0)]
    with pytest.raises(BrokenStream):
        host_of(machine).run(["echo", "x"])
    machine.cuts = [Cut(0), Cut(2), Cut(5, loud=False), None]
    assert host_of(machine).script(inline("printf 'answer\n# end\n'")) == b"answer"
    assert len(machine.commands) == 5


def test_a_script_that_refuses_is_asked_once(machine):
    with pytest.raises(AdminError, match="node cp-1: no"):
        host_of(machine).script(inline("echo no >&2; exit 1"))
    with pytest.raises(AdminError, match="node cp-1: exit 4 ended with exit code 4"):
        host_of(machine).script(inline("exit 4"))
    assert len(machine.commands) == 2


def test_a_script_that_is_killed_has_not_refused(machine, tmp_path):
    """So ends what runs in a pod that is deleted."""
    script = (
        f"if [ -e {tmp_path}/again ]; then printf 'x\n# end\n'; else touch {tmp_path}/again; exit 137; fi"
    )
    assert host_of(machine).script(inline(script)) == b"x"


def test_patience_may_be_less_than_the_hosts_own(machine, clock):
    machine.cuts = [Cut(0)] * 1000
    with pytest.raises(BrokenStream):
        host_of(machine).script(inline("true"), patience=2)
    assert sum(clock.slept) <= 2


class Pods:
    """Debug pods that come and go. names: of those that were made; the last one may be gone, too."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.closed: list[str] = []
        self.state: Any = {"metadata": {"uid": "uid-0"}, "status": {"phase": "Running"}}

    @contextmanager
    def running(self, *_: object) -> Iterator[DebugPod]:
        name, uid = f"pod-{len(self.names)}", f"uid-{len(self.names)}"
        self.names.append(name)
        try:
            yield DebugPod(name, uid)
        finally:
            self.closed.append(name)


class Api(Machine):
    """Runs commands in the last pod alone; the others are gone."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.pods = Pods()

    def opened(self, options: Options, say: Callable[[str], None]) -> AbstractContextManager[Host]:
        """The host of its node."""
        return host.opened(self, "cp-1", OPERATION, options, say, running=self.pods.running)  # type: ignore[arg-type]

    def exec(self, *where: Any, **others: Any) -> Any:
        if where[1] != f"pod-{self.alive}":
            raise GONE
        return super().exec(*where, **others)

    alive = 0

    def get(self, _path: str) -> dict[str, Any]:
        if isinstance(self.pods.state, AdminError):
            raise self.pods.state
        assert isinstance(self.pods.state, dict)
        return self.pods.state


@pytest.fixture
def api(machine: Machine) -> Api:
    return Api(machine.path)


@pytest.mark.parametrize(
    "state",
    [
        GONE,
        {"metadata": {"uid": "uid-0"}, "status": {"phase": "Failed"}},
        {"metadata": {"uid": "uid-0"}, "status": {"phase": "Succeeded"}},
        {
            "metadata": {"uid": "uid-0", "deletionTimestamp": "2026-01-01T00:00:00Z"},
            "status": {"phase": "Running"},
        },
        {"metadata": {"uid": "of another one"}, "status": {"phase": "Running"}},
    ],
)
def test_where_the_pod_is_gone_another_one_is_made_and_the_work_goes_on(api, said, state):
    with api.opened(Options(), said.append) as there:
        api.alive, api.pods.state = 1, state
        assert there.script(inline("printf 'x\n# end\n'")) == b"x"
    assert api.pods.names == ["pod-0", "pod-1"]
    assert api.pods.closed == ["pod-0", "pod-1"]
    assert said == ["node cp-1: the debug pod is gone; making another one"]


def test_a_pod_that_runs_is_kept_while_the_way_to_it_is_cut(api, said):
    with api.opened(Options(), said.append) as there:
        api.cuts = [Cut(0), Cut(0), None]
        assert there.script(inline("printf 'x\n# end\n'")) == b"x"
    assert api.pods.names == ["pod-0"]


def test_an_answer_about_the_pod_that_is_no_answer_makes_no_other_one(api, said):
    with api.opened(Options(retries=1), said.append) as there:
        api.alive, api.pods.state = 1, ApiError(503, "", "shutting down")
        with pytest.raises(AdminError):
            there.script(inline("true"))
    assert api.pods.names == ["pod-0"]


def test_leaving_what_was_never_entered_makes_nothing(api, said):
    """Ctrl-C may come between the two."""
    there = Host(api, "cp-1", OPERATION, Options(), said.append)
    there._context = api.pods.running()
    there.close()
    assert api.pods.names == []


def test_after_the_end_no_pod_is_made(api, said):
    """A thread may come late, that finds the pod gone."""
    with api.opened(Options(), said.append) as there:
        pass
    api.alive, api.pods.state = 1, GONE
    with pytest.raises(AdminError, match=r"^node cp-1: the work there is over$"):
        there.script(inline("true"))
    assert (api.pods.names, api.pods.closed) == (["pod-0"], ["pod-0"])


def test_a_pod_that_a_thread_makes_at_the_end_is_removed(api, said):
    making, ending = Event(), Event()
    pods = api.pods

    @contextmanager
    def running(*words: object) -> Iterator[DebugPod]:
        if pods.names:
            making.set()
            assert ending.wait(WAIT_TIMEOUT)
        with Pods.running(pods, *words) as pod:
            yield pod

    pods.running = running
    with api.opened(Options(), said.append) as there:
        api.alive, pods.state = 1, GONE
        late = Thread(target=there.script, args=[inline("printf '\n# end\n'")], daemon=True)
        late.start()
        assert making.wait(WAIT_TIMEOUT)
        ending.set()
    late.join(WAIT_TIMEOUT)
    assert pods.names == pods.closed == ["pod-0", "pod-1"]


def test_nobody_is_told_of_what_is_tried_again_quietly(machine, said):
    machine.cuts = [Cut(0)] * 5
    there = host_of(machine, said)
    assert there.persistently(lambda: there.answer(inline("printf '\n# end\n'")), quiet=True) == b""
    assert said == []
