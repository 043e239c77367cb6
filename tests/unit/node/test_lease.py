"""A Lease and its holders, against a server that keeps one as the API server does."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kubectl_admin.cluster.errors import Forbidden, Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.node import lease
from kubectl_admin.node.claim import ABOUT
from kubectl_admin.node.operation import Owner
from tests.fakes.api_server import HangUp, Says, StandIn, status
from tests.fakes.clock import Clock

NAME = "kubectl-admin-upgrade-w1"
PATH = f"{lease.LEASES}/{NAME}"
NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
ME = Owner.of_process()
JANE = Owner("jane@laptop", "boot-of-laptop/pid:[1]", 4711, "100")
ENDED = replace(ME, person="joe@here", started="0")  # this machine's, and certainly not there any more
CONFLICT = status(409, "Conflict", "the object has been modified")
NOT_FOUND = status(404, "NotFound", "no such lease")


class Server:
    """One Lease, with versions and preconditions; `now` is the clock of managedFields and of creation."""

    def __init__(self, stand_in):
        self.lease, self.version, self.now = None, 0, NOW
        self.meanwhile = lambda: None
        stand_in.clock = self.clock = Clock(meanwhile=self.pass_time)
        self.tells_managers = True
        self.puts = threading.Semaphore(0)
        self.lock = threading.RLock()  # one request after another, as the API server's storage does it
        for method in ("GET", "PUT", "DELETE"):
            stand_in.on(method, PATH, self.answer)
        stand_in.on("POST", lease.LEASES, self.answer)
        self.cluster = stand_in.connect()

    def pass_time(self, seconds):
        """Nobody waits: who sleeps moves the server's clock as well."""
        self.now += timedelta(seconds=seconds)
        self.meanwhile()

    def answer(self, asked):
        with self.lock:
            return getattr(self, asked.method.lower())(asked)

    def get(self, _asked):
        return Says(body=self.lease) if self.lease else NOT_FOUND

    def put(self, asked):
        sent = asked.body
        self.puts.release()
        if not self.lease:  # as the API server says it of a UID that it does not find
            return CONFLICT if "uid" in sent["metadata"] else NOT_FOUND
        if sent["metadata"].get("resourceVersion") != self.lease["metadata"]["resourceVersion"]:
            return CONFLICT
        return Says(body=self.keep(sent))

    def post(self, asked):
        if dict(asked.query).get("dryRun"):
            assert "name" not in asked.body["metadata"]
            return Says(201, {"metadata": {"creationTimestamp": f"{self.now:%Y-%m-%dT%H:%M:%SZ}"}})
        return CONFLICT if self.lease else Says(201, self.keep(asked.body, uid=f"uid-{self.version}"))

    def delete(self, asked):
        if not self.lease:
            return NOT_FOUND
        wanted = asked.body["preconditions"]
        if any(self.lease["metadata"][key] != value for key, value in wanted.items()):
            return CONFLICT
        self.lease = None
        return Says(body={"kind": "Status", "status": "Success"})

    def keep(self, sent, **more):
        self.version += 1
        written = [{"manager": "kubectl-admin", "time": f"{self.now:%Y-%m-%dT%H:%M:%SZ}"}]
        metadata = {**sent["metadata"], "resourceVersion": str(self.version), **more}
        metadata["managedFields"] = written if self.tells_managers else []
        self.lease = {**sent, "metadata": metadata}
        return self.lease

    def held_by(self, owner, about="upgrades node w1"):
        """Has somebody else take the Lease, whoever holds it."""
        claim = lease.Claim(NAME, owner, about)
        with self.lock:
            self.keep(claim.taken(self.lease) if self.lease else claim.new(), uid="uid-of-others")

    @property
    def holder(self):
        return self.lease["spec"]["holderIdentity"] if self.lease else None


@pytest.fixture
def stand_in():
    with StandIn().serving() as stand_in:
        yield stand_in


@pytest.fixture
def server(stand_in):
    return Server(stand_in)


@pytest.fixture
def said():
    return []


def held(server, said, *, owner=ME, take_over=False):
    return lease.held(server.cluster, NAME, owner, "upgrades node w1", take_over=take_over, say=said.append)


def test_taken_and_released(server, said):
    with held(server, said) as mine:
        spec = server.lease["spec"]
        assert spec["holderIdentity"] == str(ME)
        assert spec["leaseDurationSeconds"] == 120
        assert spec["acquireTime"] == spec["renewTime"]
        assert server.lease["metadata"]["annotations"] == {ABOUT: "upgrades node w1"}
        mine.check()
        assert lease.who(server.cluster, NAME).person == ME.person
    assert server.lease is None
    assert lease.who(server.cluster, NAME) is None
    assert said == []


def test_released_after_a_failure_and_after_renewals(server, said):
    def work():
        with held(server, said) as mine:
            mine.check()
            mine.check()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert server.lease is None


