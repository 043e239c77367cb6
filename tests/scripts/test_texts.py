"""scripts/texts.sh, and what is read where the kubelet's unit and its configuration are."""

import os
from dataclasses import replace

from kubectl_admin.node.texts import Texts, texts
from kubectl_admin.upgrade import gather, next_start, unit
from kubectl_admin.upgrade.packages import Manager, Packages

LIMIT = 1000
NONE = Packages(Manager.APT, {}, frozenset(), {})


def read(shell, *paths, limit=LIMIT):
    return texts(shell.run("texts", str(limit), *paths).decode())


def test_files_as_they_are(shell, tmp_path):
    for name, text in {"a b": "one\n\n two\n", "no end": "x\ny", "empty": "", "# end": "# end\n"}.items():
        (tmp_path / name).write_text(text)
    found = read(shell, *(tmp_path / name for name in ("a b", "no end", "empty", "# end", "none")))
    assert found == Texts(
        {
            f"{tmp_path}/a b": "one\n\n two\n",
            f"{tmp_path}/no end": "x\ny\n",
            f"{tmp_path}/empty": "",
            f"{tmp_path}/# end": "# end\n",
        }
    )


def test_all_below_a_folder_in_the_order_in_which_go_walks_it(shell, tmp_path):
    for name in ("b.conf", "a/2.conf", "a/1.conf", "a.conf", ".hidden.conf", "B.conf"):
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_text("x\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "no.conf").write_text("x\n")
    (tmp_path / "d" / "link").symlink_to(tmp_path / "elsewhere")  # not walked
    (tmp_path / "d" / "z.conf").symlink_to(tmp_path / "elsewhere" / "no.conf")
    (tmp_path / "d" / "zz.conf").symlink_to(tmp_path / "nowhere")
    found = read(shell, tmp_path / "d")
    names = [path.removeprefix(f"{tmp_path}/d/") for path in found.read]
    assert names == [".hidden.conf", "B.conf", "a/1.conf", "a/2.conf", "a.conf", "b.conf", "z.conf"]
    assert found.unread == (f"{tmp_path}/d/zz.conf",)
    assert list(found.below(f"{tmp_path}/d/a")) == [f"{tmp_path}/d/a/1.conf", f"{tmp_path}/d/a/2.conf"]
    assert read(shell, tmp_path / "d" / "link") == Texts()


def test_what_masks_another_is_empty(shell, tmp_path):
    (tmp_path / "10.conf").symlink_to("/dev/null")
    assert read(shell, tmp_path / "10.conf") == Texts({f"{tmp_path}/10.conf": ""})


def test_what_is_there_and_can_not_be_read(shell, tmp_path):
    (tmp_path / "long").write_text("x" * (LIMIT + 1))
    os.mkfifo(tmp_path / "pipe")  # it would never end
    assert read(shell, tmp_path / "long", tmp_path / "pipe").unread == (
        f"{tmp_path}/long",
        f"{tmp_path}/pipe",
    )


class Host:
    """A made root in the place of a node's, read by the real script."""

    def __init__(self, shell, root):
        self.shell, self.root = shell, str(root)

    def script(self, script, *arguments):
        limit, *paths = arguments
        answer = self.shell.run(script.name, limit, *(self.root + path for path in paths))
        return answer.replace(self.root.encode(), b"")


def test_what_the_next_kubelet_reads_is_found_wherever_it_is(shell, tmp_path):
    files = {
        "/usr/lib/systemd/system/kubelet.service": "[Service]\nExecStart=/usr/bin/kubelet\n",
        "/etc/systemd/system/kubelet.service.d/9.conf": (
            "[Service]\nEnvironmentFile=-/etc/default/kubelet\nEnvironmentFile=/etc/own/*.env\nExecStart=\n"
            "ExecStart=/usr/bin/kubelet --config=/etc/k.yaml $KUBELET_EXTRA_ARGS $OWN\n"
        ),
        "/etc/default/kubelet": "KUBELET_EXTRA_ARGS=--config-dir=/etc/drop-ins\n",
        "/etc/own/a.env": 'OWN="--boot-id-file=/x"\n',
        "/etc/k.yaml": "featureGates: {A: true}\n",
        "/etc/drop-ins/1.conf": "featureGates: {B: true}\n",
    }
    for path, text in files.items():
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).write_text(text)
    (tmp_path / "etc/drop-ins/2.conf").symlink_to("/nowhere")
    found = gather.with_texts(Host(shell, tmp_path), gather.on_disk("", NONE))
    assert found.texts == Texts(files, ("/etc/drop-ins/2.conf",))
    assert found.command.missing == ()
    assert [word.text for word in found.command.words] == [
        "--config=/etc/k.yaml",
        "--config-dir=/etc/drop-ins",
        "--boot-id-file=/x",
    ]
    assert next_start.further_paths(replace(found, texts=Texts())) == ["/etc/k.yaml", "/etc/drop-ins"]
    assert unit.command({}) == unit.Command()
