"""What is committed: no address of a registry or path of a machine, a lock that is whole, small data, valid configs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.jobs.samples import forecast

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
MEGABYTE = 1_000_000
# In parts, so that this file does not name them either.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("files", "pythonhosted", "org"),
        ("conda", "anaconda", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("repo", "maven", "apache", "org"),
    )
]
HOST = re.compile("|".join(map(re.escape, REGISTRIES)), re.IGNORECASE)
FOLDERS = "|".join(("work", "root", "home", "tmp", "Users", "mnt", "opt", "srv"))
MACHINE = re.compile(rf"(?<![\w.~-])/(?:{FOLDERS})/|[A-Z]:\\Users\\|\.\./shared")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every tracked text file by its path."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    found = {}
    for name in filter(None, listed.decode().split("\0")):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in content:
            found[name] = content.decode("utf-8")
    assert {"README.md", "pyproject.toml", "requirements.lock", "jobs/cli.py"} <= found.keys()
    return found


def _lines(texts: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_tracked_file_names_a_package_registry(texts: dict[str, str]) -> None:
    assert _lines(texts, HOST) == []
    assert len(_lines({name: f"index-url = https://{name}/simple" for name in REGISTRIES}, HOST)) == len(REGISTRIES)


def test_no_tracked_file_names_a_path_of_a_machine(texts: dict[str, str]) -> None:
    assert _lines(texts, MACHINE) == []
    found = {f"see {'/'.join(('', name, 'x'))}": True for name in FOLDERS.split("|")}
    found |= {"https://example.gov.uk/home/x": False, "a/tmp/x": False, "~/jobs/work/x": False}
    assert {text: bool(MACHINE.search(text)) for text in found} == found


@pytest.fixture(scope="module")
def lock() -> dict[str, tuple[Version, str]]:
    """Pins of the lock by distribution: the version, and the lines."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"^(?=\S)(?!#)", text, flags=re.MULTILINE)
    assert blocks[0] == ""
    found = {}
    for block in blocks[1:]:
        pin = re.match(r"([\w.-]+(?:\[[\w,-]+\])?)==([\w.+!-]+)( ; [^\\\n]+)? \\\n", block)
        assert pin is not None, block.splitlines()[0]
        name = _plain(pin[1].partition("[")[0])
        found.setdefault(name, (Version(pin[2]), block))
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_pin_of_the_lock_has_hashes_and_no_address(lock: dict[str, tuple[Version, str]]) -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert len(lock) > 50
    unhashed = [name for name, (_, block) in lock.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", block)]
    assert unhashed == []
    assert "://" not in text
    assert not re.search(r"^\s*(?:-[a-z]|--(?!hash=sha256:))|@", text, flags=re.MULTILINE)


def test_the_lock_has_what_the_project_asks_for(lock: dict[str, tuple[Version, str]]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [Requirement(line) for line in (*project["project"]["dependencies"], *project["dependency-groups"]["dev"])]
    refused = [str(each) for each in asked if lock[_plain(each.name)][0] not in each.specifier]
    assert refused == []
    assert all(list(each.specifier) for each in asked)


def test_the_bundled_data_is_small() -> None:
    files = [path for path in (ROOT / "forecast" / "reference" / "data").rglob("*") if path.is_file()]
    assert len(files) >= 8
    assert sum(path.stat().st_size for path in files) < 3 * MEGABYTE


@pytest.mark.parametrize("config", CONFIGS, ids=[path.stem for path in CONFIGS])
def test_shipped_configs_and_their_data_are_valid(config: Path) -> None:
    result = forecast("validate", "-c", config)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("valid: ")