def test_a_second_operator_is_refused_with_name_work_and_time(server, said):
    server.held_by(JANE, "upgrades node cp-1 to 1.37.2")
    with pytest.raises(AdminError) as refused, held(server, said):
        pass
    assert refused.value.what.startswith(
        f"lease kube-system/{NAME}: jane@laptop upgrades node cp-1 to 1.37.2, since 2"
    )
    assert refused.value.what.endswith(", last renewed at 2026-11-25 12:00:00Z")
    assert "--take-over" in refused.value.hint
    assert server.holder == str(JANE)


def test_taken_over_when_a_person_says_so(server, said):
    server.held_by(JANE)
    with held(server, said, take_over=True):
        assert server.holder == str(ME)
        assert server.lease["spec"]["leaseTransitions"] == 1
    assert server.lease is None
    [line] = said
    assert "jane@laptop" in line
    assert line.endswith("that run stops at its next step")


def test_a_process_that_is_known_to_have_ended_is_not_asked(server, said):
    server.held_by(ENDED)
    with held(server, said):
        assert server.holder == str(ME)
    assert said[0].endswith("; that process has ended")
    assert server.now == NOW + timedelta(seconds=lease.SILENCE_GRACE)  # until nobody can be about to renew it


def test_a_lease_that_is_renewed_is_not_that_of_a_process_that_has_ended(server, said):
    """Whatever this machine says of the process: who renews the Lease lives."""
    server.held_by(ENDED)
    server.meanwhile = lambda: server.keep(server.lease)
    with pytest.raises(AdminError, match="joe@here"), held(server, said):
        pass
    assert server.holder == str(ENDED)


def test_one_who_ended_long_ago_is_not_waited_for(server, said):
    server.held_by(ENDED)
    server.now += timedelta(seconds=lease.SILENCE_GRACE)
    with held(server, said):
        assert server.now == NOW + timedelta(seconds=lease.SILENCE_GRACE)


def test_what_goes_on_is_left_in_the_lease(server, said):
    with held(server, said) as mine:
        mine.leave("kubectl-admin-upgrade is running on node cp-2")
        mine.check()
    assert server.holder == str(ME)
    assert (
        lease.who(server.cluster, NAME).about
        == "upgrades node w1; kubectl-admin-upgrade is running on node cp-2"
    )


def test_what_goes_on_is_left_although_others_write_the_lease(server, said):
    with held(server, said) as mine:
        server.keep({**server.lease, "metadata": {**server.lease["metadata"], "labels": {"a": "b"}}})
        mine.leave("it goes on")
    assert lease.who(server.cluster, NAME).about == "upgrades node w1; it goes on"


def test_a_lease_of_others_is_not_written_at_the_end(server, said):
    with held(server, said) as mine:
        server.held_by(JANE)
        mine.leave("it goes on")
    assert lease.who(server.cluster, NAME).about == "upgrades node w1"


def test_what_could_not_be_renewed_until_it_expired_is_not_held(stand_in, server, said):
    with held(server, said) as mine:
        stand_in.on("PUT", PATH, *[status(503, "ServiceUnavailable", "not yet")] * 4, server.answer)
        server.clock.now += lease.DURATION
        mine.check()
        server.clock.now += 1
        with pytest.raises(AdminError, match="could not be renewed for 2m0s"):
            mine.check()
        mine.check()


def test_one_that_others_write_all_the_time_at_the_end_is_told(stand_in, server, said):
    with held(server, said):
        stand_in.on("DELETE", PATH, CONFLICT)
    assert "other runs keep writing it" in said[0]


@pytest.mark.parametrize(("seconds", "free"), [(119, False), (120, False), (121, True), (86400, True)])
def test_a_lease_that_was_not_renewed_is_free_by_the_servers_clock(server, said, seconds, free):
    server.held_by(JANE)
    server.lease["spec"]["renewTime"] = "2001-01-01T00:00:00.000000Z"  # by a clock that is wrong
    server.now += timedelta(seconds=seconds)
    if not free:
        with pytest.raises(AdminError, match="jane@laptop"), held(server, said):
            pass
        return
    with held(server, said):
        assert server.holder == str(ME)
    assert "and it is 2026-11-2" in said[0]


def test_a_server_without_managed_fields_leaves_the_holders_word(server, said):
    server.tells_managers = False
    server.held_by(JANE)
    server.lease["spec"]["renewTime"] = "2026-11-25T11:57:00.000000Z"
    with held(server, said):
        assert server.holder == str(ME)


@pytest.mark.parametrize("spec", [{}, {"holderIdentity": None}, {"holderIdentity": "  "}])
def test_a_lease_that_nobody_holds(server, said, spec):
    server.keep({"metadata": {"name": NAME}, "spec": spec}, uid="uid-1")
    assert lease.who(server.cluster, NAME) is None
    with held(server, said):
        assert server.holder == str(ME)
    assert said == []


