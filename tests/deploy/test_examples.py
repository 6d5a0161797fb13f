"""The examples of `deploy/` are understood by the programs that they are for, where these are installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import trustme

from server.settings import NAMES
from tests.deploy.proxies import EXAMPLES, HOST, PROGRAMS, Place, Program
from tests.federation.harness import free_port
from tests.federation.processes import ROOT


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_proxy_understands_its_example(program: Program, tmp_path: Path) -> None:
    if program.path is None:
        pytest.skip(program.missing)
    certificate = tmp_path / "certificate.pem"
    trustme.CA().issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(certificate)
    place = Place(tmp_path / "proxy", HOST, free_port(), free_port(), free_port(), certificate)
    said = subprocess.run(
        program.check(program.configure(place)),
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    assert not [line for line in said.stderr.splitlines() if "[warn]" in line or "not formatted" in line]


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (23 November 2026); on Debian: systemd")
    text = (EXAMPLES / "jura.service").read_text()
    unit = tmp_path / "jura.service"
    program = "/opt/jura/.venv/bin/jura"
    assert f"ExecStart={program} serve\n" in text
    unit.write_text(
        text.replace(program, shutil.which("true") or "/bin/true")
    )  # it looks whether the program is there
    said = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")


def test_the_settings_of_the_guide_are_settings() -> None:
    guide = (ROOT / "docs" / "guide" / "operators.md").read_text()
    said = {line.partition("=")[0] for line in guide.splitlines() if line.startswith("JURA_")}
    assert said
    assert said <= set(NAMES)
