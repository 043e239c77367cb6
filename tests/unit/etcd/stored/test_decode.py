"""Stored values as plain data."""

import json
import random
from contextlib import suppress

import pytest

from kubectl_admin.etcd.stored import decode
from kubectl_admin.etcd.stored.decode import Unreadable, decoded
from kubectl_admin.etcd.stored.tables import OF_KINDS, SCALARS, TABLES
from tests.unit.etcd.diff.history import text
from tests.unit.etcd.snapshot.bolt_file import varint
from tests.unit.etcd.stored.encoded import field, kept, message, number

SINCE = "2026-11-30T09:43:36Z"
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "w1",
        "uid": "1",
        "creationTimestamp": SINCE,
        "labels": {"a": "b", "empty": ""},
        "annotations": {"x": "é"},
        "ownerReferences": [{"kind": "A", "name": "n", "uid": "2", "controller": False}],
    },
    "spec": {
        "podCIDR": "10.244.1.0/24",
        "podCIDRs": ["10.244.1.0/24", "fd00::/64"],
        "providerID": "x://1",
        "unschedulable": True,
        "taints": [{"key": "k", "effect": "NoSchedule"}],
    },
    "status": {
        "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": SINCE}],
        "images": [{"names": ["a", "b"], "sizeBytes": 5}, {"names": ["c"]}],
        "nodeInfo": {"kubeletVersion": "v1.37.2"},
    },
}
VOLUME = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "pv"},
    "spec": {
        "capacity": {"storage": "1Gi"},
        "csi": {"driver": "d", "volumeHandle": "h"},
        "claimRef": {"namespace": "shop", "name": "data"},
        "persistentVolumeReclaimPolicy": "Retain",
    },
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "AP8=", "b": ""}}
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {},
    "spec": {"storageClassName": ""},
}
SLICE = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {"name": "s"},
    "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}],
    "ports": [{"port": 443}],
}
WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "w"},
    "webhooks": [
        {
            "name": "a.example.com",
            "clientConfig": {"service": {"namespace": "n", "name": "s", "port": 443}},
            "rules": [{"operations": ["*"], "apiGroups": [""], "resources": ["pods"]}],
            "failurePolicy": "Fail",
            "namespaceSelector": {},
        }
    ],
}
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "w1"},
    "spec": {"holderIdentity": "w1", "renewTime": "2026-11-30T09:43:36.123456Z"},
}
CRON_JOB = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "c"},
    "spec": {
        "schedule": "* * * * *",
        "jobTemplate": {
            "metadata": {},
            "spec": {
                "template": {
                    "metadata": {},
                    "spec": {
                        "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}],
                        "containers": [{"name": "a", "image": "i"}],
                        "ephemeralContainers": [{"name": "e", "image": "j"}],
                    },
                }
            },
        },
    },
}


@pytest.mark.parametrize(
    "document", [NODE, VOLUME, SECRET, CLAIM, SLICE, WEBHOOK, LEASE, CRON_JOB], ids=lambda each: each["kind"]
)
def test_an_object_is_shaped_as_the_api_has_it(document):
    assert decoded(kept(document)) == document


def test_what_is_empty_is_left_out_as_in_json():
    empty = text(2, b"") + field(4, number(4, 0)) + field(8, b"") + field(8, number(1, 0))
    value = kept({"apiVersion": "v1", "kind": "Node"})
    raw = text(1, empty) + field(2, text(1, b"") + number(4, 0))
    value = b"k8s\x00" + text(1, text(1, b"v1") + text(2, b"Node")) + text(2, raw)
    assert decoded(value) == {"apiVersion": "v1", "kind": "Node", "metadata": {}, "spec": {}}


def test_fields_that_are_not_known_are_left_out():
    raw = (
        message("Namespace", {"metadata": {"name": "n"}})
        + number(99, 7)
        + field(98, b"\xff")
        + b"\xa5\x01abcd"
    )
    value = b"k8s\x00" + text(1, text(1, b"v1") + text(2, b"Namespace")) + text(2, raw)
    assert decoded(value)["metadata"] == {"name": "n"}


