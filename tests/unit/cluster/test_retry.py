"""What is tried again, for how long, and who is told."""

from collections.abc import Callable
from functools import partial

import pytest

from kubectl_admin.cluster import retry as module
from kubectl_admin.cluster.errors import (
    Broken,
    BrokenStream,
    Forbidden,
    NothingSent,
    Unauthorized,
    Unreachable,
    Untrusted,
    refusal,
)
from kubectl_admin.cluster.retry import (
    LONGEST_PAUSE,
    NotReadyError,
    Retry,
    Trouble,
    is_transient,
    may_be_sent_again,
    trouble_of,
)
from kubectl_admin.errors import AdminError, UsageError
from tests.fakes.clock import Clock

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
            error = left.pop(0)
            error.waited = 0.0
            raise error

    return act


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def retry(clock: Clock) -> Callable[..., Retry]:
    """Makes a Retry that waits for nothing."""
    return partial(Retry, clock=clock)


@pytest.fixture
def said() -> list[str]:
    return []


def test_what_succeeds_is_done_once_and_nobody_is_told(retry, said, clock):
    assert retry(60, said.append)(failing()) == "done"
    assert (said, clock.slept) == ([], [])


def test_it_is_tried_again_with_growing_pauses(retry, said, clock):
    assert retry(600, said.append)(failing(*[CUT] * 20)) == "done"
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[0] == pytest.approx(0.2)
    assert clock.slept[-1] == LONGEST_PAUSE


def test_one_failure_is_nobodys_business_and_many_are_said_once(retry, said):
    retry(60, said.append)(failing(CUT))
    assert said == []
    retry(60, said.append)(failing(*[CUT] * 9))
    assert said == ["the connection was lost; trying again"]


def test_patience_ends(retry, said, clock):
    with pytest.raises(BrokenStream):
        retry(10, said.append)(failing(*[CUT] * 1000))
    assert 5 < sum(clock.slept) <= 10


def test_patience_begins_with_the_first_failure_not_with_the_work(retry, said, clock):
    action = failing(CUT)

    def long() -> str:
        clock.now += 4000
        return action()

    assert retry(300, said.append)(long) == "done"


def test_patience_begins_anew_with_the_next_action(retry, said):
    patiently = retry(10, said.append)
    for _ in range(10):
        assert patiently(failing(*[CUT] * 5)) == "done"


def test_no_patience_is_one_try(retry, said, clock):
    with pytest.raises(BrokenStream):
        retry(0, said.append)(failing(CUT))
    assert clock.slept == []


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_retries_are_counted(retry, said, retries):
    assert retry(600, said.append, retries)(failing(*[CUT] * retries)) == "done"
    with pytest.raises(BrokenStream):
        retry(600, said.append, retries)(failing(*[CUT] * (retries + 1)))


def test_what_is_no_passing_trouble_is_raised_at_once(retry, said, clock):
    error = AdminError("no such file")
    with pytest.raises(AdminError) as raised:
        retry(600, said.append)(failing(CUT, error, CUT))
    assert raised.value is error
    assert len(clock.slept) == 1


def test_mending_comes_before_every_further_try_and_not_before_the_first(retry, said):
    order: list[str] = []
    action = failing(CUT, CUT)

    def act() -> str:
        order.append("act")
        return action()

    retry(60, said.append)(act, mend=lambda: order.append("mend"))
    assert order == ["act", "mend", "act", "mend", "act"]


def test_a_mending_that_fails_in_passing_is_tried_again(retry, said):
    mend = mending(NotReadyError("node cp-1 is not Ready"), Unreachable("no route"))
    assert retry(60, said.append)(failing(CUT), mend=mend) == "done"


def test_a_mending_that_is_refused_ends_the_tries(retry, said):
    mend = mending(AdminError("the debug pod was refused"))
    with pytest.raises(AdminError, match="refused"):
        retry(60, said.append)(failing(CUT), mend=mend)


def test_an_interruption_is_never_taken_for_a_failure(retry, said):
    def act() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retry(60, said.append)(act)


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


