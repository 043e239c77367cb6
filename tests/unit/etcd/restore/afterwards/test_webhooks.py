"""Webhooks with nobody behind them: ignored for the time of a restore, and put back whatever cuts it off."""

import json
from dataclasses import replace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import Conflict, Forbidden, Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards import webhooks
from kubectl_admin.etcd.restore.consequences.facts import Hook
from tests import permissions
from tests.unit.etcd.restore.afterwards.api import RECORD, Api
from tests.unit.etcd.restore.consequences.objects import endpoints, webhook

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICY, INJECT = (
    f"{GROUP}/validatingwebhookconfigurations/policy",
    f"{GROUP}/mutatingwebhookconfigurations/inject",
)
SLICE = "/apis/discovery.k8s.io/v1/endpointslices/policy-x"
HOOKS = [
    Hook(
        "validatingwebhookconfiguration/policy", "policy.example.com", ("ns", "policy"), ("pods",), "u-policy"
    ),
    Hook(
        "mutatingwebhookconfiguration/inject", "inject.example.com", ("ns", "inject"), ("pods",), "u-inject"
    ),
]
PLANNED = replace(RECORD, left=("gone",), planned={webhooks.PLANNED: webhooks.planned(HOOKS)})


def configuration(name: str) -> dict[str, Any]:
    """With a second webhook that is none of the planned ones."""
    item = webhook(name, f"ns/{name}", ["pods"])
    item["metadata"] |= {"uid": f"u-{name}", "annotations": {"a": "b"}}
    item["webhooks"].append({**item["webhooks"][0], "name": "other.example.com"})
    return item


class Cluster(Api):
    def __init__(self) -> None:
        super().__init__({POLICY: configuration("policy"), INJECT: configuration("inject")})

        self.began = self.clock.now

    @property
    def waited(self) -> float:
        return self.clock.now - self.began

    def policies(self, path: str) -> list[str]:
        return [hook["failurePolicy"] for hook in self.objects[path]["webhooks"]]

    def mark(self, path: str) -> Any:
        return self.objects[path]["metadata"]["annotations"].get(webhooks.MARK)

    def serve(self, *behind: tuple[str, bool], service: str = "policy") -> None:
        path = SLICE.replace("policy", service)
        self.objects[path] = endpoints(f"ns/{service}", *behind)


@pytest.fixture
def api() -> Any:
    return Cluster()


def test_exactly_the_planned_ones_are_ignored_and_put_back(api):
    before = [api.objects[path]["webhooks"] for path in (POLICY, INJECT)]
    done = webhooks.ignore(api, PLANNED)
    assert done.said == (
        "webhooks that refuse nothing for now: validatingwebhookconfiguration/policy, "
        "mutatingwebhookconfiguration/inject"
    )
    assert [api.policies(path) for path in (POLICY, INJECT)] == [["Ignore", "Fail"]] * 2
    assert json.loads(api.mark(POLICY)) == {
        "operation": RECORD.id,
        "policies": {"policy.example.com": "Fail"},
    }
    api.serve(("w1", True))
    api.serve(("w1", True), service="inject")
    done = webhooks.put_back(api, PLANNED)
    assert done.findings == ()
    assert [api.objects[path]["webhooks"] for path in (POLICY, INJECT)] == before
    assert [api.objects[path]["metadata"]["annotations"] for path in (POLICY, INJECT)] == [{"a": "b"}] * 2
    assert api.waited == 0


def test_each_is_put_back_as_soon_as_somebody_is_behind_it(api):
    webhooks.ignore(api, PLANNED)
    api.serve(("gone", True))  # it has left

    def meanwhile() -> None:
        if api.waited >= 10:
            api.serve(("w1", True))
        if api.waited >= 20:
            assert api.policies(POLICY) == ["Fail", "Fail"]
            assert api.policies(INJECT) == ["Ignore", "Fail"]
            api.serve(("w1", True), service="inject")

    api.meanwhile = meanwhile
    assert webhooks.put_back(api, PLANNED).findings == ()
    assert api.policies(INJECT) == ["Fail", "Fail"]
    assert 20 <= api.waited < 30


def test_at_the_end_they_refuse_again_whoever_is_behind_them(api):
    webhooks.ignore(api, PLANNED)
    api.serve(("w1", False))
    api.serve(("w1", True), service="inject")
    (finding,) = webhooks.put_back(api, PLANNED).findings
    assert (finding.rule, finding.objects) == (
        "webhook-restored-without-backend",
        ("validatingwebhookconfiguration/policy",),
    )
    assert api.policies(POLICY) == ["Fail", "Fail"]
    assert api.mark(POLICY) is None


def test_a_second_run_ignores_none_that_somebody_is_behind(api):
    api.serve(("w1", True))
    webhooks.ignore(api, PLANNED)
    assert (api.policies(POLICY), api.policies(INJECT)) == (["Fail", "Fail"], ["Ignore", "Fail"])
    api.changes.clear()
    webhooks.ignore(api, PLANNED)
    assert api.changes == []


@pytest.mark.parametrize("change", ["another", "gone", "ignored"])
def test_what_is_not_as_it_was_planned_is_left(api, change):
    if change == "gone":
        del api.objects[POLICY]
    elif change == "another":
        api.objects[POLICY]["metadata"]["uid"] = "another"
    else:
        api.objects[POLICY]["webhooks"][0]["failurePolicy"] = "Ignore"
    done = webhooks.ignore(api, PLANNED)
    assert done.said.endswith("for now: mutatingwebhookconfiguration/inject")
    assert ("PATCH", POLICY) not in api.changes


