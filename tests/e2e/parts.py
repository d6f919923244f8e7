"""What the tests are made of, installed and compiled once into `.e2e/`.

    python -m tests.e2e.parts        does all of it; afterwards no network is needed

Each part is made in a directory named by a digest of what it is made of, so a change makes it
anew and an interrupted run leaves nothing half done.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CACHE = ROOT / ".e2e"
RELEASE = "17"  # of the class files: any JDK from 17 on compiles them, signal-cli's Java runs them
STORE_PASSWORD = "whisper"  # the one compiled into signal-cli
MANIFEST = "Premain-Class: Redirect\n"
BOUNCY_CASTLE = "org.bouncycastle.jce.provider.BouncyCastleProvider"


class PartMissing(Exception):
    """Something that has to be on the machine is not there."""


def signal_cli() -> Path:
    found = Path(os.environ.get("BRIDGE_SIGNAL_CLI") or ROOT / ".signal-cli/bin/signal-cli")
    if not found.is_file():
        raise PartMissing(f"there is no {found}: make signal-cli")
    return found


def node_modules() -> Path:
    """The npm packages. No lock file: it would name the registry it was made with."""
    package = HERE / "mock/package.json"

    def install(target: Path) -> None:
        shutil.copy(package, target)
        _run(program("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts",
             "--no-package-lock", "--omit=dev", "--loglevel=error", cwd=target)  # fmt: skip

    return _made("npm", [package], install) / "node_modules"


def agent() -> Path:
    """The jar for -javaagent. It holds the mock's certificate authority as a key store.

    It is compiled against the libsignal of the signal-cli that is tested.
    """
    sources = sorted((HERE / "agent").rglob("*.java"))
    libsignal = library("libsignal-client")
    authority = node_modules() / "@signalapp/mock-server/certs/ca-cert.pem"

    def build(target: Path) -> None:
        classes = target / "classes"
        _run(program("javac"), "--release", RELEASE, "-d", classes,
             "-cp", libsignal, *sources)  # fmt: skip
        _store(authority, classes / "mock.store")
        (target / "manifest").write_text(MANIFEST)
        _run(program("jar"), "--create", "--file", target / "redirect.jar",
             "--manifest", target / "manifest", "-C", classes, ".")  # fmt: skip

    return _made(f"agent-{libsignal.stem}", [*sources, authority], build) / "redirect.jar"


def python_packages() -> None:
    """Those of requirements.txt, into the Python that runs."""
    if importlib.util.find_spec("zxingcpp") is None:
        requirements = HERE / "requirements.txt"
        _run(sys.executable, "-m", "pip", "install", "--quiet", "-r", requirements)


def program(name: str) -> str:
    """From JAVA_HOME, where that has it, or from PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(name, path=f"{home}/bin") if home else None
    found = found or shutil.which(name)
    if found is None:
        raise PartMissing(f"{name} was not found on PATH")
    return found


def _store(authority: Path, store: Path) -> None:
    """The format is one that only BouncyCastle knows, and signal-cli brings that along."""
    _run(java_program("keytool"), "-importcert", "-noprompt", "-alias", "mock", "-file", authority,
         "-keystore", store, "-storetype", "BKS", "-storepass", STORE_PASSWORD,
         "-providerclass", BOUNCY_CASTLE, "-providerpath", library("bcprov"))  # fmt: skip


def library(name: str) -> Path:
    """The jar of that name that signal-cli brings along."""
    return next((signal_cli_home() / "lib").glob(f"{name}*.jar"))


def java_program(name: str) -> str:
    """From the Java that `make signal-cli` installs beside signal-cli, or as any program."""
    own = signal_cli_home() / "java/bin" / name
    return str(own) if own.is_file() else program(name)


def signal_cli_home() -> Path:
    """The release that signal-cli belongs to: its jars are in `lib/`.

    A release has the program in `bin/`; `make signal-cli` writes a wrapper with its releases beside
    it. The agent cannot redirect a native binary, so that one is none.
    """
    around = signal_cli().resolve().parent.parent
    for home in (around, *sorted(around.glob("*-java-*"), reverse=True)):
        if any((home / "lib").glob("libsignal-client*.jar")):
            return home
    raise PartMissing(f"{signal_cli()} has no jars beside it; the Java release is needed")


def _made(name: str, inputs: list[Path], make: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in inputs)).hexdigest()[:12]
    made = CACHE / f"{name}-{digest}"
    if not made.is_dir():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"{name}-part-") as part:
            make(Path(part))
            shutil.copytree(part, f"{part}-done", symlinks=True)
            Path(f"{part}-done").rename(made)
    return made


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise PartMissing(f"{command[0]} failed: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    try:
        python_packages()
        node_modules()
        agent()
    except PartMissing as missing:
        sys.exit(str(missing))
