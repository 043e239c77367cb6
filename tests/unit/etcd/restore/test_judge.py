"""What forbids a restore, what an option overrides, and what is only to be known."""

from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kubectl_admin.etcd.members.etcdctl import Alarm as Raised
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.restore import rules
from kubectl_admin.etcd.restore.judge import is_allowed, judge
from kubectl_admin.etcd.restore.look.facts import Authorities, Forced, Sealed, Told, Value
from kubectl_admin.etcd.snapshot import judge as snapshot_judge
from kubectl_admin.etcd.snapshot.contents import Alarm, Member
from kubectl_admin.etcd.snapshot.rules import NO_HASH, TRUNCATED
from kubectl_admin.etcd.stored.encryption import configured
from kubectl_admin.finding import Gap
from tests.unit.etcd.members import samples
from tests.unit.etcd.restore.samples import (
    cluster,
    control_plane,
    file,
    part,
    snapshot,
    with_node,
)

NOT_FORCED = Forced()
ALL_FORCED = Forced(*[True] * 5)


def found(snapshot_facts=None, live=None, forced=NOT_FORCED, **options):
    """Rule and severity of each finding but the note that is always there."""
    findings = judge(snapshot_facts or file(), live or cluster(), forced, **options)
    return [
        (each.rule, str(each.severity)) for each in findings if each.rule != rules.SIGNING_KEYS.id
    ], findings


def given(info, root):
    """The authorities of ConfigMaps cluster-info and kube-root-ca.crt."""
    each = {"kube-public/cluster-info": frozenset(info), "kube-system/kube-root-ca.crt": frozenset(root)}
    return Authorities(frozenset().union(*each.values()), given=each)


def only(rule, severity):
    return [(rule.id, severity)]


def test_a_snapshot_of_the_cluster_itself():
    shown, findings = found()
    assert shown == []
    assert is_allowed(findings)
    assert [each.rule for each in findings] == [rules.SIGNING_KEYS.id]


@pytest.mark.parametrize(
    ("changes", "rule", "option", "field"),
    [
        ({"cluster": Told("another")}, rules.OTHER_CLUSTER, "--force-other-cluster", "other_cluster"),
        ({"cluster": Told(why="no key")}, rules.CLUSTER_UNKNOWN, "--force-other-cluster", "other_cluster"),
        ({"kubernetes": Told("v1.35.9")}, rules.KUBERNETES_VERSION, "--force-version", "version"),
        ({"kubernetes": Told("v1.37.0")}, rules.KUBERNETES_VERSION, "--force-version", "version"),
        ({"kubernetes": Told("v2.36.3")}, rules.KUBERNETES_VERSION, "--force-version", "version"),
        ({"authorities": given({"cd" * 32}, {"ab" * 32})}, rules.AUTHORITY, "--force-authority", "authority"),
        ({"authorities": given({"ab" * 32}, {"cd" * 32})}, rules.AUTHORITY, "--force-authority", "authority"),
    ],
)
def test_what_its_option_overrides(changes, rule, option, field):
    shown, findings = found(file(**changes))
    assert shown == only(rule, "violation")
    assert option in findings[0].fix
    assert not is_allowed(findings)
    forced = Forced(**{field: True})
    shown, findings = found(file(**changes), forced=forced)
    assert shown == only(rule, "warning")
    assert is_allowed(findings)
    others = replace(ALL_FORCED, **{field: False})
    assert found(file(**changes), forced=others)[0] == only(rule, "violation")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.4.0", "violation"),
        ("3.5.0", "note"),
        ("3.6.0", None),
        ("3.7.0", "violation"),
        ("4.6.0", "violation"),
        ("nonsense", "warning"),
        (None, "warning"),
    ],
)
def test_the_minor_of_etcd(version, expected):
    of_version = file(snapshot(storage_version=version, cluster_version=version))
    assert found(of_version)[0] == (only(rules.ETCD_VERSION, expected) if expected else [])


