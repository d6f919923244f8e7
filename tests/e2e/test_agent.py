"""The agent that keeps signal-cli on this machine ends it when anything is not as it should be."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e import parts
from tests.e2e.mock import FOR_AGENT

HALTED = 70
GOOD = {
    "service": "https://127.0.0.1:1",
    "directory": "http://127.0.0.1:1/directory",
    **dict.fromkeys(FOR_AGENT[2:], "AAAA"),
}


# Of libsignal's package, and says so when it is used; a real one would connect.
STAND_IN = """
package org.signal.libsignal.net;
public final class {name} {{
    static {{ System.out.println("connected"); }}
    public static void connect() {{}}
}}
"""
# As signal-cli would use it: the class is named in the code, and loads when the call is reached.
CALLER = """
public final class Caller {{
    public static void main(String[] arguments) {{
        System.out.println("started");
        System.out.flush();
        org.signal.libsignal.net.{name}.connect();
        System.out.println("went on");
    }}
}}
"""


def agent_option(home: Path, about: dict[str, str]) -> str:
    properties = home / "redirect.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in about.items()))
    return f"-javaagent:{parts.agent()}={properties}"


def run(home: Path, about: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`signal-cli --version`, which calls nobody in any case."""
    environ = os.environ | {"JAVA_OPTS": agent_option(home, about)}
    return finished(parts.signal_cli(), "--config", home / "data", "--version", env=environ)


def finished(
    *command: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


def run_with_stand_in(home: Path, name: str) -> subprocess.CompletedProcess[str]:
    """A program that uses a class of that name, on signal-cli's libraries."""
    classes = home / "classes"
    sources = [home / f"{name}.java", home / "Caller.java"]
    for source, text in zip(sources, (STAND_IN, CALLER), strict=True):
        source.write_text(text.format(name=name))
    compiled = finished(parts.program("javac"), "--release", parts.RELEASE, "-d", classes, *sources)
    assert compiled.returncode == 0, compiled.stderr
    libraries = f"{classes}{os.pathsep}{parts.signal_cli_home()}/lib/*"
    return finished(
        parts.java_program("java"), agent_option(home, GOOD), "-cp", libraries, "Caller"
    )


@pytest.mark.usefixtures("all_parts")
class TestAgent:
    def test_signal_cli_runs_with_the_mocks_addresses(self, tmp_path: Path) -> None:
        done = run(tmp_path, GOOD)
        assert (done.returncode, done.stdout.split()[0]) == (0, "signal-cli"), done.stderr

    @pytest.mark.parametrize("name", ["service", "directory"])
    @pytest.mark.parametrize(
        "address", ["https://chat.signal.org", "https://10.0.0.1:443", "https://localhost.evil:1"]
    )
    def test_an_address_elsewhere_ends_it(self, tmp_path: Path, name: str, address: str) -> None:
        done = run(tmp_path, GOOD | {name: address})
        assert done.returncode == HALTED
        assert f"{address} is not loopback" in done.stderr

    @pytest.mark.parametrize("name", FOR_AGENT)
    def test_a_missing_value_ends_it(self, tmp_path: Path, name: str) -> None:
        done = run(tmp_path, {key: value for key, value in GOOD.items() if key != name})
        assert done.returncode == HALTED, done.stdout

    def test_a_missing_file_ends_it(self, tmp_path: Path) -> None:
        environ = os.environ | {"JAVA_OPTS": f"-javaagent:{parts.agent()}={tmp_path}/none"}
        done = subprocess.run(
            [parts.signal_cli(), "--version"], env=environ, check=False, timeout=60,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == HALTED

    @pytest.mark.parametrize(
        "name",
        [
            "AuthenticatedChatConnection",
            "UnauthenticatedChatConnection",
            "ChatConnection",
            "RegistrationService",
            "KeyTransparencyClient",
            "SvrB",
            "CdsiLookup",
            "ConnectionOfTomorrow",
        ],
    )
    def test_libsignals_own_network_code_ends_it_before_it_runs(
        self, tmp_path: Path, name: str
    ) -> None:
        done = run_with_stand_in(tmp_path, name)
        assert (done.returncode, done.stdout) == (HALTED, "started\n"), done.stderr
        assert f"org/signal/libsignal/net/{name} must not be used" in done.stderr

    def test_what_connects_to_nothing_may_be_used(self, tmp_path: Path) -> None:
        done = run_with_stand_in(tmp_path, "SomethingWentWrongException")
        assert done.stdout.split("\n")[:3] == ["started", "connected", "went on"], done.stderr


@pytest.mark.usefixtures("all_parts")
class TestAnotherSignalCli:
    """`BRIDGE_SIGNAL_CLI` may name any release that is installed as releases are."""

    @pytest.fixture
    def installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A release unpacked elsewhere, without a Java of its own, and a link to its program."""
        ours = parts.signal_cli_home()
        home = tmp_path / "opt" / "signal-cli-0.0.1"
        for place in ("bin", "lib"):
            (home / place).mkdir(parents=True)
        shutil.copy(ours / "bin/signal-cli", home / "bin")
        for jar in (ours / "lib").iterdir():
            (home / "lib" / jar.name).symlink_to(jar)
        link = tmp_path / "usr-bin-signal-cli"
        link.symlink_to(home / "bin/signal-cli")
        monkeypatch.setenv("JAVA_HOME", str(Path(parts.java_program("java")).parent.parent))
        monkeypatch.setenv("BRIDGE_SIGNAL_CLI", str(link))
        return home

    def test_its_release_is_found(self, installed: Path) -> None:
        assert parts.signal_cli_home() == installed
        assert parts.library("libsignal-client").parent == installed / "lib"

    def test_it_runs_with_the_mocks_addresses(self, installed: Path, tmp_path: Path) -> None:
        done = run(tmp_path, GOOD)
        assert (done.returncode, done.stdout.split()[0]) == (0, "signal-cli"), done.stderr

    def test_a_native_one_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        native = tmp_path / "bin" / "signal-cli"
        native.parent.mkdir()
        native.write_bytes(b"\x7fELF")
        monkeypatch.setenv("BRIDGE_SIGNAL_CLI", str(native))
        with pytest.raises(parts.PartMissing, match="the Java release is needed"):
            parts.signal_cli_home()
