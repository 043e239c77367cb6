import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
import yaml

from kubectl_admin import __version__
from kubectl_admin.verbs import VERBS
from kubectl_admin.verbs.completion import COMPLETER
from tests.bundle import krew
from tests.bundle.conftest import URL
from tests.fakes.served_api import EMPTY, VERSION, serving, table
from tests.program import ROOT


def test_the_manifest_is_what_krew_takes_and_fits_the_archive(release):
    plugin = krew.read(release.manifest)
    (platform,) = plugin["spec"]["platforms"]
    assert plugin["spec"]["version"] == f"v{__version__}"
    assert platform["uri"] == f"{URL}/{release.archive.name}"
    assert platform["sha256"] == hashlib.sha256(release.archive.read_bytes()).hexdigest()
    assert release.archive.name == "kubectl-admin_{os}_{arch}.tar.gz".format(
        **platform["selector"]["matchLabels"]
    )
    assert len(plugin["spec"]["shortDescription"]) <= 50
    assert "$" not in release.manifest.read_text()


def test_the_checksums_are_those_of_all_files(release):
    lines = (release.folder / "checksums.txt").read_text().splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    others = [path for path in release.folder.iterdir() if path.name != "checksums.txt"]
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in others}


def test_the_archive_says_nothing_of_where_and_when_it_was_built(release):
    with tarfile.open(release.archive) as tar:
        entries = tar.getmembers()
    assert [entry.name for entry in entries] == sorted(entry.name for entry in entries)
    assert {(entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {(0, 0, "", "")}
    assert {entry.mtime for entry in entries} == {315532800}
    assert {entry.mode for entry in entries} == {0o644, 0o755}
    unpacked = gzip.decompress(release.archive.read_bytes())
    assert str(ROOT).encode() not in unpacked
    assert str(release.folder.parent).encode() not in unpacked


def test_the_licences_are_in_the_archive(release):
    with tarfile.open(release.archive) as tar:
        assert tar.extractfile("LICENSE").read() == (ROOT / "LICENSE").read_bytes()
        others = tar.extractfile("THIRD-PARTY-LICENSES.txt").read().decode()
    for name in ("Python", "click", "kubernetes", "tabulate", "PyYAML", "urllib3", "cryptography", "cffi"):
        assert f"\n{name} " in others


def test_every_page_of_the_documentation_is_in_the_archive(release):
    with tarfile.open(release.archive) as tar:
        packed = {name: tar.extractfile(name).read() for name in tar.getnames() if name.startswith("docs/")}
    assert packed == {f"docs/{page.name}": page.read_bytes() for page in (ROOT / "docs").glob("*.md")}


def test_a_message_names_a_page_by_its_path(installed):
    ended = installed.run("admin", "certs", "renew", "--ca")
    assert ended.code == 2
    page = Path(ended.err.rpartition("docs/certificates.md")[0].split()[-1] + "docs/certificates.md")
    assert page.is_absolute()
    assert page.read_bytes() == (ROOT / "docs/certificates.md").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "Plug"},
        {"metadata": {"name": "administrator"}},
        {"spec": {"version": "0.1.0"}},
        {"spec": {"shortDescription": "two\nlines"}},
        {"spec": {"platforms": []}},
    ],
)
def test_krews_rules_refuse_a_manifest_that_breaks_them(release, tmp_path, change):
    plugin = krew.read(release.manifest)
    for key, value in change.items():
        plugin[key] = plugin[key] | value if isinstance(value, dict) else value
    broken = tmp_path / "admin.yaml"
    broken.write_text(yaml.safe_dump(plugin))
    with pytest.raises(krew.RefusedError):
        krew.read(broken)


@pytest.mark.parametrize(
    ("name", "kind"), [("a/../b", tarfile.REGTYPE), ("/a", tarfile.REGTYPE), ("a", tarfile.SYMTYPE)]
)
def test_krews_rules_refuse_an_archive_that_breaks_them(tmp_path, name, kind):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.type = kind
        tar.addfile(entry, io.BytesIO())
    with pytest.raises(krew.RefusedError):
        krew.extract(tmp_path / "a.tar.gz", tmp_path / "store")