def test_an_older_etcd_is_forced_and_a_newer_one_never():
    forced = Forced(version=True)
    older = file(snapshot(storage_version=None, cluster_version="3.4.0"))
    assert found(older, forced=forced)[0] == only(rules.ETCD_VERSION, "warning")
    newer = file(snapshot(storage_version="3.7.0"))
    assert found(newer, forced=ALL_FORCED)[0] == only(rules.ETCD_VERSION, "violation")


def test_the_format_counts_and_not_the_oldest_member():
    """A 3.7 that has not upgraded its storage yet writes that of 3.6."""
    assert found(file(snapshot(storage_version="3.6.0", cluster_version="3.7.0")))[0] == []


def test_members_of_several_versions():
    mixed = cluster(samples.three(status=samples.status(samples.LEADER + 1, version="3.5.21")))
    assert (rules.ETCD_MIXED.id, "violation") in found(live=mixed)[0]


@pytest.mark.parametrize(
    ("then", "expected"),
    [("v1.36.3", None), ("v1.36.0", "note"), ("v1.36.9", "note"), ("v1.36.3-rc.1", None), ("", "warning")],
)
def test_the_patch_of_kubernetes(then, expected):
    shown, findings = found(file(kubernetes=Told(then, "" if then else "no ConfigMap")))
    assert shown == (only(rules.KUBERNETES_VERSION, expected) if expected else [])
    assert is_allowed(findings)


def test_the_running_api_server_counts_too():
    """An upgrade has written the next version, and one API server is still of this one; and the reverse."""
    halfway = cluster(kubernetes=Told("v1.37.0"))
    assert found(file(), halfway)[0] == only(rules.KUBERNETES_VERSION, "violation")
    behind = cluster(server=Told("v1.37.0"))
    assert found(file(), behind)[0] == only(rules.KUBERNETES_VERSION, "violation")
    assert found(file(), cluster(kubernetes=Told(why="none")))[0] == []


@pytest.mark.parametrize(
    ("size", "in_use", "defrag", "expected"),
    [
        (1800, 100, False, None),
        (1900, 100, False, "violation"),
        (1900, 100, True, None),
        (1900, 1900, True, "violation"),
    ],
)
def test_the_quota(size, in_use, defrag, expected):
    large = replace(snapshot(), database_size=size << 20, in_use=in_use << 20)
    shown, findings = found(file(large), defrag=defrag)
    assert shown == (only(rules.QUOTA, expected) if expected else [])
    if expected:
        assert ("--defrag" in findings[0].fix) is (in_use == 100)
        assert "--force-quota" in findings[0].fix
        assert found(file(large), forced=Forced(quota=True), defrag=defrag)[0] == only(rules.QUOTA, "warning")


def test_the_size_is_told_beside_the_quota_and_what_is_in_use():
    large = file(replace(snapshot(), database_size=1900 << 20, in_use=100 << 20))
    assert found(large, defrag=False)[1][0].evidence == (
        "its database is 1.9GiB, of which 100MiB are in use, and etcd's quota is 2.0GiB: above nine tenths"
    )
    full = file(replace(snapshot(), database_size=1950 << 20, in_use=1900 << 20))
    assert found(full, defrag=True)[1][0].evidence == (
        "also defragmented it would have 1.9GiB, and etcd's quota is 2.0GiB: above nine tenths"
    )


def test_an_option_that_nobody_has_is_not_named():
    large = replace(snapshot(), database_size=1900 << 20)
    assert "--defrag" not in found(file(large))[1][0].fix


def test_the_smallest_quota_counts_and_no_quota_is_none():
    large = file(replace(snapshot(), database_size=1900 << 20))
    unlimited = [
        samples.sound_member(n, status=samples.status(samples.LEADER + n - 1, quota=-1)) for n in (1, 2, 3)
    ]
    assert found(large, cluster(samples.state(*unlimited)))[0] == []
    one = samples.three(status=samples.status(samples.LEADER + 1, quota=64 << 20))
    assert found(file(), cluster(one))[0] == only(rules.QUOTA, "violation")


