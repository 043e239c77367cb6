"""Makes a release for this machine's platform: the archive, Krew's manifest for it, and checksums.

    python krew/build.py [--url https://…/v0.1.0] [--homepage https://…] [--output dist]

The archive is the same, byte for byte, whenever it is built from the same versions of everything.
"""

import argparse
import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from string import Template

from kubectl_admin import __version__

HERE = Path(__file__).parent
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
LICENSE = re.compile(r"\.dist-info/(.*/)?(LICEN[SC]E|COPYING|NOTICE)[^/]*$", re.IGNORECASE)
EPOCH = 315532800  # 1980-01-01, the first time that every archive format can say
# Nothing is published there: a manifest made with it serves for installing from the archive beside it.
NOWHERE = "https://kubectl-admin.invalid"


def main() -> None:
    """Builds and says where the results are."""
    parser = argparse.ArgumentParser(description="Build the archive and the manifest for Krew.")
    parser.add_argument(
        "--url", default=NOWHERE, help="where the archive will be published, without its name"
    )
    parser.add_argument("--homepage", default=NOWHERE, help="the project's page, as the manifest names it")
    parser.add_argument(
        "--output", type=Path, default=HERE.parent / "dist", help="the directory for the results"
    )
    arguments = parser.parse_args()
    for path in build(arguments.output, arguments.url, arguments.homepage):
        say(f"{path} ({path.stat().st_size:,} bytes)")


def build(output: Path, url: str, homepage: str) -> list[Path]:
    """Makes archive, manifest and checksums in the directory `output`, and returns their paths.

    Raises SystemExit on a platform that there is no recipe for, and where PyInstaller fails.
    """
    arch = ARCHITECTURES.get(platform.machine())
    if platform.system() != "Linux" or not arch:
        sys.exit(f"error: no recipe for {platform.system()} on {platform.machine()}; see docs/release.md")
    output.mkdir(parents=True, exist_ok=True)
    archive = output / f"kubectl-admin_linux_{arch}.tar.gz"
    with tempfile.TemporaryDirectory() as work:
        directory = bundle(Path(work))
        say("packing")
        shutil.copy(HERE.parent / "LICENSE", directory)
        # Messages name pages by their paths there (kubectl_admin/report/pages.py).
        shutil.copytree(HERE.parent / "docs", directory / "docs", ignore=shutil.ignore_patterns("[!a-z]*"))
        (directory / "THIRD-PARTY-LICENSES.txt").write_text(
            "\n".join(third_party_licenses(directory)), "utf-8"
        )
        pack(directory, archive)
    manifest = output / "admin.yaml"
    manifest.write_text(
        Template((HERE / "admin.yaml").read_text("utf-8").partition("\n")[2]).substitute(
            version=__version__,
            homepage=homepage,
            os="linux",
            arch=arch,
            uri=f"{url}/{archive.name}",
            sha256=sha256(archive),
        ),
        "utf-8",
    )
    checksums = output / "checksums.txt"
    checksums.write_text("".join(f"{sha256(path)}  {path.name}\n" for path in (manifest, archive)))
    return [archive, manifest, checksums]


def bundle(work: Path) -> Path:
    """Runs PyInstaller in the directory `work` and returns the directory that it made of the program."""
    log = work / "log"
    begun = time.monotonic()
    say(f"bundling kubectl-admin {__version__} with Python {platform.python_version()} (half a minute)")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm"]
    places = ["--distpath", str(work / "dist"), "--workpath", str(work / "build")]
    # Sets are iterated in the same order every time, and no half-done cache of another build is trusted.
    environ = os.environ | {"PYTHONHASHSEED": "1", "PYINSTALLER_CONFIG_DIR": str(work / "cache")}
    with log.open("wb") as stream:
        done = subprocess.run(
            [*command, *places, str(HERE / "bundle.spec")],
            check=False,
            stdout=stream,
            stderr=stream,
            env=environ,
        )
    if done.returncode:
        sys.exit(f"{log.read_text('utf-8', 'replace')}\nerror: PyInstaller failed; its log stands above")
    say(f"bundled in {time.monotonic() - begun:.0f} s")
    return work / "dist" / "kubectl-admin"


def third_party_licenses(directory: Path) -> Iterator[str]:
    """The licences of Python and of each distribution that the bundle has a module of."""
    from PyInstaller.archive.readers import CArchiveReader

    yield from titled(f"Python {platform.python_version()}", Path(os.__file__).parent / "LICENSE.txt")
    pure = CArchiveReader(str(directory / "kubectl-admin")).open_embedded_archive("PYZ.pyz").toc
    compiled = (path.name for path in (directory / "_internal").iterdir())
    distributions = metadata.packages_distributions()
    packed = {name for top in (*pure, *compiled) for name in distributions.get(top.partition(".")[0], ())}
    for name in sorted(packed - {"kubectl-admin"}, key=str.lower):
        distribution = metadata.distribution(name)
        texts = [Path(str(file.locate())) for file in distribution.files or () if LICENSE.search(str(file))]
        if not texts:
            sys.exit(f"error: {name} {distribution.version} comes without the text of its licence")
        yield from titled(f"{name} {distribution.version}", *sorted(texts))


def titled(title: str, *texts: Path) -> list[str]:
    """The texts below their title."""
    return ["=" * 80, title, "=" * 80, *(path.read_text("utf-8", "replace") for path in texts)]


def pack(directory: Path, archive: Path) -> None:
    """Packs a directory's content: sorted, without owners and times, and without links: Krew refuses them."""
    with (
        archive.open("wb") as stream,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=stream, mtime=EPOCH) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT, dereference=True) as tar,
    ):
        for path in sorted((path for path in directory.rglob("*") if path.is_file()), key=str):
            entry = tar.gettarinfo(str(path), str(path.relative_to(directory)))
            # A file with several names would become a link to the first of them.
            entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", path.stat().st_size
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = EPOCH
            entry.mode = 0o755 if entry.mode & 0o100 else 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)


def sha256(path: Path) -> str:
    """The file's digest in lower-case hex, the only case that Krew takes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def say(what: str) -> None:
    """Tells the person who waits how far it is."""
    sys.stderr.write(f"release: {what}\n")


if __name__ == "__main__":
    main()