def test_a_holder_that_is_no_program_of_ours(server):
    spec = {"holderIdentity": "controller_1234", "renewTime": "soon", "leaseDurationSeconds": 15}
    server.tells_managers = False
    server.keep({"metadata": {"name": NAME}, "spec": spec}, uid="uid-1")
    holder = lease.who(server.cluster, NAME)
    assert str(holder) == "controller_1234 does not say what it does, since ?, last renewed at ?"
    assert not holder.has_ended()
    assert holder.has_expired(NOW)


def test_check_says_who_has_taken_over_and_leaves_it_to_them(server, said):
    with held(server, said) as mine:
        server.held_by(JANE)
        for _ in range(2):
            with pytest.raises(
                AdminError, match="somebody else has taken over: jane@laptop upgrades node w1"
            ):
                mine.check()
    assert server.holder == str(JANE)


def test_a_lease_of_others_is_not_deleted_at_the_end_though_nobody_has_looked(server, said):
    with held(server, said):
        server.held_by(JANE)
    assert server.holder == str(JANE)
    assert said == []


def test_somebody_has_deleted_it(server, said):
    with held(server, said) as mine:
        server.lease = None
        mine.check()
        assert server.holder == str(ME)
        server.lease = None
    assert said == []


def test_somebody_has_written_to_it(server, said):
    with held(server, said) as mine:
        server.keep({**server.lease, "metadata": {**server.lease["metadata"], "labels": {"a": "b"}}})
        mine.check()
        mine.check()
        server.keep(server.lease)
    assert server.lease is None


def test_somebody_has_emptied_it(server, said):
    with held(server, said) as mine:
        server.keep({**server.lease, "spec": {}})
        mine.check()
        mine.check()
        assert server.holder == str(ME)
    assert server.lease is None


def test_deleted_while_it_is_given_up(stand_in, server, said):
    def deleted(_asked):
        server.lease = None
        return CONFLICT

    with held(server, said):
        stand_in.on("DELETE", PATH, deleted)
    assert server.lease is None
    assert said == []


def test_two_at_the_same_moment(stand_in, server, said):
    def too_late(_asked):
        server.held_by(JANE)
        return CONFLICT

    stand_in.on("POST", lease.LEASES, too_late, server.answer)
    with pytest.raises(AdminError, match="jane@laptop"), held(server, said):
        pass
    assert server.holder == str(JANE)


def test_one_that_changes_hands_again_and_again(stand_in, server, said):
    stand_in.on("POST", lease.LEASES, CONFLICT)
    with pytest.raises(AdminError, match="in 5 tries: the object has been modified"), held(server, said):
        pass


def test_the_answer_that_got_lost_had_been_carried_out(stand_in, server, said):
    with held(server, said) as mine:

        def lost(asked):
            server.answer(asked)
            return HangUp()

        stand_in.on("PUT", PATH, lost, server.answer)
        mine.check()
        mine.check()
        assert server.holder == str(ME)
    assert server.lease is None


def test_an_api_server_that_restarts_is_put_up_with(stand_in, server, said):
    with held(server, said) as mine:
        stand_in.on("PUT", PATH, HangUp(), status(503, "ServiceUnavailable", "not yet"), server.answer)
        mine.check()
        mine.check()
        mine.check()
    assert server.lease is None


def test_one_that_restarts_at_the_end_is_waited_for(stand_in, server, said):
    with held(server, said):
        stand_in.on("DELETE", PATH, *[HangUp()] * 9, server.answer)
    assert server.lease is None


def test_one_that_is_gone_at_the_end_is_told(stand_in, server, said):
    with held(server, said):
        stand_in.on("DELETE", PATH, HangUp())
    assert server.holder == str(ME)
    assert said[-1].startswith(f"lease kube-system/{NAME} could not be released, and expires in 2m0s: ")


def test_it_is_renewed_by_itself_until_it_is_released(server, said, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_INTERVAL", 0.001)
    with held(server, said):
        for _ in range(3):
            assert server.puts.acquire(timeout=30)
    assert server.lease is None
    [thread] = [each for each in threading.enumerate() if each.name == f"lease {NAME}"] or [None]
    if thread:
        thread.join(30)
        assert not thread.is_alive()


def test_the_thread_notices_a_take_over(server, said, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_INTERVAL", 0.001)
    others = set(threading.enumerate())  # that of the test before may be about to end
    with held(server, said) as mine:
        [thread] = [each for each in set(threading.enumerate()) - others if each.name == f"lease {NAME}"]
        server.held_by(JANE)  # which the thread may notice, and end, before anything else is done here
        thread.join(30)
        assert not thread.is_alive()
        with pytest.raises(AdminError, match="jane@laptop"):
            mine.check()
    assert server.holder == str(JANE)


def test_want_of_rights_and_of_a_server_is_said(stand_in, server, said):
    stand_in.on("POST", lease.LEASES, status(403, "Forbidden", "no"))
    with pytest.raises(Forbidden), held(server, said):
        pass
    stand_in.on("GET", PATH, HangUp())
    with pytest.raises(Unreachable), held(server, said):
        pass