def full(*ids):
    """A cluster in which these members have raised NOSPACE; none of its hosts was asked."""
    state = replace(samples.three(), alarms=tuple(Raised(one, "NOSPACE") for one in ids))
    names = ("cp-1", "cp-2", "cp-3")
    return cluster(state, nodes={name: control_plane(name, encryption=None) for name in names})


def test_an_etcd_that_takes_no_writes_is_the_one_thing_that_is_said():
    shown, (finding,) = found(file(cluster=Told("another")), full(samples.LEADER))
    assert shown == [("alarm-nospace", "violation")]
    assert finding.evidence == (
        "it takes no writes, so nothing can be brought to the nodes through the API: alarm NOSPACE of cp-1"
    )
    assert "etcdctl alarm disarm; or restore on the control planes themselves: --local" in finding.fix
    assert found(live=full(7))[1][0].evidence.endswith("of a member in no list")
    unread = replace(samples.three(), unanswered=(Gap("alarms", "etcdctl: deadline exceeded"),))
    assert found(live=cluster(unread))[0] == only(rules.MEMBER_ANSWERS, "violation")


def test_authorities_overlap_while_they_are_exchanged():
    both = Authorities(frozenset({"ab" * 32, "cd" * 32}))
    assert found(file(authorities=given({"cd" * 32, "ab" * 32}, {"ab" * 32})))[0] == []
    assert found(live=with_node(control_plane("cp-2", authorities=both)))[0] == []


def test_authorities_that_are_not_known():
    nothing = Authorities(why="ConfigMap kube-public/cluster-info: gone")
    assert found(file(authorities=nothing))[0] == only(rules.AUTHORITY, "warning")
    silent = with_node(control_plane("cp-2", authorities=Authorities(why="node cp-2: silent")))
    assert found(live=silent)[0] == only(rules.AUTHORITY, "warning")


SECRET = b"/registry/secrets/shop/s"
KEY, OTHER = b"k" * 32, b"o" * 32


def sealed(key, name="key1", kind="aesgcm"):
    data = b"n" * 12 + AESGCM(key).encrypt(b"n" * 12, b"k8s\x00plain", SECRET)
    how = f"k8s:enc:{kind}:v1:{name}:"
    return Sealed("", "secrets", how, 3, (Value(SECRET, how.encode() + data),))


def encryption(*providers, resources=("secrets",)):
    entry = {"resources": list(resources), "providers": list(providers)}
    return configured({"kind": "EncryptionConfiguration", "resources": [entry]})


def gcm(**keys):
    named = [{"name": name, "secret": b64encode(key).decode()} for name, key in keys.items()]
    return {"aesgcm": {"keys": named}}


def on_all(encryption):
    names = ("cp-1", "cp-2", "cp-3")
    return cluster(nodes={name: control_plane(name, encryption=encryption) for name in names})


def test_secrets_that_all_nodes_can_decrypt():
    live = on_all(encryption(gcm(key2=OTHER, key1=KEY), {"identity": {}}))
    assert found(file(sealed=(sealed(KEY),)), live)[0] == []


@pytest.mark.parametrize(
    "configuration",
    [
        encryption(gcm(key1=OTHER)),
        encryption(gcm(key2=KEY)),
        encryption({"identity": {}}),
        encryption(gcm(key1=KEY), resources=("configmaps",)),
        configured({"kind": "EncryptionConfiguration", "resources": []}),
    ],
)
def test_secrets_that_nobody_can_decrypt(configuration):
    sealed_one = file(sealed=(sealed(KEY),))
    shown, findings = found(sealed_one, on_all(configuration))
    assert shown == only(rules.UNDECRYPTABLE, "violation")
    assert findings[0].objects == ("node/cp-1", "node/cp-2", "node/cp-3")
    assert "--force-encryption" in findings[0].fix
    assert found(sealed_one, on_all(configuration), Forced(encryption=True))[0] == only(
        rules.UNDECRYPTABLE, "warning"
    )
    for key in (KEY, OTHER):
        assert b64encode(key).decode() not in repr(findings)


