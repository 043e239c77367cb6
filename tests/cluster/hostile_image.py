"""A container image that is made to run something of its own wherever it is used, in all the ways there are.

What it gets to run makes a file, MARK, on the host. Its programs stand in the place of those that a debug pod
begins with, its loader's configuration and its environment name a library of its own, and its shell functions
have the names of what a shell calls.
"""

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

MARK = "/var/tmp/hostile-image-ran"
# Seen from the container, and from the host's own root.
PROGRAM = f"""
#include <fcntl.h>
#include <unistd.h>
static void mark(void) {{
  static const char *const where[] = {{"/host{MARK}", "{MARK}"}};
  for (int i = 0; i < 2; i++) {{
    int made = open(where[i], O_CREAT | O_WRONLY, 0600);
    if (made >= 0) close(made);
  }}
}}
"""
LIBRARY = PROGRAM + "__attribute__((constructor)) static void loaded(void) { mark(); }"
MAIN = PROGRAM + "int main(void) { mark(); for (;;) pause(); }"
STEAL = f"() {{ : > /host{MARK}; }}"
ENVIRONMENT = {
    "PATH": "/evil",
    "LD_PRELOAD": "/evil/library.so",
    "LD_AUDIT": "/evil/library.so",
    "LD_LIBRARY_PATH": "/evil",
    "GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=0",
    "GCONV_PATH": "/evil",
    "LOCPATH": "/evil",
    "LC_ALL": "en_US.UTF-8",
    "BASH_ENV": "/evil/script",
    "ENV": "/evil/script",
    "SHELLOPTS": "xtrace",
    "PS4": f"$(: > /host{MARK})",
    "BASH_FUNC_kill%%": STEAL,
    "BASH_FUNC_read%%": STEAL,
}


def write_archive(path: Path, names: list[str]) -> None:
    """The image under these names, as a docker-archive that containerd imports."""
    library = compiled(LIBRARY, path.with_suffix(".so"), "-shared", "-fPIC")
    program = compiled(MAIN, path.with_suffix(".program"), "-static")
    files = {
        "evil/library.so": library,
        "evil/script": f": > /host{MARK}\n".encode(),
        "etc/ld.so.preload": b"/evil/library.so\n",
        "etc/ld-musl-x86_64.path": b"/evil\n",
        "etc/passwd": b"root:x:4242:4242::/evil:/evil/sh\n",
        **dict.fromkeys(("bin/sleep", "bin/sh", "usr/bin/env", "usr/sbin/chroot", "evil/main"), program),
    }
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as out:
        for name, data in files.items():
            add(out, name, data, 0o755)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
            "Entrypoint": ["/evil/main"],
            "User": "4242",
            "WorkingDir": "/evil",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": names, "Layers": ["layer.tar"]}]
    with tarfile.open(path, "w") as out:
        add(out, "config.json", json.dumps(config).encode())
        add(out, "layer.tar", layer.getvalue())
        add(out, "manifest.json", json.dumps(manifest).encode())


def compiled(source: str, path: Path, *flags: str) -> bytes:
    """What the C compiler, with which the lab makes its pause image as well, makes of this."""
    subprocess.run(["gcc", *flags, "-x", "c", "-o", path, "-"], input=source.encode(), check=True)
    return path.read_bytes()


def add(out: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    """A file in an archive."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    out.addfile(member, io.BytesIO(data))
