"""What a lab's API server has stored: snapshots of its etcd, and encryption at rest."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab import cache
from tests.lab.api import api_only, etcd_process, processes
from tests.lab.api.sketch import Sketch
from tests.lab.versions import RELEASES


def provider(kind: str, name: str, secret: bytes) -> dict[str, Any]:
    """A provider with one key."""
    return {kind: {"keys": [{"name": name, "secret": etcd_process.text(secret)}]}}


def configuration(*providers: dict[str, Any], resources: Sequence[str] = ("secrets",)) -> dict[str, Any]:
    """A configuration that encrypts these resources by the first of the providers."""
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": list(resources), "providers": list(providers)}],
    }


def serve(lab: str, config: dict[str, Any]) -> None:
    """Starts the lab's one API server again, with this configuration."""
    folder = api_only.folder_of(lab)
    (folder / "encryption.json").write_text(json.dumps(config), encoding="utf-8")
    address = Sketch(network=api_only.block(folder)).address(0)
    program = cache.root() / f"bin/kubernetes-{RELEASES[0].kubernetes}/kube-apiserver"
    command = processes.apiserver_command(program, folder / "pki", address, etcd=address)
    api_only.stop_apiserver(lab, "cp-1")
    name = api_only.apiserver("cp-1")
    flag = f"--encryption-provider-config={folder}/encryption.json"
    process = processes.start(folder, name, [*command, flag], host="cp-1")
    url = f"https://{address}:6443/readyz"
    processes.await_ready(process, processes.log_of(folder, name), url, api_only.trust(folder))


def saved(lab: str, file: Path) -> Path:
    """A snapshot of a lab's etcd."""
    folder = api_only.folder_of(lab)
    address = Sketch(network=api_only.block(folder)).address(0)
    program = cache.root() / f"bin/etcd-{RELEASES[0].etcd}/etcdctl"
    certificates = [
        f"--{flag}={folder}/pki/{name}"
        for flag, name in (("cacert", "ca.crt"), ("cert", "etcd-client.crt"), ("key", "etcd-client.key"))
    ]
    etcd_process.run(
        [program, f"--endpoints=https://{address}:2379", *certificates, "snapshot", "save", file]
    )
    return file
