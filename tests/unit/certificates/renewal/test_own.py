"""The user's own kubeconfig, kept up with a node's."""

import base64
import json
import stat
from datetime import UTC, datetime

import pytest
import yaml

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.renewal import own
from kubectl_admin.cluster import kubeconfig
from kubectl_admin.errors import AdminError
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
    assert stat.S_IMODE(mine.stat().st_mode) == stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert sorted(path.name for path in mine.parent.iterdir()) == ["config", backup.name]


def test_it_is_found_among_several_files_and_behind_a_link(mine, tmp_path):
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_text(text(OTHER))
    link.symlink_to(mine)
    file, _ = own.refresh(target_of(mine), [tmp_path / "none", other, link], text(NEW).encode(), NOW)
    assert file == mine
    assert link.is_symlink()
    assert other.read_text() == text(OTHER)
    assert mine.read_text() == text(NEW, comment="# mine")


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


@pytest.mark.parametrize(
    "fresh", [b"", b"users: []", b"users:\n- user:\n    client-certificate-data: QQ==\n"]
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
    with pytest.raises(AdminError, match="in two lines"):
        own.refresh(target_of(mine), [mine], text(NEW).encode(), NOW)
    assert mine.read_text() == folded
