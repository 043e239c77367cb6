"""A control plane's files are read by rounds, whatever its host answers."""

import os
from hashlib import sha256

import pytest

from kubectl_admin.backup.gather import node_files
from kubectl_admin.backup.gather.host_files import parsed
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import printable
from tests.unit.backup.samples import part

AUDIT = "/srv/audit/policy.yaml"
ADMISSION = "/srv/admission/config.yaml"
MOUNTS = {
    "/etc/kubernetes": "/etc/kubernetes",
    "/etc/audit": "/srv/audit",
    "/etc/admission": "/srv/admission",
}


def entry(path, content=b"x", kind="file", digest=None):
    head = f"{kind} 600 0 0 {len(content)} 1700000000 {digest or sha256(content).hexdigest()}\n"
    return head.encode() + os.fsencode(path) + b"\0" + content


def link(path, target):
    return f"link 777 0 0 9 1700000000 -\n{path}\0{target}\0".encode()


class Host:
    """A node whose files are a table. asked: the paths of each round."""

    node = "cp-1"

    def __init__(self, files, answers=()):
        self.files, self.answers, self.asked = files, list(answers), []

    def persistently(self, action):
        return action()

    def answer(self, _script, _each, together, _many, without, *paths):
        assert (without, int(together) <= 15 << 20) == ("/etc/kubernetes/tmp", True)
        self.asked.append(paths)
        if self.answers:
            return self.answers.pop(0)
        below = [
            file
            for path in paths
            for file in self.files
            if file == path or (path[-1] == "/" and file.startswith(path))
        ]
        return b"".join(
            text if text.startswith((b"link ", b"special ")) else entry(path, text)
            for path, text in ((path, self.files[path]) for path in dict.fromkeys(below))
        )


def test_a_file_that_a_file_names_comes_in_the_next_round():
    files = {
        AUDIT: b"kind: Policy",
        ADMISSION: b"kind: AdmissionConfiguration\nplugins: [{name: A, path: images.yaml}]",
        "/srv/admission/images.yaml": b"imagePolicy: {kubeConfigFile: images.conf}",
        "/srv/admission/images.conf": b"kind: Config\nusers: [{name: a, user: {tokenFile: token}}]",
        "/srv/admission/token": b"t",
        "/srv/other": b"",
        "/etc/kubernetes/pki/sa.key": b"key",
    }
    host = Host(files)
    pods = [
        part(
            "--audit-policy-file=/etc/audit/policy.yaml",
            "--admission-control-config-file=/etc/admission/config.yaml",
            mounts=MOUNTS,
        )
    ]
    read = node_files.read(host, pods)
    assert [one.path for one in read.found] == sorted({*files} - {"/srv/other"})
    assert read.saved.unread == {}
    assert all(file.path in read.saved.there for file in read.saved.named[0].files)
    assert [len(asked) for asked in host.asked[1:]] == [1, 1, 1]
    assert host.asked[0].index("/etc/kubernetes/pki/") < host.asked[0].index(AUDIT)
    assert host.asked[0].index(AUDIT) < host.asked[0].index("/etc/kubernetes/")


def test_a_file_behind_a_link_is_there_by_the_name_that_the_flag_has():
    files = {"/srv/audit": link("/srv/audit", "/data/a"), "/data/a/policy.yaml": b"kind: Policy"}
    host = Host(files, [files["/srv/audit"] + entry("/data/a/policy.yaml", b"kind: Policy")])
    read = node_files.read(host, [part("--audit-policy-file=/etc/audit/policy.yaml", mounts=MOUNTS)])
    assert AUDIT in read.saved.there
    assert len(host.asked) == 1
    assert [one.path for one in read.found] == ["/data/a/policy.yaml", "/srv/audit"]


def test_a_file_that_changes_is_read_again_and_in_the_end_told():
    always = entry("/etc/kubernetes/a", b"now", digest="0" * 64)
    read = node_files.read(host := Host({}, [always] * 9), [])
    assert read.saved.unread == {"/etc/kubernetes/a": "it changes while it is read"}
    assert len(host.asked) == 3
    read = node_files.read(Host({}, [always, entry("/etc/kubernetes/a", b"then")]), [])
    assert read.saved.unread == {}
    assert read.found[0].content == b"then"


def test_what_has_no_room_in_an_archive_is_told():
    long = "/etc/kubernetes/" + "/".join(["d" * 90] * 4)
    read = node_files.read(Host({}, [entry(long) + entry("/etc/kubernetes/a")]), [])
    assert [one.path for one in read.found] == ["/etc/kubernetes/a"]
    assert "no room" in read.saved.unread[long]


def test_an_owner_and_a_time_without_room_do_not_lose_a_file():
    head = f"file 600 4294967294 65534 1 -5 {sha256(b'x').hexdigest()}\n/etc/a\0x"
    (found,) = node_files.read(Host({}, [head.encode()]), []).found
    assert (found.entry.uid, found.entry.gid, found.entry.changed) == (0, 65534, 0)


@pytest.mark.parametrize(
    "answer",
    [
        entry("/etc/../etc/shadow"),
        entry("//etc/a"),
        link("/etc/a", "/") + entry("/etc/a/b"),
        entry("/" + "/".join("d" * 50)),
    ],
    ids=["climbs", "no path", "below a link", "deep"],
)
def test_an_answer_that_no_reader_of_an_archive_would_take_is_refused(answer):
    with pytest.raises(AdminError) as refused:
        node_files.read(Host({}, [answer]), [])
    assert "node cp-1" in str(refused.value)
    assert refused.value.what == printable(refused.value.what)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"garbage", AdminError),
        (b"file 600 0 0 99999999999999999999 0 -\n/a\0", AdminError),
        (b"magic 600 0 0 0 0 -\n/a\0", AdminError),
        (entry("relative"), AdminError),
        (entry("/a")[:-1], BrokenStream),
        (b"file 600 0 0 1 0 -\n/a", BrokenStream),
        (b"link 600 0 0 1 0 -\n/a\0x", BrokenStream),
        (b"link 600 0 0 1 0 -\n/" + b"a" * 5000 + b"\0x\0", BrokenStream),
    ],
)
def test_an_answer_that_is_none_is_refused(answer, error):
    with pytest.raises(error, match="node cp-1: the answer about its files"):
        parsed(answer, "node cp-1")


def test_a_path_that_no_command_can_have_is_passed_over():
    texts = b'kind: AdmissionConfiguration\nplugins: [{name: A, path: "\\uD800"}]'
    host = Host({ADMISSION: texts})
    read = node_files.read(
        host, [part("--admission-control-config-file=/etc/admission/config.yaml", mounts=MOUNTS)]
    )
    assert [one.path for one in read.found] == [ADMISSION]
