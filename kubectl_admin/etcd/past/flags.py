"""The command lines of the programs that open a snapshot, and the files that they name. Pure.

All run in one directory, whose files are named without it: the path of a socket may not be long.
"""

from collections.abc import Mapping

from kubectl_admin.etcd.past import policy
from kubectl_admin.etcd.past.certificates import ADDRESS, USER, Keys
from kubectl_admin.etcd.past.facts import Past

NAME = "past"  # of the one member
DATA = "data"  # the directory of the database
# To etcd, «:0» is a part of the name of a socket.
CLIENTS, PEERS = "unix://clients.sock:0", "unix://peers.sock:0"
RESTORE, ETCD, APISERVER = "etcdutl", "etcd", "kube-apiserver"  # the programs by their names
ENCRYPTION, SNAPSHOT = "encryption.conf", "snapshot.db"
GROWTH = 64 << 20  # bytes by which the database may grow: API servers write some objects when they start
# An API server wants to know an address of its own. This one is nobody's (RFC 5737), and is told to nobody.
NOBODY = "192.0.2.1"


def words(past: Past, port: int, *, encrypted: bool) -> dict[str, list[str]]:
    """The words behind the name of each program. port: of the API server.

    encrypted: whether there is a configuration of encryption.
    """
    return {
        RESTORE: restore(past),
        ETCD: etcd(past),
        APISERVER: apiserver(past, port, encrypted=encrypted),
    }


def restore(past: Past) -> list[str]:
    """Of etcdutl, which makes the database of the snapshot."""
    return [
        *("snapshot", "restore", SNAPSHOT),
        f"--data-dir={DATA}",
        f"--name={NAME}",
        f"--initial-cluster={NAME}={PEERS}",
        f"--initial-advertise-peer-urls={PEERS}",
        *([] if past.has_hash else ["--skip-hash-check"]),
    ]


def etcd(past: Past) -> list[str]:
    """Of etcd: one member that listens on sockets alone, and keeps nothing safe."""
    return [
        f"--name={NAME}",
        f"--data-dir={DATA}",
        f"--listen-client-urls={CLIENTS}",
        f"--advertise-client-urls={CLIENTS}",
        f"--listen-peer-urls={PEERS}",
        f"--initial-advertise-peer-urls={PEERS}",
        f"--initial-cluster={NAME}={PEERS}",
        f"--quota-backend-bytes={past.size + GROWTH}",
        "--enable-grpc-gateway=false",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(past: Past, port: int, *, encrypted: bool) -> list[str]:
    """Of kube-apiserver: nobody may change anything, and it reaches nobody.

    Without a watch cache it starts sooner, and takes no memory for objects that nobody reads.
    """
    return [
        f"--etcd-servers={CLIENTS}",
        f"--etcd-prefix={past.prefix}",
        *("--etcd-compaction-interval=0", "--etcd-count-metric-poll-period=0"),
        "--etcd-db-metric-poll-interval=0",
        f"--bind-address={ADDRESS}",
        f"--secure-port={port}",
        f"--advertise-address={NOBODY}",
        "--tls-cert-file=server.crt",
        "--tls-private-key-file=server.key",
        "--anonymous-auth=false",
        "--token-auth-file=tokens.csv",
        "--authorization-mode=ABAC",
        "--authorization-policy-file=policy.jsonl",
        "--admission-control=AlwaysAdmit",
        "--egress-selector-config-file=egress.json",
        "--endpoint-reconciler-type=none",
        "--feature-gates=APIServerIdentity=false,UnknownVersionInteroperabilityProxy=false",
        "--service-account-issuer=https://past.invalid",
        "--service-account-signing-key-file=accounts.key",
        "--service-account-key-file=accounts.key",
        f"--service-cluster-ip-range={','.join(past.services)}",
        "--service-node-port-range=1-65535",
        "--enable-priority-and-fairness=false",
        "--watch-cache=false",
        "--profiling=false",
        *([f"--encryption-provider-config={ENCRYPTION}"] if encrypted else []),
    ]


def files(commands: Mapping[str, list[str]], keys: Keys) -> dict[str, bytes]:
    """The files of the directory by their names: each program's words, a line each, and what they name."""
    return {
        **{
            f"{name}.words": "".join(f"{word}\n" for word in said).encode() for name, said in commands.items()
        },
        "server.crt": keys.certificate,
        "server.key": keys.key,
        "accounts.key": keys.accounts,
        "tokens.csv": policy.tokens(USER, keys.token).encode(),
        "policy.jsonl": policy.allowed(USER).encode(),
        "egress.json": policy.egress().encode(),
    }
