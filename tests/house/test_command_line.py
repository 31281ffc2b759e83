"""An engineer meets the command line: help teaches, errors say what to do, exit codes mean something."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from chengshu.site.cli import COMMANDS, root

CHENGSHU = [str(Path(sys.executable).with_name("chengshu"))]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [*CHENGSHU, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_help_names_every_command_and_the_exit_codes():
    text = CliRunner().invoke(root, ["--help"]).output
    for name in COMMANDS:
        assert name in text
    assert "Exit codes" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_says_what_it_does(name):
    result = CliRunner().invoke(root, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.output.split()) > 20, "help that teaches is more than a line"
    assert "Not written yet" not in result.output


def test_the_list_of_commands_imports_no_framework():
    code = (
        "import sys; from chengshu.site.cli import root; root(['--help'], standalone_mode=False); "
        "assert 'django' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_an_unknown_command_is_a_wrong_call():
    assert run("fly").returncode == 2


def test_serving_nothing_says_how_to_begin(own_var):
    result = run("serve", CHENGSHU_VAR=str(own_var))
    assert result.returncode == 2
    assert "chengshu demo" in result.stderr
    assert "Traceback" not in result.stderr


def test_every_benchmark_is_listed_with_its_name():
    listed = run("bench", "--list")
    assert listed.returncode == 0 and "build: Builds" in listed.stdout
