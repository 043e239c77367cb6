"""The user's own kubeconfig, kept up with a node's."""

import base64
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.renewal import kubeconfig as own
from kubectl_admin.certificates.renewal.work import Changed, Done
from kubectl_admin.cluster import kubeconfig
from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host
from tests.unit.cluster.conftest import new_authority

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
AUTHORITY = new_authority("kubernetes")
OLD, NEW = (AUTHORITY.issue("kubernetes-admin") for _ in range(2))
OTHER = AUTHORITY.issue("jane")
STRANGER = new_authority("another").issue("kubernetes-admin")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def text(pair, *, comment: str = "") -> str:
    """A kubeconfig as kubeadm writes it."""
    return f"""apiVersion: v1
clusters:
- cluster:
    server: https://127.0.0.1:6443
  name: prod
contexts:
- context:
    cluster: prod
    user: admin
  name: admin@prod
current-context: admin@prod
kind: Config
users:
- name: admin  {comment}
  user:
    client-certificate-data: {encoded(pair.certificate)}
    client-key-data: {encoded(pair.key)}
"""


def certificate(pair):
    return x509.read(pair.certificate)[0]


def target_of(file):
    return kubeconfig.resolve(kubeconfig.Overrides(kubeconfig=str(file)), {})


@pytest.fixture
def mine(tmp_path):
    """The user's own, with a comment that is to stay."""
    file = tmp_path / "config"
    file.write_text(text(OLD, comment="# mine"))
    file.chmod(0o644)
    return file


def test_two_values_change_and_nothing_else(mine):
    before = mine.read_text()
    file, backup = own.refresh(target_of(mine), [mine], text(NEW).encode(), NOW)
    assert (file, backup.name) == (mine, "config.before-20261125T120000Z")
    assert mine.read_text() == text(NEW, comment="# mine")
    assert backup.read_text() == before
    assert sorted(path.name for path in mine.parent.iterdir()) == ["config", backup.name]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_whoever_could_read_it_can_read_it_and_its_backup_afterwards(mine, mode):
    """Root, by sudo, with the kubeconfig of whoever has called it."""
    mine.chmod(mode)
    if os.geteuid() == 0:
        os.chown(mine, 1000, 1001)
    before = mine.stat()
    _, backup = own.refresh(target_of(mine), [mine], text(NEW).encode(), NOW)
    for file in (mine, backup):
        after = file.stat()
        assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
        assert stat.S_IMODE(after.st_mode) == mode


def test_lines_that_end_as_on_windows_still_do(mine):
    mine.write_bytes(text(OLD).replace("\n", "\r\n").encode())
    own.refresh(target_of(mine), [mine], text(NEW).encode(), NOW)
    assert mine.read_bytes() == text(NEW).replace("\n", "\r\n").encode()


