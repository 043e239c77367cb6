"""The script runs under the shells of hosts; what it says is read as the program reads it."""

import base64
import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from kubectl_admin.certificates.facts import Source, Use
from kubectl_admin.certificates.inventory import disk
from kubectl_admin.certificates.inventory.components import PKI, File
from kubectl_admin.certificates.x509 import Broken
from tests.unit.certificates.samples import key_pem, pem

SECRET = key_pem().splitlines()[1]


@pytest.fixture
def pki(tmp_path):
    """The folder of kubeadm's files."""
    folder = tmp_path / "pki"
    (folder / "etcd").mkdir(parents=True)
    return folder


@pytest.fixture
def look(shell, pki):
    """Looks at the folder as if it were kubeadm's, and at files besides; what is said never holds a key."""

    here, there = str(pki), PKI

    def look(*files):
        answer = shell.run("certificates", here, *disk.arguments(files)[1:])
        assert SECRET not in answer
        assert b"PRIVATE" not in answer
        named = [replace(file, path=file.path.replace(here, there)) for file in files]
        found = disk.seen("cp1", answer.replace(here.encode(), there.encode()), named)
        return [replace(one, where=one.where.replace(there, here)) for one in found]

    return look


def test_files_of_the_layout_have_kubeadms_names(look, pki):
    (pki / "apiserver.crt").write_bytes(pem("kube-apiserver"))
    (pki / "ca.crt").write_bytes(pem("kubernetes", authority=True))
    (pki / "ca.key").write_bytes(key_pem())
    (pki / "etcd/ca.crt").write_bytes(pem("etcd-ca", authority=True))
    found = {one.name: one for one in look()}
    assert list(found) == ["apiserver", "ca", "etcd-ca"]
    assert found["apiserver"].certificate.common_name == "kube-apiserver"
    assert found["apiserver"].use is Use.SERVER
    assert (found["apiserver"].key, found["ca"].key, found["etcd-ca"].key) == (None, True, False)
    assert found["ca"].changed.timestamp() == int((pki / "ca.crt").stat().st_mtime)


def test_a_file_that_is_named_counts_once_and_is_missed_where_it_is_not_there(look, pki):
    (pki / "apiserver.crt").write_bytes(pem("kube-apiserver"))
    own, gone = str(pki / "apiserver.crt"), str(pki / "gone.crt")
    found = look(
        File("mine", own, Use.SERVER),
        File("gone", gone, Use.CLIENT),
        File("extra", f"{gone}x", Use.CLIENT, required=False),
    )
    assert [(one.name, one.required) for one in found] == [("mine", True), ("gone", True)]
    assert found[1].content == Broken("the file is missing")


def test_what_is_not_there_and_named_twice_is_missed_once(look, pki):
    gone = File("gone", str(pki / "gone.crt"), Use.CLIENT)
    assert len(look(gone, gone)) == 1


def test_where_no_file_is_there_none_is_shown(shell):
    assert shell.run("certificates", "-", "pem", "gone", "/none/gone.crt") == (
        b"@ absent gone - - /none/gone.crt\n"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"nothing\n", "it holds no PEM certificate"),
        (key_pem(), "it holds no PEM certificate"),
        (pem()[:300] + b"\n" + key_pem(), "a PEM certificate in it is cut off or damaged"),
        (pem()[:300] + b"\n" + key_pem()[5:], "a PEM certificate in it is cut off or damaged"),
        (pem()[:300], "a PEM certificate in it is cut off or damaged"),
    ],
)
def test_a_broken_file_put_beside_is_told_and_no_key_with_it(look, pki, content, why):
    (pki / "broken.crt").write_bytes(content)
    (found,) = look()
    assert found.name == "pki/broken.crt"
    assert (found.content, found.required, found.use) == (Broken(why), False, Use.UNKNOWN)


def test_a_chain_and_a_bundle(look, pki):
    (pki / "apiserver.crt").write_bytes(pem("kube-apiserver", kind="RSA 2048") + pem("between"))
    (pki / "ca.crt").write_bytes(pem("new") + key_pem() + pem("old"))
    found = look()
    own = [(one.name, one.certificate.common_name) for one in found]
    # This one has signed itself, so that nothing leads anywhere.
    assert own == [("apiserver", "kube-apiserver"), ("ca", "new"), ("ca", "old")]