def test_every_module_of_the_program_is_in_the_bundle(release, tmp_path):
    from PyInstaller.archive.readers import CArchiveReader

    krew.extract(release.archive, tmp_path)
    packed = CArchiveReader(str(tmp_path / "kubectl-admin")).open_embedded_archive("PYZ.pyz").toc
    package = ROOT / "kubectl_admin"
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in package.rglob("*.py"))
    assert {name.removesuffix(".__init__") for name in names} <= {*packed}
    shipped = (path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
    for path in shipped:
        assert (tmp_path / "_internal" / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_kubectl_runs_it(installed):
    ended = installed.run("admin", "version", "--client")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[1].split() == ["kubectl-admin", __version__]


@pytest.mark.parametrize("args", [["--help"], *([verb, "--help"] for verb in VERBS)])
def test_help(installed, args):
    ended = installed.run("admin", *args)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Usage: kubectl admin ")


def test_an_error_is_a_line_and_an_exit_code(installed):
    ended = installed.run("admin", "nosuch")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: No such command 'nosuch'.\n")


def test_it_asks_an_api_server(installed, tmp_path):
    with serving({"/version": VERSION}) as server:
        ended = installed.run("admin", "version", "-o", "yaml", "--kubeconfig", server.kubeconfig(tmp_path))
    assert (ended.code, ended.err) == (0, "")
    assert yaml.safe_load(ended.out)["items"][1] == {"name": "kube-apiserver", "version": "1.36.3"}


def test_skew_has_all_that_it_imports(installed, tmp_path):
    """A cluster of one node with nothing else to be seen, since it is managed."""
    nodes = table(
        ("Name", "Status", "Roles", "Version", "OS-Image", "Kernel-Version", "Container-Runtime"),
        ("w1", "Ready", "<none>", "v1.36.3", "Schönes Linux", "6.1.0", "containerd://2.2.9"),
    )
    with serving({**EMPTY, "/api/v1/nodes": nodes}) as server:
        ended = installed.run("admin", "skew", "-o", "wide", "--kubeconfig", server.kubeconfig(tmp_path))
    assert "internal error" not in ended.err
    assert "Schönes Linux" in ended.out


@pytest.mark.parametrize("given", [{}, {"LD_LIBRARY_PATH": "/opt/lib"}])
def test_a_credential_plugin_finds_the_systems_libraries(installed, tmp_path, given):
    """The bundle's own libraries, on LD_LIBRARY_PATH while it starts, would break every program it runs."""
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "t"},
    }
    plugin = tmp_path / "plugin"
    plugin.write_text(
        f"#!/bin/sh\necho \"${{LD_LIBRARY_PATH-unset}}\" > {tmp_path}/seen\necho '{json.dumps(credential)}'\n"
    )
    plugin.chmod(0o755)
    asking = {"apiVersion": credential["apiVersion"], "command": str(plugin), "interactiveMode": "Never"}
    with serving({"/version": VERSION}, tls=True) as server:
        kubeconfig = server.kubeconfig(tmp_path, exec=asking)
        ended = installed.run("admin", "version", "--kubeconfig", kubeconfig, **given)
    assert (ended.code, ended.err) == (0, "")
    assert server.asked[0].header("Authorization") == "Bearer t"
    assert (tmp_path / "seen").read_text() == f"{given.get('LD_LIBRARY_PATH', 'unset')}\n"


def test_completion_through_a_link(installed):
    assert installed.run("__complete", "admin", "vers").out == ":0\n"
    ended = installed.run("admin", "completion", "--install")
    assert (ended.code, ended.err) == (0, "")
    link = installed.links / COMPLETER
    assert link.readlink() == Path("kubectl-admin")
    assert installed.run("__complete", "admin", "vers").out == f"version\t{VERBS['version']}\n:4\n"
    link.unlink()
