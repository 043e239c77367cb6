"""The command lines of the programs."""

from dataclasses import replace

import pytest

from kubectl_admin.etcd.past import flags
from kubectl_admin.etcd.past.certificates import make
from tests.unit.etcd.past.samples import MIB, PAST


def named(words):
    return dict(word.removeprefix("--").partition("=")[::2] for word in words if word.startswith("--"))


def test_etcd_listens_on_sockets_alone():
    given = named(flags.etcd(PAST))
    for name in ("listen-client-urls", "advertise-client-urls", "listen-peer-urls"):
        assert given[name].startswith("unix://")
    assert given["initial-cluster"] == f"{given['name']}={given['initial-advertise-peer-urls']}"


def test_the_database_can_grow_a_little_and_no_more():
    assert named(flags.etcd(PAST))["quota-backend-bytes"] == str(164 * MIB)


def test_the_member_that_is_restored_is_the_one_that_runs():
    restored, runs = named(flags.restore(PAST)), named(flags.etcd(PAST))
    for name in ("name", "data-dir", "initial-cluster", "initial-advertise-peer-urls"):
        assert restored[name] == runs[name]


@pytest.mark.parametrize("has_hash", [True, False])
def test_only_a_file_without_a_checksum_is_not_checked_again(has_hash):
    words = flags.restore(replace(PAST, has_hash=has_hash))
    assert ("--skip-hash-check" in words) is not has_hash


def test_the_api_server_lets_nobody_change_anything_and_reaches_nobody():
    given = named(flags.apiserver(PAST, 6443, encrypted=False))
    assert given["bind-address"] == "127.0.0.1"
    assert given["etcd-servers"] == named(flags.etcd(PAST))["listen-client-urls"]
    assert given["anonymous-auth"] == "false"
    assert given["authorization-mode"] == "ABAC"
    assert given["admission-control"] == "AlwaysAdmit"
    assert given["endpoint-reconciler-type"] == "none"
    assert given["etcd-compaction-interval"] == "0"
    assert "client-ca-file" not in given
    assert "kubelet-client-certificate" not in given
    assert "encryption-provider-config" not in given


def test_the_ranges_and_the_prefix_are_those_of_the_snapshot():
    past = replace(PAST, services=("10.0.0.0/16", "fd00::/112"), prefix="/other")
    given = named(flags.apiserver(past, 1, encrypted=True))
    assert given["service-cluster-ip-range"] == "10.0.0.0/16,fd00::/112"
    assert given["etcd-prefix"] == "/other"
    assert given["encryption-provider-config"] == flags.ENCRYPTION


def test_every_file_that_a_flag_names_is_written():
    commands = flags.words(PAST, 6443, encrypted=False)
    files = flags.files(commands, make())
    given = named(commands[flags.APISERVER])
    named_files = {value for name, value in given.items() if name.endswith("-file")}
    assert named_files <= set(files)
    assert files["etcd.words"].decode().splitlines() == commands[flags.ETCD]


def test_no_secret_is_among_the_words():
    keys = make()
    files = flags.files(flags.words(PAST, 6443, encrypted=True), keys)
    for name, content in files.items():
        if name.endswith(".words"):
            assert keys.token.encode() not in content
            assert b"PRIVATE" not in content