def test_a_message_in_parts_is_put_together_and_the_last_text_counts():
    """As Go's decoder does, so that no other object is read here than in the API server."""
    parts = text(1, text(1, b"a") + text(5, b"1")) + text(1, text(1, b"b"))
    value = b"k8s\x00" + text(1, text(1, b"v1") + text(2, b"Namespace")) + text(2, parts)
    assert decoded(value)["metadata"] == {"name": "b", "uid": "1"}


def test_negative_numbers():
    document = {**LEASE, "spec": {"leaseTransitions": -3}}
    assert decoded(kept(document))["spec"] == {"leaseTransitions": -3}


def test_json_is_taken_as_it_is():
    document = {"apiVersion": "a.io/v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"deep": [{"x": 1}]}}
    assert decoded(json.dumps(document).encode()) == document


def as_json(**fields):
    return json.dumps({"apiVersion": "a.io/v1", "kind": "A", "metadata": {}, **fields}).encode()


def of_kind(kind, raw, more=b""):
    return b"k8s\x00" + text(1, text(1, b"v1") + text(2, kind)) + field(2, raw) + more


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"k8s\x00",
        b"k8s:enc:aescbc:v1:key1:xxxx",
        kept(NODE)[:-1],
        kept(NODE)[:40],
        of_kind(b"Unheard", b""),
        of_kind(b"\xff" * 5000, b""),
        of_kind(b"Node", b"", text(3, b"gzip")),
        of_kind(b"Node", number(1, 5)),
        of_kind(b"Node", text(1, number(1, 5))),
        of_kind(b"Node", text(2, text(4, b"x"))),
        of_kind(b"Node", text(1, text(8, number(1, 1 << 62)))),
        of_kind(b"Node", text(1, text(8, number(1, -1 << 62)))),
        of_kind(b"Node", text(1, text(11, b"\xff\xff"))),
        b"{}",
        b"{",
        b"[1]",
        b"anything",
        b'{"apiVersion":' * 100_000,
        as_json(metadata=[]),
        as_json(kind=7),
        as_json(metadata={"name": ["a"]}),
        as_json(metadata={"labels": {"a": 1}}),
        as_json(metadata={"annotations": [1]}),
        as_json(spec=0)[:-1] + b',"n":' + b"1" * 5000 + b"}",
    ],
)
def test_what_can_not_be_read(value):
    with pytest.raises(Unreadable) as told:
        decoded(value)
    assert 0 < len(str(told.value)) < 400


def test_a_value_that_is_too_long_is_not_looked_into(monkeypatch):
    monkeypatch.setattr(decode, "LONG", 100)
    with pytest.raises(Unreadable, match="longer than 100"):
        decoded(kept(NODE))


def test_the_fields_of_an_object_are_counted_at_every_depth(monkeypatch):
    monkeypatch.setattr(decode, "MOST", 40)
    many = {**NODE, "metadata": {"labels": {str(at): "" for at in range(60)}}}
    with pytest.raises(Unreadable, match="fields"):
        decoded(kept(many))


def test_a_value_changed_anywhere_raises_nothing_else():
    chance = random.Random(5)
    for document in (NODE, VOLUME, WEBHOOK, CRON_JOB):
        value = bytearray(kept(document))
        for _ in range(150):
            changed = bytearray(value)
            for _ in range(chance.randint(1, 3)):
                changed[chance.randrange(len(value))] = chance.randrange(256)
            with suppress(Unreadable):
                assert isinstance(decoded(bytes(changed))["metadata"], dict)


def test_the_tables_lead_to_messages_that_there_are_and_end():
    def depth(table, above=()):
        assert table not in above, above
        inner = [each.type for each in TABLES[table].values() if each.type not in SCALARS]
        return 1 + max((depth(each, (*above, table)) for each in inner), default=0)

    assert max(depth(table) for table in OF_KINDS.values()) < 12


def test_a_name_is_used_once_in_a_message():
    def names(each):
        for known in TABLES[each].values():
            yield from [known.name] if known.name else names(known.type)

    for table in TABLES:
        found = list(names(table))
        assert len(found) == len(set(found)), table


def test_varints_of_the_test_are_the_programs():
    assert number(1, -1) == b"\x08" + varint((1 << 64) - 1)
