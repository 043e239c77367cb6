"""Users of a lab with nodes beside its administrator."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.lab import keys
from tests.lab.nodes.lab import Lab

PKI = "/etc/kubernetes/pki"


def user(lab: Lab, who: str, groups: Sequence[str] = ()) -> Path:
    """The kubeconfig of a user with a client certificate of the lab's CA, made anew.

    What a user may do is for RBAC to say: at first, what every authenticated user may.
    """
    pki = lab.folder / "pki"
    pki.mkdir(mode=0o700, exist_ok=True)
    for name in ("ca.crt", "ca.key"):
        if not (pki / name).exists():
            text = lab.exec(lab.control_planes[0].name, ["cat", f"{PKI}/{name}"]).stdout
            keys.private(pki / name, text.encode())
    keys.issue(pki, who, who, groups=groups)
    cluster = yaml.safe_load(lab.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]
    server = cluster["cluster"]["server"]
    return keys.write_kubeconfig(pki / f"{who}.kubeconfig", cluster["name"], server, pki, who)
