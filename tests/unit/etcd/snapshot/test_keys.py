"""Which keys live."""

from kubectl_admin.etcd.snapshot.keys import Living


def test_what_was_written_last_counts():
    living = Living()
    for key, lives in ((b"a", True), (b"b", True), (b"a", False), (b"c", False), (b"b", True), (b"a", True)):
        living.note(key, lives=lives)
    assert living.count() == 2


def test_many_keys():
    living = Living()
    for number in range(30_000):
        living.note(b"%d" % number, lives=True)
    for number in range(0, 30_000, 3):
        living.note(b"%d" % number, lives=False)
    assert living.count() == 20_000