CONFIG = """apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: {authority}
    server: https://10.0.0.11:6443
  name: kubernetes
users:
- name: admin
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
"""


def encoded(data):
    return base64.b64encode(data).decode()


def test_what_a_kubeconfig_embeds_and_never_its_key(look, pki):
    path = pki / "admin.conf"
    path.write_text(
        CONFIG.format(
            authority=f'"{encoded(pem("kubernetes", authority=True))}"',
            certificate=encoded(pem("admin") + key_pem()),
            key=encoded(key_pem()),
        )
    )
    found = look(File("admin.conf", str(path), Use.CLIENT, kubeconfig=True))
    assert [(one.name, one.use, one.source, one.certificate.common_name) for one in found] == [
        ("admin.conf (authority)", Use.AUTHORITY, Source.KUBECONFIG, "kubernetes"),
        ("admin.conf", Use.CLIENT, Source.KUBECONFIG, "admin"),
    ]


def test_every_user_of_a_kubeconfig_counts_and_a_file_that_is_shown_twice_once(look, pki):
    path = pki / "admin.conf"
    users = [f"    client-certificate-data: {encoded(pem(name))}\n" for name in ("alice", "kubernetes-admin")]
    path.write_text("users:\n" + "".join(users))
    file = File("admin.conf", str(path), Use.CLIENT, kubeconfig=True)
    found = look(file, file)
    assert [one.certificate.common_name for one in found] == ["alice", "kubernetes-admin"]


def test_what_a_kubeconfig_names(look, pki):
    path = pki / "scheduler.conf"
    path.write_text("users:\n- name: x\n  user:\n    client-certificate: own.pem\n    client-key: own.pem\n")
    (pki / "own.pem").write_bytes(pem("scheduler") + key_pem())
    (found,) = look(File("scheduler.conf", str(path), Use.CLIENT, kubeconfig=True))
    assert (found.name, found.where) == ("scheduler.conf", str(pki / "own.pem"))
    assert found.certificate.common_name == "scheduler"
    (pki / "own.pem").unlink()
    (found,) = look(File("scheduler.conf", str(path), Use.CLIENT, kubeconfig=True))
    assert found.content == Broken("the file is missing")


def test_an_embedded_certificate_that_is_none(look, pki):
    path = pki / "admin.conf"
    path.write_text("    client-certificate-data: '%%%'\n")
    (found,) = look(File("admin.conf", str(path), Use.CLIENT, kubeconfig=True))
    assert isinstance(found.content, Broken)


@pytest.fixture
def kubelet(tmp_path):
    """A process that was started with the flags of a kubelet, which systemctl names; its folder of files."""
    folder = tmp_path / "kubelet"
    folder.mkdir()
    with started(folder):
        yield folder


@contextlib.contextmanager
def started(folder, *words):
    """A kubelet that was told these words, too, in the place of an earlier one."""
    flags = [
        f"--config={folder}/config.yaml",
        f"--cert-dir={folder}",
        "--kubeconfig",
        f"{folder}/kubelet.conf",
    ]
    process = subprocess.Popen([sys.executable, "-c", "input()", *flags, *words], stdin=subprocess.PIPE)
    systemctl = folder.parent / "bin/systemctl"
    systemctl.parent.mkdir(exist_ok=True)
    systemctl.write_text(f"#!/bin/sh\necho MainPID={process.pid}\n")
    systemctl.chmod(0o755)
    try:
        yield
    finally:
        process.communicate(b"\n", timeout=60)


@pytest.fixture
def look_at_kubelet(shell, pki, tmp_path):
    """Looks at a worker's host."""

    def look():
        done = shell.ended("certificates", str(pki), path=str(tmp_path / "bin"))
        assert (done.returncode, done.stderr) == (0, b"")
        assert SECRET not in done.stdout
        return [(one.name, one.certificate.common_name) for one in disk.seen("w1", done.stdout, [])]

    return look


