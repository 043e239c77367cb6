from dataclasses import replace

import pytest

from kubectl_admin.etcd.members.flags import Access, Flags, access, parts
from kubectl_admin.etcd.members.pods import member
from tests.unit.etcd.members.samples import static_pod


def flags_of(*words, **container):
    """The flags of a member that is started with these words."""
    return member(static_pod("etcd", "cp-1", ["etcd", *words], **container)).flags


def test_a_member_without_flags_has_the_defaults_of_etcd():
    assert flags_of() == Flags()
    assert access(flags_of()) == Access("http://localhost:2379")
    assert flags_of("--name=a").data_dir == "a.etcd"


def test_arguments_variables_and_who_wins():
    env = [{"name": "ETCD_NAME", "value": "by-variable"}, {"name": "ETCD_DATA_DIR", "value": "/data"}]
    flags = flags_of(
        args=["--name", "by-flag", "--wal-dir", "/wal", "--quota-backend-bytes", "8589934592"], env=env
    )
    assert (flags.name, flags.data_dir, flags.wal_dir) == ("by-flag", "/data", "/wal")
    assert flags.quota == 8 << 30


def test_a_configuration_file_leaves_the_pods_flags_without_effect():
    pod = member(static_pod("etcd", "cp-1", ["etcd", "--config-file=/etc/etcd.yaml"]))
    assert pod.flags.config_file == "/etc/etcd.yaml"
    assert pod.access is None
    env = [{"name": "ETCD_CONFIG_FILE", "value": "/etc/etcd.yaml"}]
    assert flags_of(env=env).config_file == "/etc/etcd.yaml"


@pytest.mark.parametrize(
    ("why", "urls", "endpoint"),
    [
        ("the loopback first", "http://192.0.2.1:2379,http://127.0.0.1:2379", "http://127.0.0.1:2379"),
        ("by its name", "http://192.0.2.1:2379,http://localhost:2379", "http://localhost:2379"),
        ("of IPv6", "http://[2001:db8::1]:2379,http://[::1]:2379", "http://[::1]:2379"),
        ("everywhere is on the loopback, too", "http://0.0.0.0:12379", "http://127.0.0.1:12379"),
        ("everywhere, IPv6", "http://[::]:2379", "http://[::1]:2379"),
        ("the node's address alone", "http://192.0.2.1:2379", "http://192.0.2.1:2379"),
        ("the node's IPv6 address alone", "http://[2001:db8::1]:2379", "http://[2001:db8::1]:2379"),
        ("a socket last", "unix://etcd.sock:0,http://192.0.2.1:2379", "http://192.0.2.1:2379"),
        ("not a URL", "http://[::1:2379", "http://[::1:2379"),
        ("nothing", "", ""),
    ],
)
def test_the_endpoint_from_the_node_itself(why, urls, endpoint):
    assert access(flags_of(f"--listen-client-urls={urls}")) == Access(endpoint), why


TLS = Flags(listen_client_urls=("https://127.0.0.1:2379",), cert_file="s.crt", key_file="s.key")


@pytest.mark.parametrize(
    ("why", "flags", "expected"),
    [
        ("no authority, no certificate asked for", TLS, ("", "", "")),
        (
            "the server's pair is the client's",
            replace(TLS, trusted_ca_file="ca", client_cert_auth=True),
            ("ca", "s.crt", "s.key"),
        ),
        (
            "a pair for clients wins",
            replace(
                TLS,
                trusted_ca_file="ca",
                client_cert_auth=True,
                client_cert_file="c.crt",
                client_key_file="c.key",
            ),
            ("ca", "c.crt", "c.key"),
        ),
    ],
)
def test_the_pair_that_is_shown(why, flags, expected):
    assert access(flags) == Access("https://127.0.0.1:2379", True, *expected), why


def test_a_trusted_authority_alone_makes_etcd_ask_for_a_certificate():
    assert flags_of("--trusted-ca-file=ca").client_cert_auth
    assert not flags_of("--client-cert-auth=false").client_cert_auth


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://192.0.2.1:2379", ("https", "192.0.2.1", 2379)),
        ("https://[2001:db8::1]:12379", ("https", "2001:db8::1", 12379)),
        ("http://etcd", ("http", "etcd", 2379)),
        ("http://etcd:x", ("", "", 0)),
        ("http://[::1", ("", "", 0)),
    ],
)
def test_the_parts_of_a_url(url, expected):
    assert parts(url) == expected
