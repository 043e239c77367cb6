"""What is tried again, for how long, and who is told."""

from collections.abc import Callable

import pytest

from kubectl_admin.cluster.errors import BrokenStream, Forbidden, Unreachable, refusal
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.node.persistence import LONGEST, NotReadyError, Persistence, is_transient

CUT = BrokenStream("the connection was lost")


def failing(*errors: AdminError) -> Callable[[], str]:
    """An action that fails with these in turn, then succeeds."""
    mend = mending(*errors)

    def act() -> str:
        mend()
        return "done"

    return act


def mending(*errors: AdminError) -> Callable[[], None]:
    """The same for what returns nothing."""
    left = list(errors)

    def act() -> None:
        if left:
            raise left.pop(0)

    return act


@pytest.fixture
def said() -> list[str]:
    return []


def test_what_succeeds_is_done_once_and_nobody_is_told(said, clock):
    assert Persistence(60, said.append)(failing()) == "done"
    assert (said, clock.slept) == ([], [])


def test_it_is_tried_again_with_growing_pauses(said, clock):
    assert Persistence(600, said.append)(failing(*[CUT] * 20)) == "done"
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[0] == pytest.approx(0.2)
    assert clock.slept[-1] == LONGEST


def test_one_failure_is_nobodys_business_and_many_are_said_once(said):
    Persistence(60, said.append)(failing(CUT))
    assert said == []
    Persistence(60, said.append)(failing(*[CUT] * 9))
    assert said == ["the connection was lost; trying again"]


def test_patience_ends(said, clock):
    with pytest.raises(BrokenStream):
        Persistence(10, said.append)(failing(*[CUT] * 1000))
    assert 5 < sum(clock.slept) <= 10


def test_patience_begins_with_the_first_failure_not_with_the_work(said, clock):
    action = failing(CUT)

    def long() -> str:
        clock.now += 4000
        return action()

    assert Persistence(300, said.append)(long) == "done"


def test_patience_begins_anew_with_the_next_action(said):
    persistence = Persistence(10, said.append)
    for _ in range(10):
        assert persistence(failing(*[CUT] * 5)) == "done"


def test_no_patience_is_one_try(said, clock):
    with pytest.raises(BrokenStream):
        Persistence(0, said.append)(failing(CUT))
    assert clock.slept == []


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_retries_are_counted(said, retries):
    assert Persistence(600, said.append, retries)(failing(*[CUT] * retries)) == "done"
    with pytest.raises(BrokenStream):
        Persistence(600, said.append, retries)(failing(*[CUT] * (retries + 1)))


def test_what_is_no_passing_trouble_is_raised_at_once(said, clock):
    error = AdminError("no such file")
    with pytest.raises(AdminError) as raised:
        Persistence(600, said.append)(failing(CUT, error, CUT))
    assert raised.value is error
    assert len(clock.slept) == 1


def test_mending_comes_before_every_further_try_and_not_before_the_first(said):
    order: list[str] = []
    action = failing(CUT, CUT)

    def act() -> str:
        order.append("act")
        return action()

    Persistence(60, said.append)(act, mend=lambda: order.append("mend"))
    assert order == ["act", "mend", "act", "mend", "act"]


def test_a_mending_that_fails_in_passing_is_tried_again(said):
    mend = mending(NotReadyError("node cp-1 is not Ready"), Unreachable("no route"))
    assert Persistence(60, said.append)(failing(CUT), mend=mend) == "done"


def test_a_mending_that_is_refused_ends_the_tries(said):
    mend = mending(AdminError("the debug pod was refused"))
    with pytest.raises(AdminError, match="refused"):
        Persistence(60, said.append)(failing(CUT), mend=mend)


def test_an_interruption_is_never_taken_for_a_failure(said):
    def act() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Persistence(60, said.append)(act)


def of_kubelet(status: int, message: str) -> AdminError:
    return refusal(status, message.encode(), {}, "GET /exec")


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (CUT, True),
        (Unreachable("no route"), True),
        (NotReadyError("node cp-1 is not Ready"), True),
        (of_kubelet(500, "error dialing backend: connection refused"), True),
        (of_kubelet(503, "apiserver is shutting down"), True),
        (of_kubelet(429, "too many requests"), True),
        (of_kubelet(404, "pod does not exist"), True),
        (of_kubelet(404, 'container not found ("host")'), True),
        (of_kubelet(404, 'pods "kubectl-admin-x" not found'), False),
        (of_kubelet(403, "pods is forbidden"), False),
        (of_kubelet(400, "container host is not valid for pod"), False),
        (of_kubelet(409, "conflict"), False),
        (Forbidden(403, "Forbidden", "no"), False),
        (UsageError("no such node"), False),
        (AdminError("the disk is full"), False),
    ],
)
def test_what_may_well_succeed_a_little_later(error, transient):
    assert is_transient(error) is transient


def refused(message: str = 'pods "a" is forbidden: User "ann" cannot get resource "pods/exec"') -> Forbidden:
    return Forbidden(403, "Forbidden", message)


def test_a_kubelet_without_a_certificate_is_not_waited_for_long_and_the_way_out_is_told(said, clock):
    """It gets one within seconds, or somebody has to approve it first."""
    error = refusal(500, b"error dialing backend: remote error: tls: internal error", {}, "POST exec")
    assert Persistence(300, said.append)(failing(*[error] * 5)) == "done"
    with pytest.raises(AdminError) as raised:
        Persistence(300, said.append)(failing(*[error] * 500))
    assert "kubectl admin certs csr" in raised.value.hint
    assert 15 < sum(clock.slept) < 40


def test_a_right_that_was_granted_before_is_asked_for_again(said, clock):
    """An API server that has just started knows no roles yet, and refuses everybody."""
    patient = Persistence(60, said.append, settling=10)
    assert patient(failing(CUT, refused(), refused())) == "done"
    with pytest.raises(Forbidden):
        patient(failing(*[refused()] * 30))
    assert sum(clock.slept) < 12
    with pytest.raises(Forbidden):
        Persistence(5, said.append, settling=1000)(failing(*[refused()] * 30))


def test_a_right_that_was_never_granted_is_not(clock):
    with pytest.raises(Forbidden):
        Persistence(60, print)(failing(refused()))
    assert clock.slept == []


def test_what_is_not_wanted_is_not_asked_for_again(clock):
    """Pod Security and admission webhooks answer Forbidden, too."""
    with pytest.raises(Forbidden):
        Persistence(60, print, settling=60)(failing(refused("pods is forbidden: violates PodSecurity")))
    assert clock.slept == []


@pytest.mark.usefixtures("clock")
def test_a_kubelet_that_was_restarted_refuses_until_it_reaches_an_api_server():
    message = (
        "Forbidden (user=kube-apiserver-kubelet-client, verb=get, resource=nodes, subresource(s)=[proxy])"
    )
    assert Persistence(60, print, settling=60)(failing(refused(message), refused(message))) == "done"
    with pytest.raises(Forbidden):
        Persistence(60, print)(failing(refused(message)))