def test_one_that_somebody_has_set_meanwhile_is_not_set_back(api):
    webhooks.ignore(api, PLANNED)
    api.objects[POLICY]["webhooks"][0]["failurePolicy"] = "Fail"
    api.objects[POLICY]["webhooks"][1]["failurePolicy"] = "Ignore"
    api.serve(("w1", True))
    api.serve(("w1", True), service="inject")
    webhooks.put_back(api, PLANNED)
    assert (api.policies(POLICY), api.mark(POLICY)) == (["Fail", "Ignore"], None)


def test_a_change_of_somebody_else_is_not_overwritten(api):
    api.refusing["PATCH", POLICY] = [Conflict(409, "Conflict", "changed")] * 2
    webhooks.ignore(api, PLANNED)
    assert api.policies(POLICY) == ["Ignore", "Fail"]
    api.refusing["PATCH", POLICY] = [Conflict(409, "Conflict", "changed")] * 500
    with pytest.raises(AdminError, match=r"validatingwebhookconfiguration/policy: .*: changed"):
        webhooks.put_back(api, PLANNED)
    assert api.policies(INJECT) == ["Fail", "Fail"]


def test_one_that_can_not_be_changed_keeps_none_of_the_others(api):
    api.refusing["GET", POLICY] = [Unreachable("no answer")]
    with pytest.raises(AdminError, match=r"^validatingwebhookconfiguration/policy: no answer$"):
        webhooks.ignore(api, PLANNED)
    assert api.policies(INJECT) == ["Ignore", "Fail"]


def test_what_an_earlier_restore_has_left_is_put_back_also_out_of_its_own_snapshot(api):
    earlier = replace(PLANNED, id="aaaaaaaaaa")
    webhooks.ignore(api, earlier)
    webhooks.ignore(api, PLANNED)
    assert json.loads(api.mark(POLICY))["policies"] == {"policy.example.com": "Fail"}
    nothing = replace(RECORD, planned={webhooks.PLANNED: []})
    assert "policy" in webhooks.put_back(api, nothing).said
    assert (api.policies(POLICY), api.mark(POLICY)) == (["Fail", "Fail"], None)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), AdminError("rights are missing")])
def test_a_run_that_is_cut_off_leaves_none_ignored(api, error):
    webhooks.ignore(api, PLANNED)
    said: list[str] = []
    with pytest.raises(type(error)), webhooks.refusing_afterwards(api, PLANNED, said.append):
        raise error
    assert (api.policies(POLICY), api.mark(POLICY), said) == (["Fail", "Fail"], None, [])


def test_the_reason_why_a_run_was_cut_off_is_not_hidden(api):
    api.refusing["GET", f"{GROUP}/validatingwebhookconfigurations"] = [Unreachable("no answer")]
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt), webhooks.refusing_afterwards(api, PLANNED, said.append):
        raise KeyboardInterrupt
    assert said == ["webhooks may refuse nothing until this is run again: no answer"]


def test_one_that_a_run_that_is_cut_off_can_not_put_back_is_named(api):
    webhooks.ignore(api, PLANNED)
    api.refusing["GET", INJECT] = [Unreachable("no answer")]
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt), webhooks.refusing_afterwards(api, PLANNED, said.append):
        raise KeyboardInterrupt
    (one,) = said
    assert one.endswith(" may refuse nothing until this is run again: no answer")
    assert "webhookconfiguration/inject" in one


@pytest.mark.parametrize("record", [RECORD, None])
def test_a_run_without_the_option_asks_for_no_webhook(api, record):
    api.refusing["GET", f"{GROUP}/validatingwebhookconfigurations"] = [AssertionError()]
    with pytest.raises(KeyboardInterrupt), webhooks.refusing_afterwards(api, record, print):
        raise KeyboardInterrupt


def test_a_pruning_puts_back_what_was_left_whoever_is_behind_it(api):
    webhooks.ignore(api, PLANNED)
    api.refusing["GET", INJECT] = [Unreachable("no answer")]
    left, unseen = webhooks.left_over(api)
    answers = webhooks.put_back_now(api, left)
    assert [(name, str(one) if one else "") for name, one in answers.items()] == [
        ("validatingwebhookconfiguration/policy", ""),
        ("mutatingwebhookconfiguration/inject", "no answer"),
    ]
    assert (unseen, api.policies(POLICY), api.mark(POLICY)) == ([], ["Fail", "Fail"], None)
    api.refusing["GET", f"{GROUP}/validatingwebhookconfigurations"] = [
        Forbidden(403, "Forbidden", "no right")
    ]
    left, (gap,) = webhooks.left_over(api)
    assert (left, gap.what) == ([], "webhooks that a restore may have left ignored")


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"policies": 7}', "x"])
def test_an_annotation_that_is_not_of_this_program_is_said_and_left(api, said):
    webhooks.ignore(api, PLANNED)
    api.objects[POLICY]["metadata"]["annotations"][webhooks.MARK] = said
    with pytest.raises(AdminError, match=r"policy: its annotation .* is not as this program writes it"):
        webhooks.put_back(api, PLANNED)
    assert (api.policies(POLICY), api.policies(INJECT)) == (["Ignore", "Fail"], ["Fail", "Fail"])


def test_the_rights_are_those_of_the_page():
    page = permissions.rights(permissions.of_page("etcd-restore"))
    named = {str(right) for right in page}
    assert {str(right) for right in webhooks.RIGHTS} <= named