@pytest.fixture
def told(shell, tmp_path):
    """The settings of the kubelet, as a worker's host shows them."""
    return lambda: disk.settings(shell.ended("certificates", "/none", path=str(tmp_path / "bin")).stdout)


SELF_MADE = pem("w1@1") + pem("w1-ca@1", authority=True)


def test_a_kubelet_that_makes_its_own_serving_certificate(kubelet, look_at_kubelet):
    (kubelet / "kubelet.crt").write_bytes(SELF_MADE)
    (kubelet / "kubelet-client-current.pem").write_bytes(pem("system:node:w1") + key_pem())
    (kubelet / "kubelet.conf").write_text(f"    client-certificate: {kubelet}/kubelet-client-current.pem\n")
    assert look_at_kubelet() == [("kubelet-client", "system:node:w1"), ("kubelet-serving", "w1@1")]


def test_a_kubelet_whose_serving_certificate_the_cluster_has_signed(kubelet, look_at_kubelet):
    (kubelet / "config.yaml").write_text("serverTLSBootstrap: true\n")
    (kubelet / "kubelet.crt").write_bytes(SELF_MADE)
    (kubelet / "kubelet-server-current.pem").write_bytes(pem("system:node:w1") + key_pem())
    assert look_at_kubelet() == [("kubelet-serving", "system:node:w1")]


def test_a_kubelet_that_was_given_its_files(kubelet, look_at_kubelet):
    ca = kubelet / "clients.crt"
    (kubelet / "config.yaml").write_text(
        f'authentication:\n  x509:\n    clientCAFile: {ca}\ntlsCertFile: "{kubelet}/own.crt"\n'
    )
    ca.write_bytes(pem("clients", authority=True))
    (kubelet / "own.crt").write_bytes(pem("w1.example"))
    (kubelet / "kubelet.crt").write_bytes(SELF_MADE)
    assert look_at_kubelet() == [("kubelet-serving", "w1.example"), ("kubelet-client-ca", "clients")]


def test_a_kubelet_conf_that_embeds_its_certificate(kubelet, look_at_kubelet):
    embedded = encoded(pem("embedded") + key_pem())
    (kubelet / "kubelet.conf").write_text(f"    client-certificate-data: {embedded}\n")
    (kubelet / "kubelet-client-current.pem").write_bytes(pem("rotated") + key_pem())
    assert look_at_kubelet() == [("kubelet.conf", "embedded"), ("kubelet-client", "rotated")]


@pytest.mark.parametrize(
    "words",
    [
        ["--rotate-server-certificates"],
        ["--rotate-server-certificates", "--v=2"],
        ["--rotate-server-certificates=true"],
        ["--rotate-server-certificates=1"],
        ["--rotate_server_certificates=T"],
        ["--rotate-server-certificates=false", "--rotate-server-certificates"],
    ],
)
def test_a_flag_has_the_cluster_sign_what_a_kubelet_serves(kubelet, look_at_kubelet, told, words):
    (kubelet / "config.yaml").write_text("serverTLSBootstrap: false\n")
    (kubelet / "kubelet.crt").write_bytes(SELF_MADE)
    (kubelet / "kubelet-server-current.pem").write_bytes(pem("system:node:w1") + key_pem())
    with started(kubelet, *words):
        assert look_at_kubelet() == [("kubelet-serving", "system:node:w1")]
        assert told()["serverTLSBootstrap"] == "true"


def test_flags_win_over_what_the_files_say(kubelet, look_at_kubelet, told):
    (kubelet / "config.yaml").write_text(
        "serverTLSBootstrap: true\nrotateCertificates: false\ntlsCertFile: /none\nclientCAFile: /none\n"
    )
    for name in ("own", "clients"):
        (kubelet / f"{name}.crt").write_bytes(pem(name))
    words = ["--rotate-certificates", "--rotate-server-certificates=false"]
    words += ["--tls-cert-file", f"{kubelet}/own.crt", f"--client-ca-file={kubelet}/clients.crt"]
    with started(kubelet, *words):
        assert look_at_kubelet() == [("kubelet-serving", "own"), ("kubelet-client-ca", "clients")]
        assert told() == {
            "serverTLSBootstrap": "false",
            "rotateCertificates": "true",
            "tlsCertFile": f"{kubelet}/own.crt",
        }


