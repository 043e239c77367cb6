"""The plan as it is shown, and as manifests."""

import json

import pytest
import yaml

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete import judge, report
from kubectl_admin.etcd.undelete.manifests import diff, manifest, manifests
from kubectl_admin.report import document
from kubectl_admin.report.terminal import render
from tests.unit.etcd.undelete.things import found, key, live, owned, thing

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Text that some reader of YAML takes for something else, and text that can hide.
ODD = [
    "y", "No", "on", "null", "~", "1e3", "1_000", "0o17", "0x1f", "12:30:45", "1.0", ".inf", "2026-01-01",
    "", " a", "a ", "a: b", "a #b", "- a", "*a", "&a", "!a", "%a", "@a", "`a`", "{a}", "[a]", "'a'", '"a"',
    "=", "<<", "a\n", "a\nb\n\n", " a\nb", "a \nb", "a\tb", "a\r\nb", "a\u2028b", "\x1b[31mred",
    "\u202eabc", "äöü", "😀", "\ud83d", "x" * 5000,
]  # fmt: skip


def plan(*items, **how):
    return judge.plan(items, live(**how.pop("around", {})), **how)


def shown(planned, **how):
    return render(report.plan(planned), wide=False, headers=True, colour=False, width=120, **how)


@pytest.mark.parametrize("text", ODD)
def test_a_manifest_has_every_text_as_it_was(text):
    item = thing("ConfigMap", "a", data={"key": text, "z": "z"})
    written = manifests(plan(found(item)))
    assert written.isascii()
    assert "\x1b" not in written
    (made,) = yaml.safe_load_all(written)
    if text != "\ud83d":  # half a character, of which YAML has none
        assert made["data"] == {"key": text, "z": "z"}
    assert list(made) == ["apiVersion", "kind", "metadata", "data"]


@pytest.mark.parametrize(
    "text", ["y", "No", "1e3", "0o17", "12:30:45", "null", "~", "=", "1_000", "2026-01-01"]
)
def test_text_that_another_reader_takes_for_something_else_is_in_quotes(text):
    assert f'key: "{text}"' in manifests(plan(found(thing("ConfigMap", "a", data={"key": text}))))
    assert f'"{text}": ' in manifests(plan(found(thing("ConfigMap", "a", data={text: "a"}))))


def test_numbers_and_truth_values_stay_what_they_are():
    spec = {"replicas": 3, "paused": False, "x": None, "ratio": 0.5, "many": 2**53}
    (made,) = yaml.safe_load_all(manifests(plan(found(thing("Deployment", "a", spec=spec)))))
    assert made["spec"] == spec


def test_manifests_are_of_what_is_to_be_done_in_its_order():
    config = thing("ConfigMap", "there")
    planned = plan(
        found(thing("Deployment", "web")),
        found(config, config),
        found(thing("Secret", "b", metadata={"ownerReferences": [owned(thing("Widget", "gone"))]})),
        found(thing("Namespace", "shop"), implied=True),
        around={"owners": {key(thing("Widget", "gone")): ""}},
    )
    made = list(yaml.safe_load_all(manifests(planned)))
    assert [one["metadata"]["name"] for one in made] == ["shop", "web"]


def test_of_owners_those_are_named_that_are_there():
    widget, config = thing("Widget", "w"), thing("ConfigMap", "c")
    item = thing("Secret", "a", metadata={"ownerReferences": [owned(widget), owned(config)]})
    planned = plan(found(item), found(config), around={"owners": {key(widget): "new"}})
    made = {one.key.name: manifest(one) for one in planned.todo}
    assert made["a"]["metadata"]["ownerReferences"] == [{**owned(widget), "uid": "new"}]


def test_an_object_that_is_too_deep_is_an_error():
    deep = {}
    for _ in range(3000):
        deep = {"x": deep}
    with pytest.raises(AdminError, match=r"widget.example.com/w in shop is nested too deeply"):
        manifests(plan(found(thing("Widget", "w", spec=deep))))


def test_a_difference_is_shown_as_kubectl_does():
    then, now = (
        thing("Deployment", "web", spec={"replicas": 2}),
        thing("Deployment", "web", spec={"replicas": 3}),
    )
    now["status"] = {"replicas": 3}
    name = "apps.v1.Deployment.shop.web"
    assert diff(plan(found(then, now), changed=True)).splitlines() == [
        f"diff -u -N LIVE/{name} MERGED/{name}",
        f"--- LIVE/{name}",
        f"+++ MERGED/{name}",
        "@@ -4,4 +4,4 @@",
        "   name: web",
        "   namespace: shop",
        " spec:",
        "-  replicas: 3",
        "+  replicas: 2",
    ]
    assert not diff(plan(found(then, now)))


def test_a_missing_object_is_all_new():
    lines = diff(plan(found(thing("ConfigMap", "a", data={"x": "1"})))).splitlines()
    assert lines[3] == "@@ -0,0 +1,7 @@"
    assert '+  x: "1"' in lines


def secret(value, applied="old"):
    return thing(
        "Secret", "s", metadata={"annotations": {APPLIED: applied}}, data={"a": value, "same": "c2FtZQ=="}
    )


def test_no_value_of_a_secret_is_shown():
    then, now = secret("c2VjcmV0MQ==", "then-c2VjcmV0MQ=="), secret("c2VjcmV0Mg==", "now-c2VjcmV0Mg==")
    planned = plan(found(then, now), changed=True)
    missing = plan(found(then))
    said = [
        diff(planned),
        diff(missing),
        shown(planned),
        shown(missing),
        document.to_json(report.plan(planned)),
        document.to_yaml(report.plan(planned)),
    ]
    assert "c2V" not in "".join(said)
    assert "c2F" not in "".join(said)
    assert '-  a: "*** (before)"' in said[0]
    assert '+  a: "*** (after)"' in said[0]
    # Manifests are to be applied.
    assert "c2VjcmV0MQ==" in manifests(missing)