def test_one_node_that_can_not():
    odd = control_plane("cp-3", encryption=encryption(gcm(key1=OTHER)))
    live = on_all(encryption(gcm(key1=KEY)))
    shown, findings = found(file(sealed=(sealed(KEY),)), replace(live, nodes={**live.nodes, "cp-3": odd}))
    assert shown == only(rules.UNDECRYPTABLE, "violation")
    assert findings[0].objects == ("node/cp-3",)


def test_a_configuration_that_could_not_be_read():
    live = with_node(control_plane("cp-2", encryption=None, encryption_why="node cp-2: silent"))
    assert found(live=live)[0] == []  # nothing is encrypted
    live = replace(on_all(encryption(gcm(key1=KEY))), nodes=live.nodes)
    shown, _ = found(file(sealed=(sealed(KEY),)), live)
    assert (rules.UNDECRYPTABLE.id, "violation") in shown


def test_values_that_are_not_encrypted_where_only_encrypted_ones_are_read():
    clear = file(sealed=(Sealed("", "secrets", "", 0, (Value(SECRET, b"k8s\x00"),)),))
    assert found(clear, on_all(encryption(gcm(key1=KEY), {"identity": {}})))[0] == []
    shown, findings = found(clear, on_all(encryption(gcm(key1=KEY))))
    assert shown == only(rules.UNDECRYPTABLE, "violation")
    assert "identity" in findings[0].fix


def test_a_plugin_is_not_known():
    how = "k8s:enc:kms:v2:vault:"
    by_plugin = Sealed("", "secrets", how, 3, (Value(SECRET, how.encode() + b"x"),))
    vault = {"kms": {"apiVersion": "v2", "name": "vault", "endpoint": "unix:///x"}}
    assert found(file(sealed=(by_plugin,)), on_all(encryption(vault)))[0] == only(rules.PLUGIN_KEY, "warning")
    other = {"kms": {"apiVersion": "v2", "name": "vaults", "endpoint": "unix:///x"}}
    assert found(file(sealed=(by_plugin,)), on_all(encryption(other)))[0] == only(
        rules.UNDECRYPTABLE, "violation"
    )


def test_alarms_and_odd_members_of_the_snapshot():
    odd = snapshot(
        alarms=(Alarm("NOSPACE", "1"), Alarm("CORRUPT", "9")),
        members=(*snapshot().contents.members, Member("2", "cp-9", (), (), learner=True)),
    )
    shown, findings = found(file(odd))
    assert shown == [
        (rules.ALARM_IN_SNAPSHOT.id, "note"),
        (rules.ALARM_IN_SNAPSHOT.id, "warning"),
        (rules.MEMBERS_DROPPED.id, "note"),
    ]
    assert is_allowed(findings)


def test_a_file_that_can_not_be_read_is_not_compared():
    broken = file(None, *snapshot_judge.of_length(1000, 5000), objects=None)
    shown, findings = found(broken)
    assert shown == only(TRUNCATED, "violation")
    assert not is_allowed(findings)


def test_a_file_without_its_hash_is_refused():
    """`etcdutl snapshot restore` refuses it, and nothing shows that it is whole."""
    shown, _ = found(file(None, *snapshot_judge.of_length(4096, 4096)))
    assert shown == only(NO_HASH, "violation")


def test_warnings_of_the_verdict_are_not_said_twice():
    alarmed = snapshot(alarms=(Alarm("NOSPACE", "1"),))
    assert found(file(alarmed, *snapshot_judge.of_contents(alarmed.contents)))[0] == only(
        rules.ALARM_IN_SNAPSHOT, "note"
    )


# The cluster.


def member(number, **changes):
    return samples.sound_member(number, **changes)


def refused(live, rule, *, times=1):
    shown, findings = found(live=live)
    assert shown == only(rule, "violation") * times
    assert found(live=live, forced=ALL_FORCED)[0] == shown  # by no option
    return findings


