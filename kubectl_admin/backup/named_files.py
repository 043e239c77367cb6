"""Which files a part of the control plane was told to use: by flags, and by files that these name. Pure.

An archive that lacks one of them brings no control plane back: an API server does not start without its
audit policy, and reads no Secret without its keys. So every flag counts, known or not, whose value is a
path, but for those that are known to name something else.

Sources: the flags of kube-apiserver, kube-controller-manager and kube-scheduler 1.36 and 1.37 (apiserver
pkg/server/options, kubernetes pkg/kubeapiserver/options, component-base, controller-manager) and of etcd 3.5
to 3.7 (server/etcdmain).
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubectl_admin.backup.facts import Lost
from kubectl_admin.backup.named_by_files import Form, Unkept, named_by
from kubectl_admin.control_plane.flags import listed
from kubectl_admin.control_plane.pod import StaticPod
from kubectl_admin.errors import AdminError

# Flags that name a file which may name others, by the form of that file.
FORMS: Mapping[str, Form] = {
    **dict.fromkeys(
        (
            "kubeconfig",
            "authentication-kubeconfig",
            "authorization-kubeconfig",
            "audit-webhook-config-file",
            "authentication-token-webhook-config-file",
            "authorization-webhook-config-file",
        ),
        Form.KUBECONFIG,
    ),
    **dict.fromkeys(
        (
            "admission-control-config-file",
            "authentication-config",
            "authorization-config",
            "egress-selector-config-file",
            "encryption-provider-config",
            "tracing-config-file",
            "leader-migration-config",
            "config",  # the scheduler's
            "config-file",  # etcd's
        ),
        Form.DOCUMENT,
    ),
}
# Flags that may name several files, separated by commas.
SEVERAL = ("service-account-key-file", "tls-sni-cert-key")
# Flags whose value begins as a path does, and which name no file that is read: what is written there, or a
# prefix of keys or addresses.
OTHERS = frozenset(
    {
        "audit-log-path",
        "authorization-always-allow-paths",
        "cert-dir",
        "data-dir",
        "debug-socket-path",
        "etcd-prefix",
        "flex-volume-plugin-dir",
        "log-dir",
        "log-file",
        "log-outputs",
        "runtime-config",
        "wal-dir",
        "write-config-to",
    }
)
# Flags that name a program which answers at a socket.
PROGRAMS = {
    "service-account-signing-endpoint": "it signs the tokens of service accounts, and holds the key",
    "external-cloud-volume-plugin": "it is a program of its own",
}
ELSEWHERE = "etcd-servers-overrides"  # resources that are kept in another etcd than the one that is saved
# A flag that ends so names a file, whatever its value begins with.
FILES = ("-file", "-cafile", "-certfile", "-keyfile", "-certificate", "-client-key", "-certificate-authority")
MANY = 200  # files of one part of the control plane


@dataclass(frozen=True, slots=True)
class Named:
    """A file that is named.

    path: on the node. inside: in the container. by: a flag, or the file that names it. form: what it may name
    further. is_sure: whether it must be there, or only looks like the name of a file.
    """

    path: str
    inside: str
    by: str
    form: Form = Form.PLAIN
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The files of a part of the control plane.

    unread: those that may name others, and whose text is not known yet. lost: what is named and is no file of
    the node.
    """

    files: tuple[Named, ...]
    unread: tuple[Named, ...]
    lost: tuple[Lost, ...]


def named_files(pod: StaticPod, texts: Mapping[str, str]) -> NamedFiles:
    """All files that a part of the control plane was told to use.

    texts: of files on its node by their paths, as far as they were read. Until `unread` holds nothing that
    can be read, files that others name may be missing.
    """
    files: dict[str, Named] = {}
    unread: list[Named] = []
    lost: dict[Lost, None] = {}
    waiting: list[Named | Lost] = [*_by_flags(pod)]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, Lost):
            lost.setdefault(one)
            continue
        if one.path in files:
            continue
        if len(files) >= MANY:
            lost.setdefault(Lost(f"further files of {pod.component}", f"it names more than {MANY}", pod.node))
            break
        files[one.path] = one
        if one.form is Form.PLAIN:
            continue
        if one.path not in texts:
            unread.append(one)
            continue
        waiting += _by_file(pod, one, texts[one.path])
    return NamedFiles(tuple(files.values()), tuple(unread), tuple(lost))


def _by_flags(pod: StaticPod) -> Iterator[Named | Lost]:
    for flag, value in pod.flags.items():
        by = f"--{flag} of {pod.component}"
        if flag in PROGRAMS and value:
            yield Lost(f"the program behind {value}, named by {by}", PROGRAMS[flag], pod.node)
        elif flag == ELSEWHERE:
            for item in listed(value):
                resource, _, servers = item.partition("#")
                yield Lost(f"all {resource.lstrip('/')} in the etcd at {servers}", f"{by} names it", pod.node)
        elif flag not in OTHERS:
            for path in _paths(flag, value):
                yield _placed(pod, path, by, FORMS.get(flag, Form.PLAIN), is_sure=_names_file(flag))


def _paths(flag: str, value: str) -> Iterable[str]:
    """The paths in a flag's value."""
    if flag in SEVERAL:
        # «CERT,KEY:NAME,NAME»: a name never has a «/».
        return [path for item in listed(value) if "/" in (path := item.partition(":")[0])]
    return [value] if value.startswith("/") or (value and _names_file(flag)) else []


def _names_file(flag: str) -> bool:
    """Whether a flag is known to name a file; of others the value tells."""
    return flag in FORMS or flag in SEVERAL or flag.endswith(FILES)


def _by_file(pod: StaticPod, file: Named, text: str) -> Iterator[Named | Lost]:
    by = file.path
    try:
        found = list(named_by(file.form, text, by))
    except AdminError as error:
        yield Lost(f"files that {by} may name", f"{error.what}", pod.node)
        return
    for one in found:
        if isinstance(one, Unkept):
            yield Lost(f"{one.what}, named by {by}", one.why, pod.node)
        else:
            path = posixpath.join(posixpath.dirname(file.inside), one.path)
            yield _placed(pod, path, by, one.form, is_sure=True)


def _placed(pod: StaticPod, path: str, by: str, form: Form, *, is_sure: bool) -> Named | Lost:
    """The file on the node. Images run their programs in «/»."""
    inside = posixpath.normpath(posixpath.join("/", path))
    # POSIX leaves «//» at the beginning as it is.
    inside = f"/{inside.lstrip('/')}"
    if not pod.is_mounted(inside):
        why = "it is in its image, or in a volume that is not on the node"
        return Lost(f"{inside} of {pod.component}, named by {by}", why, pod.node)
    return Named(pod.on_host(inside), inside, by, form, is_sure)
