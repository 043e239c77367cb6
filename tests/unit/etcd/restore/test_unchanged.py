"""Whoever has joined or left since the plan was made keeps the word from being given."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.etcdctl import Listed
from kubectl_admin.etcd.members.facts import Member, State
from kubectl_admin.etcd.restore.on_nodes.plan import node_plans
from kubectl_admin.etcd.restore.unchanged import refuse_changed
from tests.unit.etcd.members.samples import sound_member, state
from tests.unit.etcd.restore.control_planes import control_plane, found, on_disk


def look(now: State, *numbers: int, known: State | None = None) -> None:
    """Looks at the cluster of now, with a plan for control planes of these numbers. known: as it was then."""
    pods = control_plane(*numbers)
    cluster: Any = object()

    def gather(_cluster: object, *, compare: bool) -> State:
        assert not compare
        return now

    plans = node_plans("0123456789", found(pods), on_disk(pods))
    refuse_changed(cluster, plans, known=known or now, gather=gather)


def test_the_control_plane_that_was_planned_for():
    look(state(sound_member(1)), 1)
    look(state(sound_member(1), sound_member(2), sound_member(3)), 1, 2, 3)


def test_two_that_joined_would_be_a_majority_of_the_former_data():
    with pytest.raises(AdminError, match=r"the control plane has changed .* cp-1, cp-2, cp-3 now"):
        look(state(sound_member(1), sound_member(2), sound_member(3)), 1)


def test_one_that_is_gone():
    with pytest.raises(AdminError, match="the control plane has changed"):
        look(state(sound_member(1), sound_member(2)), 1, 2, 3)


def test_a_member_that_is_joining_is_in_the_list_before_its_node_has_its_label():
    joining = Member(7, "", "", listed=Listed(7, "", ("https://192.0.2.9:2380",), (), True))
    with pytest.raises(AdminError, match=r"members of etcd have changed .*\(not started\)"):
        look(state(sound_member(1), joining), 1)


def test_a_member_of_the_same_name_at_another_address():
    first = sound_member(1)
    assert first.listed
    moved = replace(first, listed=replace(first.listed, peer_urls=("https://192.0.2.77:2380",)))
    with pytest.raises(AdminError, match="members of etcd have changed"):
        look(state(moved), 1)


def test_a_list_that_nobody_gives_is_not_taken_for_the_same():
    with pytest.raises(AdminError, match="could not be read"):
        look(state(sound_member(1, listed=None)), 1)


def test_another_restore_since_would_have_seen_later_revisions():
    then = sound_member(1)
    assert then.status
    now = replace(then, status=replace(then.status, cluster_id=then.status.cluster_id + 1))
    with pytest.raises(AdminError, match="etcd has been restored by somebody else since it was looked at"):
        look(state(now), 1, known=state(then))
    with pytest.raises(AdminError, match="which etcd answers is not known"):
        look(state(replace(then, status=None)), 1, known=state(then))