def test_files_of_its_folder_of_settings_are_read_by_their_names(kubelet, told):
    (kubelet / "config.yaml").write_text("rotateCertificates: true\ntlsCertFile: /etc/base.crt")
    drop_ins = kubelet / "drop ins"
    (drop_ins / "15-more").mkdir(parents=True)
    for name, text in {
        "20-last.conf": "serverTLSBootstrap: true # the cluster signs\r\n",
        "15-more/x.conf": "tlsCertFile: /etc/more.crt",
        "10-first.conf": '{\n  "serverTLSBootstrap": false,\n  "tlsCertFile": "/etc/first.crt"\n}\n',
        "99-not-read.yaml": "serverTLSBootstrap: false\nrotateCertificates: false\n",
    }.items():
        (drop_ins / name).write_text(text)
    with started(kubelet, f"--config-dir={drop_ins}"):
        assert told() == {
            "serverTLSBootstrap": "true",
            "rotateCertificates": "true",
            "tlsCertFile": "/etc/more.crt",
        }


def test_settings_of_the_kubelet():
    answer = b"@ kubelet serverTLSBootstrap - - true\n@ kubelet rotateCertificates - - \n"
    assert disk.settings(answer) == {"serverTLSBootstrap": "true", "rotateCertificates": ""}


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\n", b"@ pem\n", b"@ x y z 1 /p\n", b"@ pem a - x /p\n\xff"]
)
def test_an_answer_that_makes_no_sense_is_no_traceback(answer):
    disk.seen("w1", answer, [])
    disk.settings(answer)
    disk.served(answer)


@pytest.fixture
def listening(tmp_path):
    """The address of a server with TLS on this machine."""
    path = tmp_path / "pair.pem"
    path.write_bytes(pem("etcd-peer") + key_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    near, _ = server.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(near, server_side=True) as secured:
                        secured.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield "127.0.0.1:{1}".format(*server.getsockname())
        server.shutdown(socket.SHUT_RDWR)


def with_tools(shell, folder, *tools):
    """The shell on a host that has nothing but these programs."""
    folder.mkdir()
    for tool in tools:
        (folder / tool).symlink_to(shutil.which(tool))
    return replace(shell, path=str(folder))


@pytest.mark.parametrize("tool", ["openssl", "curl"])
def test_what_is_served_as_the_host_sees_it(dash, tmp_path, listening, tool):
    shell = with_tools(dash, tmp_path / "tools", tool, "timeout", "awk")
    nobody = "127.0.0.1:1"
    answer = shell.run("certificates", "-", "served", "-", listening, "served", "-", nobody)
    found = disk.served(answer)
    assert found[listening].common_name == "etcd-peer"
    assert found[nobody] == Broken("no certificate is shown there")


def test_a_host_without_a_program_that_looks(dash, tmp_path):
    shell = with_tools(dash, tmp_path / "tools", "awk")
    found = disk.served(shell.run("certificates", "-", "served", "-", "127.0.0.1:1"))
    assert found == {"127.0.0.1:1": Broken("the node has neither openssl nor curl to look there")}


@pytest.mark.parametrize("moment", ["9" * 17, "9" * 5000, "-1", "x"])
def test_a_moment_that_is_none_is_not_known(moment):
    (one,) = disk.seen("w1", f"@ pem apiserver no {moment} /x\n".encode() + pem(), [])
    assert one.changed is None


def test_of_a_node_that_shows_very_many_the_first_are_looked_at():
    one = pem()
    answer = b"".join(f"@ pem - no 1 /pki/{number}.crt\n".encode() + one for number in range(disk.LIMIT + 9))
    *shown, last = disk.seen("w1", answer, [])
    assert [one.where for one in shown] == [f"/pki/{number}.crt" for number in range(disk.LIMIT)]
    assert (last.content, last.required) == (
        Broken(f"only the first {disk.LIMIT} certificates of this node are read"),
        False,
    )
