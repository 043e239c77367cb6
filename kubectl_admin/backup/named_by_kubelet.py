"""Which files a kubelet was told to use: by its flags, wherever they are written, and by its configuration.

Pure. Sources: kubernetes cmd/kubelet/app/options and staging/src/k8s.io/kubelet/config/v1beta1 1.36 and 1.37;
kubeadm's drop-in for systemd, and the files of variables that it reads.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

from kubectl_admin.backup.facts import Lost
from kubectl_admin.backup.named_by_files import Form, document
from kubectl_admin.backup.named_files import Named, NamedFiles
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.errors import AdminError

CONFIG = "/var/lib/kubelet/config.yaml"
# Files of variables, and the unit with its drop-ins, by their beginnings.
WRITTEN = (
    "/var/lib/kubelet/kubeadm-flags.env",
    "/etc/default/kubelet",
    "/etc/sysconfig/kubelet",
    "/etc/systemd/system/kubelet.service",
    "/usr/lib/systemd/system/kubelet.service",
    "/usr/local/lib/systemd/system/kubelet.service",
)
FLAG = re.compile(r"--([a-z][a-z0-9-]*)[= ][\"']?(/[^\s\"'\\]+)")
FILES = {
    "config": Form.DOCUMENT,
    "kubeconfig": Form.KUBECONFIG,
    "bootstrap-kubeconfig": Form.KUBECONFIG,
    "image-credential-provider-config": Form.PLAIN,
    "client-ca-file": Form.PLAIN,
    "tls-cert-file": Form.PLAIN,
    "tls-private-key-file": Form.PLAIN,
}
DIRECTORIES = ("config-dir", "pod-manifest-path")
PROGRAMS = "image-credential-provider-bin-dir"


def named_by_kubelet(node: str, texts: Mapping[str, str]) -> NamedFiles:
    """The files of a node's kubelet, and in `unread` those that may name others and are not known yet.

    texts: of files of the node by their paths. A path with «/» at its end is a directory. None is sure: a
    kubelet's flags name files that it makes itself later, or never needs again.
    """
    files: dict[str, Named] = {}
    lost: dict[Lost, None] = {}
    for found in _found(node, texts):
        if isinstance(found, Lost):
            lost.setdefault(found)
        else:
            files.setdefault(found.path, found)
    unread = tuple(one for one in files.values() if one.form is not Form.PLAIN and one.path not in texts)
    return NamedFiles(tuple(files.values()), unread, tuple(lost))


def _found(node: str, texts: Mapping[str, str]) -> Iterator[Named | Lost]:
    configurations = {CONFIG}
    for path in texts:
        if path.startswith(WRITTEN):
            for flag, value in FLAG.findall(texts[path]):
                by = f"--{flag} of kubelet"
                if flag == "config":
                    configurations.add(value)
                if flag in FILES:
                    yield _file(value, by, FILES[flag])
                elif flag in DIRECTORIES:
                    yield _file(f"{value.rstrip('/')}/", by)
                elif flag == PROGRAMS:
                    yield Lost(f"the programs in {value}, named by {by}", "they give credentials", node)
    for path in sorted(configurations & {*texts}):
        yield from _by_configuration(node, path, texts[path])


def _by_configuration(node: str, path: str, text: str) -> Iterator[Named | Lost]:
    try:
        said = mapping(document(text, path))
    except AdminError as error:
        yield Lost(f"files that {path} may name", error.what, node)
        return
    x509 = mapping(mapping(said.get("authentication")).get("x509"))
    for value in (x509.get("clientCAFile"), said.get("tlsCertFile"), said.get("tlsPrivateKeyFile")):
        if isinstance(value, str) and value:
            yield _file(posixpath.join(posixpath.dirname(path), value), path)
    pods = said.get("staticPodPath")
    if isinstance(pods, str) and pods.startswith("/"):
        yield _file(f"{pods.rstrip('/')}/", path)


def _file(path: str, by: str, form: Form = Form.PLAIN) -> Named:
    return Named(path, path, by, form, is_sure=False)