def test_two_control_planes():
    live = cluster(
        samples.state(member(1), member(2)), nodes={name: control_plane(name) for name in ("cp-1", "cp-2")}
    )
    assert found(live=live)[0] == only(rules.TWO_CONTROL_PLANES, "note")


def test_one_control_plane():
    assert found(live=cluster(samples.state(member(1)), nodes={"cp-1": control_plane("cp-1")}))[0] == []


def test_etcd_outside():
    outside = State("prod", "", samples.state(member(1)).etcd)
    assert (rules.STACKED_ETCD.id, "violation") in found(live=cluster(outside))[0]


def test_a_member_that_no_control_plane_runs():
    refused(cluster(samples.three(pod=None)), rules.STACKED_ETCD)


def test_a_member_that_does_not_answer():
    refused(cluster(samples.three(status=None, problem="timeout")), rules.MEMBER_ANSWERS)


def test_a_learner():
    learner = replace(member(2).listed, learner=True)
    refused(cluster(samples.three(listed=learner)), rules.MEMBER_ANSWERS)


def test_no_list_of_members():
    unlisted = [member(number, listed=None) for number in (1, 2, 3)]
    refused(cluster(samples.state(*unlisted)), rules.MEMBER_ANSWERS)


def test_a_downgrade():
    status = samples.status(samples.LEADER + 1, downgrade_to="3.5.0")
    refused(cluster(samples.three(status=status)), rules.DOWNGRADE)


def test_a_node_that_is_not_ready():
    refused(with_node(control_plane("cp-2", ready=False)), rules.NODE_READY)


def test_parts_that_are_missing_or_twice_there():
    sound = control_plane("cp-2").pods
    without = with_node(control_plane("cp-2", pods=sound[:-1]))
    assert f"no {sound[-1].component}" in refused(without, rules.FOUR_PARTS)[0].evidence
    refused(with_node(control_plane("cp-2", pods=(*sound, part("kube-scheduler", "cp-2")))), rules.FOUR_PARTS)


def with_flags(component, *more, **changes):
    pods = [pod for pod in control_plane("cp-2").pods if pod.component != component]
    return with_node(control_plane("cp-2", pods=(*pods, replace(part(component, "cp-2", *more), **changes))))


@pytest.mark.parametrize(
    "live",
    [
        with_flags("etcd", "--wal-dir=/var/lib/wal"),
        with_flags("etcd", "--config-file=/etc/etcd.yaml"),
        with_flags("etcd", "--data-dir=/data"),
        with_flags("etcd", mounts={"/var/lib/etcd": "/mnt/etcd"}),
        with_flags("etcd", mounts={"/var/lib": "/srv"}),
    ],
)
def test_etcd_as_kubeadm_does_not_set_it_up(live):
    refused(live, rules.PLAIN_ETCD)


def test_a_data_directory_below_a_mount():
    assert found(live=with_flags("etcd", mounts={"/var/lib": "/var/lib"}))[0] == []


@pytest.mark.parametrize(
    ("servers", "right"),
    [
        ("https://127.0.0.1:2379", True),
        ("https://localhost:2379", True),
        ("https://192.0.2.2:2379", True),
        ("https://192.0.2.1:2379", False),
        ("https://127.0.0.1:2379,https://192.0.2.1:2379", False),
        ("https://127.0.0.1:2479", False),
        ("https://etcd.example.com:2379", False),
        ("", False),
    ],
)
def test_the_etcd_that_an_api_server_uses(servers, right):
    live = with_flags("kube-apiserver", f"--etcd-servers={servers}")
    shown, _ = found(live=live)
    assert shown == ([] if right else only(rules.OWN_MEMBER, "violation"))


def test_resources_in_another_etcd():
    refused(
        with_flags("kube-apiserver", "--etcd-servers-overrides=/events#https://192.0.2.2:2379"),
        rules.OWN_MEMBER,
    )