def test_a_link_with_the_name_of_the_backup_is_not_followed(mine, tmp_path):
    """In a folder of somebody else's, root would write over any file, and give it away."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "config.before-20261125T120000Z").symlink_to(precious)
    with pytest.raises(AdminError, match="already exists"):
        own.refresh(target_of(mine), [mine], text(NEW).encode(), NOW)
    assert precious.read_bytes() == b"precious"
    assert mine.read_text() == text(OLD, comment="# mine")


def test_it_is_found_among_several_files_and_behind_a_link(mine, tmp_path):
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_text(text(OTHER))
    (tmp_path / "elsewhere").mkdir()
    real = mine.rename(tmp_path / "elsewhere" / "real")
    link.symlink_to(Path("elsewhere", "real"))
    file, backup = own.refresh(target_of(link), [tmp_path / "none", other, link], text(NEW).encode(), NOW)
    assert (file, backup.parent) == (real, real.parent)
    assert link.is_symlink()
    assert other.read_text() == text(OTHER)
    assert real.read_text() == text(NEW, comment="# mine")


def test_a_kubeconfig_in_json_is_kept_up_as_well(mine):
    mine.write_text(json.dumps(yaml.safe_load(text(OLD))))
    own.refresh(target_of(mine), [mine], text(NEW).encode(), NOW)
    assert json.loads(mine.read_text()) == yaml.safe_load(text(NEW))


@pytest.mark.parametrize(
    ("pair", "is_it"), [(OLD, True), (NEW, True), (OTHER, False), (STRANGER, False)], ids="ONJS"
)
def test_who_the_administrator_is_the_name_and_the_authority_say(mine, pair, is_it):
    mine.write_text(text(pair))
    assert own.holds(target_of(mine), certificate(OLD)) is is_it


def test_who_shows_a_token_or_a_file_holds_none(mine, tmp_path):
    document = yaml.safe_load(text(OLD))
    document["users"][0]["user"] = {"token": "x"}
    mine.write_text(yaml.safe_dump(document))
    assert not own.holds(target_of(mine), certificate(OLD))
    (tmp_path / "client.crt").write_bytes(OLD.certificate)
    (tmp_path / "client.key").write_bytes(OLD.key)
    document["users"][0]["user"] = {"client-certificate": "client.crt", "client-key": "client.key"}
    mine.write_text(yaml.safe_dump(document))
    assert not own.holds(target_of(mine), certificate(OLD))
    assert not own.holds(target_of(mine), None)


@pytest.fixture
def kept_up(mine):
    """What is said when a node's admin.conf has been renewed. meanwhile: what has happened to the user's."""

    def keep_up(meanwhile=None):
        said = []
        kept = own.AdminKubeconfig(target_of(mine), [mine], said.append, lambda *_: text(NEW).encode())
        if meanwhile:
            mine.write_text(meanwhile)
        changed = Changed("cp-1", "admin.conf", certificate(OLD), certificate(NEW))
        kept.keep_up(cast(Host, SimpleNamespace(node="cp-1")), Done("cp-1", "", (changed,), ()))
        return said

    return keep_up


def test_what_was_done_to_it_is_said(mine, kept_up):
    said = kept_up()
    assert len(said) == 1
    assert said[0].startswith(f"{mine} has the new certificate, too; its previous content is in {mine}.bef")
    assert mine.read_text() == text(NEW, comment="# mine")


def test_the_nodes_own_file_has_been_renewed_by_kubeadm_already(mine, kept_up):
    """Run on a control plane, with /etc/kubernetes/admin.conf."""
    assert kept_up(text(NEW)) == [f"{mine} has the new certificate already"]
    assert mine.read_text() == text(NEW)
    assert [path.name for path in mine.parent.iterdir()] == ["config"]


def test_one_that_somebody_else_has_changed_meanwhile_stays(mine, kept_up):
    [said] = kept_up(text(OTHER))
    assert said.startswith("your kubeconfig keeps its certificate")
    assert "the new one is in /etc/kubernetes/admin.conf of node cp-1" in said
    assert mine.read_text() == text(OTHER)


def test_of_several_users_the_one_of_the_current_context_was_renewed(mine):
    """Source: kubernetes cmd/kubeadm/app/phases/certs/renewal/readwriter.go."""
    document = yaml.safe_load(text(NEW))
    document["users"].insert(0, yaml.safe_load(text(OTHER))["users"][0] | {"name": "jane"})
    own.refresh(target_of(mine), [mine], yaml.safe_dump(document).encode(), NOW)
    assert mine.read_text() == text(NEW, comment="# mine")


@pytest.mark.parametrize(
    "fresh",
    [
        b"",
        b"users: []",
        text(NEW).replace("client-key-data", "x").encode(),
        text(NEW).replace("current-context: admin", "current-context: another").encode(),
        text(NEW).replace("- name: admin", "- name: another").encode(),
        text(NEW).replace("key-data: ", "key-data: -").encode(),
    ],
    ids=["empty", "no users", "no key", "no context", "no user", "no base64"],
)
def test_nothing_changes_where_the_nodes_holds_nothing(mine, fresh):
    before = mine.read_text()
    with pytest.raises(AdminError, match="holds no certificate"):
        own.refresh(target_of(mine), [mine], fresh, NOW)
    assert mine.read_text() == before
    assert [path.name for path in mine.parent.iterdir()] == ["config"]


def test_a_certificate_that_is_broken_into_lines_is_left_alone(mine):
    value = encoded(OLD.certificate)
    folded = text(OLD).replace(value, f"{value[:60]}\n      {value[60:]}")
    mine.write_text(folded)
    with pytest.raises(AdminError, match="in one line each"):
        own.refresh(target_of(mine), [mine], text(NEW).encode(), NOW)
    assert mine.read_text() == folded
