"""The snapshot of now that a restore is compared with: nobody ever finds it."""

from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.diff.compare import Options, compare
from kubectl_admin.etcd.restore.look import refuse_uncompared, saved_now
from tests.fakes.hosts import Opened


def test_no_end_of_the_program_leaves_the_secrets_of_now_on_the_disk(tmp_path):
    def save(_hosts: Any, _options: Any, draft: Any, *, watch: object) -> None:
        del watch
        draft.write(b"every Secret")
        assert list(tmp_path.iterdir()) == []

    hosts: Any = Opened(*[None] * 5)  # type: ignore[arg-type]
    watch: Any = None
    with saved_now(hosts, tmp_path / "s.db", watch, save=save) as now:
        assert list(tmp_path.iterdir()) == []
        assert Path(now).read_bytes() == b"every Secret"
        assert Path(now).read_bytes() == b"every Secret"


def test_files_that_were_not_compared_are_not_taken_for_equal(tmp_path):
    for name in ("a.db", "b.db"):
        (tmp_path / name).write_bytes(bytes(100_000))
    compared = compare(tmp_path / "a.db", tmp_path / "b.db", Options())
    with pytest.raises(AdminError, match="could not be compared"):
        refuse_uncompared(compared)
