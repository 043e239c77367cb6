"""Krew's own rules, and an installation as Krew does it, since Krew itself is in no package registry.

Sources in kubernetes-sigs/krew: internal/index/validation/validate.go, cmd/validate-krew-manifest/main.go,
internal/download/downloader.go (`extractTARGZ`, `suspiciousPath`), internal/installation/install.go.
"""

import hashlib
import re
import tarfile
from pathlib import Path
from typing import Any

import yaml

SEMVER = r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"
LICENSES = {
    "license",
    "license.txt",
    "license.md",
    "licenses",
    "licenses.txt",
    "licenses.md",
    "copying",
    "copying.txt",
}


class RefusedError(Exception):
    """What Krew does not take."""


def wants(rule: bool, reason: str) -> None:
    """Refuses where the rule does not hold."""
    if not rule:
        raise RefusedError(reason)


def read(manifest: Path) -> dict[str, Any]:
    """The manifest, or RefusedError."""
    plugin = yaml.safe_load(manifest.read_text())
    spec = plugin["spec"]
    wants(plugin["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2", "apiVersion")
    wants(plugin["kind"] == "Plugin", "kind")
    wants(manifest.suffix == ".yaml" and plugin["metadata"]["name"] == manifest.stem, "name of the file")
    wants(bool(re.fullmatch(r"[\w-]+", manifest.stem, re.ASCII)), "name of the plugin")
    wants(bool(spec.get("shortDescription")), "short description is missing")
    wants(not re.search(r"[\r\n]", spec["shortDescription"]), "line break in the short description")
    wants(bool(re.fullmatch(SEMVER, spec.get("version", ""))), "version")
    wants(bool(spec.get("platforms")), "platforms")
    for platform in spec["platforms"]:
        wants(bool(platform.get("uri")), "uri")
        wants(bool(re.fullmatch("[a-f0-9]{64}", platform.get("sha256", ""))), "sha256")
        wants(bool(platform.get("bin")), "bin")
        wants(platform.get("files") != [], "files")
        labels = (platform.get("selector") or {}).get("matchLabels") or {}
        wants(bool(labels) and set(labels) <= {"os", "arch"}, "selector")
    return plugin


def extract(archive: Path, folder: Path) -> None:
    """Unpacks directories and regular files; refuses everything else."""
    wants(archive.read_bytes()[:2] == b"\x1f\x8b", "not a gzip file")
    with tarfile.open(archive, "r:gz") as tar:
        for entry in tar:
            wants(".." not in entry.name, f"suspicious entry {entry.name}")
            wants(not entry.name.startswith(("/", "\\")), f"absolute entry {entry.name}")
            path = folder / entry.name
            if entry.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            wants(
                entry.type == tarfile.REGTYPE, f"unable to handle file type {entry.type!r} for {entry.name}"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(entry)
            assert content
            path.write_bytes(content.read())
            path.chmod(entry.mode)


def install(manifest: Path, archive: Path, root: Path) -> Path:
    """`kubectl krew install --manifest=… --archive=…`; returns the folder to have on PATH, one link in it."""
    plugin = read(manifest)
    (platform,) = plugin["spec"]["platforms"]
    wants(hashlib.sha256(archive.read_bytes()).hexdigest() == platform["sha256"], "checksum does not match")
    store = root / "store" / manifest.stem / plugin["spec"]["version"]
    extract(archive, store)
    wants(any(path.name.lower() in LICENSES for path in store.rglob("*")), "no licence")
    program = store / platform["bin"]
    wants(program.is_file() and bool(program.stat().st_mode & 0o100), "bin is no program")
    links = root / "bin"
    links.mkdir(parents=True)
    (links / f"kubectl-{manifest.stem}").symlink_to(program)
    return links