@pytest.mark.parametrize(
    ("error", "trouble", "once", "twice"),
    [
        (NothingSent("the connection was refused"), Trouble.UNREACHED, True, True),
        (Unreachable("has stopped answering"), Trouble.CUT, False, True),
        (Broken("connection reset by peer"), Trouble.CUT, False, True),
        (CUT, Trouble.CUT, False, True),
        (Untrusted("x509: certificate signed by unknown authority"), Trouble.FINAL, False, False),
        (of_kubelet(500, "etcdserver: leader changed"), Trouble.STARTING, False, True),
        (of_kubelet(500, "etcdserver: mvcc: database space exceeded"), Trouble.FINAL, False, False),
        (of_kubelet(502, "Bad Gateway"), Trouble.STARTING, False, True),
        (of_kubelet(504, "request timed out"), Trouble.STARTING, False, True),
        (of_kubelet(429, "storage is (re)initializing"), Trouble.STARTING, False, True),
        (NotReadyError("node cp-1 is not Ready"), Trouble.STARTING, False, True),
        (of_kubelet(500, "remote error: tls: internal error"), Trouble.UNCERTIFIED, False, True),
        (of_kubelet(401, "Unauthorized"), Trouble.UNKNOWN_USER, True, True),
        (of_kubelet(403, 'User "ann" cannot get resource "pods"'), Trouble.UNKNOWN_ROLES, True, True),
        (of_kubelet(403, "a webhook does not like it"), Trouble.FINAL, False, False),
        (of_kubelet(409, "conflict"), Trouble.FINAL, False, False),
        (AdminError("the disk is full"), Trouble.FINAL, False, False),
    ],
)
def test_the_table(error, trouble, once, twice):
    """once, twice: whether it may be sent again, if it bears being carried out once, or more often."""
    assert trouble_of(error) is trouble
    assert (may_be_sent_again(error, twice=False), may_be_sent_again(error, twice=True)) == (once, twice)


def test_every_row_of_the_table_is_described():
    for trouble in Trouble:
        assert f"    {trouble.name} " in module.__doc__


def unknown(*, known: bool) -> Unauthorized:
    error = Unauthorized(401, "Unauthorized", "Unauthorized")
    error.known = known
    return error


def test_a_user_who_was_let_in_before_is_let_in_again(retry, clock):
    """An API server that has just started has not read the keys of its OIDC issuer yet."""
    assert retry(300)(failing(*[unknown(known=True)] * 20)) == "done"
    begun = clock.now
    with pytest.raises(Unauthorized):
        retry(300)(failing(*[unknown(known=True)] * 1000))
    assert 50 < clock.now - begun <= 60


def test_a_user_who_never_was_let_in_is_told_at_once(retry, clock):
    with pytest.raises(Unauthorized):
        retry(300)(failing(unknown(known=False)))
    assert clock.slept == []


def test_a_run_that_goes_on_may_have_its_user_unknown_for_a_while(retry):
    """Its first contact may be with an API server that its own work has restarted."""
    assert retry(60, settling=60)(failing(unknown(known=False), refused())) == "done"


def test_what_must_not_be_carried_out_twice_is_tried_again_only_where_it_was_not(retry):
    assert retry(60)(failing(NothingSent("refused")), twice=False) == "done"
    with pytest.raises(BrokenStream):
        retry(60)(failing(CUT), twice=False)


def refused(message: str = 'pods "a" is forbidden: User "ann" cannot get resource "pods/exec"') -> Forbidden:
    return Forbidden(403, "Forbidden", message)


def test_a_kubelet_without_a_certificate_is_not_waited_for_long_and_the_way_out_is_told(retry, said, clock):
    """It gets one within seconds, or somebody has to approve it first."""
    error = refusal(500, b"error dialing backend: remote error: tls: internal error", {}, "POST exec")
    assert retry(300, said.append)(failing(*[error] * 5)) == "done"
    with pytest.raises(AdminError) as raised:
        retry(300, said.append)(failing(*[error] * 500))
    assert "kubectl admin certs csr" in raised.value.hint
    assert 15 < sum(clock.slept) < 40


def test_a_right_that_was_granted_before_is_asked_for_again(retry, said, clock):
    """An API server that has just started knows no roles yet, and refuses everybody."""
    patient = retry(60, said.append, settling=10)
    assert patient(failing(CUT, refused(), refused())) == "done"
    with pytest.raises(Forbidden):
        patient(failing(*[refused()] * 30))
    assert sum(clock.slept) < 12
    with pytest.raises(Forbidden):
        retry(5, said.append, settling=1000)(failing(*[refused()] * 30))


def test_a_right_that_was_never_granted_is_not(retry, clock):
    with pytest.raises(Forbidden):
        retry(60, print)(failing(refused()))
    assert clock.slept == []


def test_what_is_not_wanted_is_not_asked_for_again(retry, clock):
    """Pod Security and admission webhooks answer Forbidden, too."""
    with pytest.raises(Forbidden):
        retry(60, print, settling=60)(failing(refused("pods is forbidden: violates PodSecurity")))
    assert clock.slept == []


def test_a_kubelet_that_was_restarted_refuses_until_it_reaches_an_api_server(retry):
    message = (
        "Forbidden (user=kube-apiserver-kubelet-client, verb=get, resource=nodes, subresource(s)=[proxy])"
    )
    assert retry(60, print, settling=60)(failing(refused(message), refused(message))) == "done"
    with pytest.raises(Forbidden):
        retry(60, print)(failing(refused(message)))
