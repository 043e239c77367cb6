"""Our own input and outputs around a command on a host."""

import os
import threading

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.node import passthrough


def test_a_pipe_that_waits_gives_empty_pieces_and_then_what_comes():
    near, far = os.pipe()
    with os.fdopen(near, "rb") as stream, os.fdopen(far, "wb") as writer:
        pieces = passthrough.pieces(stream)
        assert [next(pieces), next(pieces)] == [b"", b""]
        writer.write(b"hello")
        writer.flush()
        assert next(pieces) == b"hello"
        assert next(pieces) == b""
        writer.close()
        assert list(pieces) == []


def test_a_file_is_given_whole(tmp_path):
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as stream:
        assert b"".join(passthrough.pieces(stream)) == content


def test_much_through_a_pipe_is_given_whole():
    near, far = os.pipe()
    content = os.urandom(1_000_000)

    def feed() -> None:
        with os.fdopen(far, "wb") as writer:
            writer.write(content)

    feeding = threading.Thread(target=feed)
    feeding.start()
    with os.fdopen(near, "rb") as stream:
        assert b"".join(passthrough.pieces(stream)) == content
    feeding.join(60)


def test_what_can_not_be_read_is_said(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)

    class Folder:
        def fileno(self) -> int:
            return folder

    try:
        with pytest.raises(AdminError, match="standard input can't be read: Is a directory"):
            list(passthrough.pieces(Folder()))
    finally:
        os.close(folder)