def test_a_secret_whose_data_is_gone_or_new():
    then = secret("c2VjcmV0MQ==")
    without = thing("Secret", "s")
    for one in (
        diff(plan(found(then, without), changed=True)),
        diff(plan(found(without, then), changed=True)),
    ):
        assert "c2V" not in one
        assert "***" in one


def test_the_table_has_what_comes_back_what_can_not_and_what_differs():
    config = thing("ConfigMap", "there")
    text = shown(
        plan(
            found(thing("Widget", "w")),
            found(config, config),
            found(thing("Event", "made")),
            found(thing("ConfigMap", "a", data={"x": "1"}), thing("ConfigMap", "a", data={"x": "2"})),
            found(thing("Secret", "dark"), unknown="secrets is forbidden"),
        )
    )
    lines = [line.split(maxsplit=4) for line in text.splitlines()]
    assert lines[:4] == [
        ["NAMESPACE", "KIND", "NAME", "STATE", "WHY"],
        ["shop", "configmap", "a", "changed?", "data.x"],
        ["shop", "secret", "dark", "unknown!", "secrets is forbidden"],
        ["shop", "widget.example.com", "w", "missing", "-"],
    ]
    assert text.endswith(
        "objects: 1 missing, 1 changed (--changed puts them back), 1 held back, 1 unchanged, "
        "1 left to controllers\n"
    )


def test_changes_are_shown_field_by_field():
    then, now = (
        thing("Deployment", "web", spec={"replicas": 2, "x": {"a": "b" * 99}}),
        thing("Deployment", "web"),
    )
    text = shown(plan(found(then, {**now, "spec": {"replicas": 3}}), changed=True))
    assert [line.split() for line in text.splitlines() if "spec." in line][1:] == [
        ["shop", "deployment.apps", "web", "spec.replicas", "2", "3"],
        ["shop", "deployment.apps", "web", "spec.x", '{"a":', f'"{"b" * 52}…', "-"],
    ]


def test_two_long_values_are_cut_where_they_differ():
    start, end = "a" * 100, "z" * 100
    sides = [thing("ConfigMap", "a", data={"k": f"{start}{word}{end}"}) for word in ("then", "now")]
    (line,) = [line for line in shown(plan(found(*sides), changed=True)).splitlines() if "data.k  " in line]
    then, now = line.split()[-2:]
    assert ("thenz" in then, "nowz" in now) == (True, True)
    assert (then[0], then[-1], now[0], now[-1]) == ("…", "…", "…", "…")
    assert max(len(then), len(now)) <= report.LONG


def test_a_long_value_that_differs_at_its_end_is_shown_to_the_end():
    sides = [thing("ConfigMap", "a", data={"k": "a" * 100 + word}) for word in ("1", "2")]
    (line,) = [line for line in shown(plan(found(*sides), changed=True)).splitlines() if "data.k  " in line]
    assert [word[-2:] for word in line.split()[-2:]] == ["a1", "a2"]


def test_what_an_earlier_run_has_not_completed_is_in_the_plan():
    widget = thing("Widget", "w")
    owners = {"ownerReferences": [owned(widget)]}
    now = thing("PersistentVolumeClaim", "a", metadata={"managedFields": [{"manager": "kubectl-admin-1"}]})
    claim = thing("PersistentVolumeClaim", "a", metadata=owners)
    planned = plan(found(claim, now), found(widget, widget))
    why = "a run that was cut has not noted its owner widgets.example.com/w in shop in it"
    assert why in " ".join(shown(planned).split())
    assert "1 not completed, 1 unchanged" in shown(planned)
    said = json.loads(document.to_json(report.plan(planned)))["items"]
    assert [(one["name"], one["action"], one["why"]) for one in said] == [
        ("a", "complete", why),
        ("w", None, None),
    ]


def test_the_document():
    planned = plan(
        found(thing("ConfigMap", "a", data={"x": "1"}), thing("ConfigMap", "a")), found(thing("Widget", "w"))
    )
    said = json.loads(document.to_json(report.plan(planned)))
    assert said["kind"] == "EtcdUndelete"
    assert said["items"] == [
        {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "namespace": "shop",
            "name": "a",
            "state": "changed",
            "action": None,
            "madeBy": None,
            "why": None,
            "changes": [{"path": "data", "then": {"x": "1"}}],
        },
        {
            "kind": "Widget",
            "apiVersion": "example.com/v1",
            "namespace": "shop",
            "name": "w",
            "state": "missing",
            "action": "create",
            "madeBy": None,
            "why": None,
            "changes": [],
        },
    ]
    assert list(report.plan(planned).names()) == ["widget.example.com/w"]


def test_nothing_at_all():
    assert shown(plan()) == "the snapshot has nothing of what was asked for\n"


def test_a_name_that_moves_the_cursor_is_shown_with_escapes():
    odd = "a\x1b[2J\u202eb"
    planned = plan(found(thing("ConfigMap", odd, data={odd: odd}), thing("ConfigMap", odd)), changed=True)
    held = plan(found(thing("ConfigMap", odd), unknown=odd))
    said = [
        shown(planned),
        shown(held),
        diff(planned),
        manifests(planned),
        document.to_json(report.plan(planned)),
    ]
    assert "\x1b" not in "".join(said)
    assert "\u202e" not in "".join(said)


def test_very_many_objects_are_not_all_in_the_table():
    planned = plan(*(found(thing("ConfigMap", f"c{number}")) for number in range(1003)))
    assert "not listed: 3 more objects" in shown(planned)
