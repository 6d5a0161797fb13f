"""The rules of the house (CONTRIBUTING.md), each as a test that fails where one is broken and names where.

An exception is an entry in one of the tables below, with its reason; an entry that is no longer needed fails
too. Nothing here knows what the software does.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from server.settings import NAMES

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("server", "activitypub", "models")

MIGRATION = "models/migrations/versions/0001_the_spine_people_scopes_queues.py"
WHOLE_SCHEMA = "the first migration makes every table; it was written once by a tool and is never edited"
LONG_FILES: dict[str, str] = {MIGRATION: WHOLE_SCHEMA}  # path: why it may have more than 400 lines
LONG_FUNCTIONS: dict[str, str] = {  # path:name: why it may have more than 40 lines, its docstring apart
    f"{MIGRATION}:upgrade": WHOLE_SCHEMA,
    f"{MIGRATION}:downgrade": WHOLE_SCHEMA,
}
LATE_IMPORTS: dict[str, str] = {}  # path:module: why it is imported inside a function

# Faces, workers, what starts them, and migrations. Everything else is handed a session.
MAY_BEGIN = (
    "server/web/",
    "server/peers/",
    "server/workers/",
    "server/cli/",
    "server/remote",
    "server/app",
    "models/migrations/",
)

BOVINE_ONLY_IN = "activitypub/adapter.py"
BOVINE_SOUND = (
    "bovine.activitystreams",
    "bovine.crypto.helper",
    "bovine.crypto.http_signature",
    "bovine.crypto.multibase",
    "bovine.crypto.types",
    "bovine.models",
    "bovine.types",
    "bovine.utils",
)
BOVINE_UNSOUND = ("SignatureChecker", "build_validate_http_signature", "content_digest_rfc", "rdfc", "media")

MACHINE_PATHS = r"(?<![\w.])/(home/\w|Users/\w|root/)|\.pyenv\b"
REGISTRIES = r"(?<!\w)[p]ypi\.org|pythonhosted|[n]pmjs\.|/[s]imple/|[i]ndex-url|[f]ind-links"
SHARED_PLACES = ("/", "/home", "/opt", "/root", "/srv", "/tmp", "/usr/src", "/var/tmp")


# What there is to look at


@cache
def tracked() -> list[Path]:
    """The files under version control, whoever owns the checkout."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return [ROOT / name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]


@cache
def sources() -> dict[str, str]:
    """Path and text of every module of ours, tests and benchmarks apart."""
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@cache
def trees() -> dict[str, ast.Module]:
    return {path: ast.parse(text, path) for path, text in sources().items()}


def calls(name: str) -> Iterator[str]:
    """Where a method of this name is called, as path:line."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                yield f"{path}:{node.lineno}"


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def imports(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Modules imported somewhere in `node`, each with the names taken from it."""
    for found in ast.walk(node):
        if isinstance(found, ast.Import):
            yield from ((alias.name, []) for alias in found.names)
        elif isinstance(found, ast.ImportFrom):
            yield found.module or ".", [alias.name for alias in found.names]


def lines_matching(pattern: str) -> list[str]:
    """Lines of tracked text files in which `pattern` is found, as path:line."""
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path == Path(__file__).resolve():
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    return found


# Transactions


def test_nobody_commits_because_leaving_the_transaction_does() -> None:
    assert list(calls("commit")) == []


def test_only_faces_and_workers_begin_a_transaction() -> None:
    assert [place for place in calls("begin") if not place.startswith(MAY_BEGIN)] == []


# Size and imports


def test_no_file_has_more_than_400_lines() -> None:
    long = {path for path, text in sources().items() if text.count("\n") > 400}
    assert long == set(LONG_FILES)


def test_no_function_has_more_than_40_lines() -> None:
    long = set()
    for path, function in functions():
        first = function.body[1:2] if ast.get_docstring(function) else function.body[:1]
        body = (function.end_lineno or 0) - first[0].lineno + 1 if first else 0
        if body > 40:
            long.add(f"{path}:{function.name}")
    assert long == set(LONG_FUNCTIONS)


def test_no_function_imports_anything() -> None:
    late = {f"{path}:{module}" for path, function in functions() for module, _ in imports(function)}
    assert late == set(LATE_IMPORTS)


def test_what_is_loaded_later_is_imported_for_the_type_checker_in_the_same_file() -> None:
    for path, tree in trees().items():
        if "activitypub.later" not in {module for module, _ in imports(tree)}:
            continue
        waiting = {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "later"
            if isinstance(node.args[0], ast.Constant)
        }
        assert waiting, f"{path} takes `later` and does not use it"
        seen = {name for block in for_the_type_checker(tree) for name in whole_names(block)}
        assert waiting <= seen, f"{path}: {waiting - seen}"


def for_the_type_checker(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from node.body


def whole_names(node: ast.AST) -> Iterator[str]:
    """Modules, and what is taken from them, by their whole names."""
    for module, names in imports(node):
        yield module
        yield from (f"{module}.{name}" for name in names)


def test_one_module_imports_bovine_and_only_what_is_sound_in_it() -> None:
    for path, tree in trees().items():
        for module, names in imports(tree):
            if module.split(".")[0] != "bovine":
                continue
            assert path == BOVINE_ONLY_IN, (
                f"{path} imports {module}; {BOVINE_ONLY_IN} is the only place for it"
            )
            for name in names or [""]:
                whole = f"{module}.{name}".rstrip(".")
                assert whole.startswith(BOVINE_SOUND), (
                    f"{whole} is not on the list of what bovine does soundly"
                )
                assert not any(word in whole for word in BOVINE_UNSOUND), f"{whole} is unsound"


def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_test_folder_is_a_package_lest_it_shadows_one_of_ours() -> None:
    folders = {parent for path in (ROOT / "tests").rglob("*.py") for parent in path.relative_to(ROOT).parents}
    bare = [
        str(folder) for folder in folders if folder.parts and not (ROOT / folder / "__init__.py").exists()
    ]
    assert bare == []


# What is documented, packaged and locked


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    pages = [ROOT / "README.md", ROOT / "docs" / "operating.md"]
    documented = "".join(page.read_text(encoding="utf-8") for page in pages if page.exists())
    assert settings_in(documented) == set(NAMES) | settings_in(*sources().values())


def settings_in(*texts: str) -> set[str]:
    return {name for text in texts for name in re.findall(r"\bJURA_[A-Z]+(?:_[A-Z]+)*\b", text)}


def test_every_package_is_installed() -> None:
    packages = {Path(path).parent.as_posix().replace("/", ".") for path in sources() if "__init__" in path}
    assert packages == set(project()["tool"]["setuptools"]["packages"])


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    wanted = project()["project"]["dependencies"] + project()["project"]["optional-dependencies"]["dev"]
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name), "")
        assert version in requirement.specifier, (
            f"{requirement} is not what requirements.lock holds: run make lock"
        )


def test_the_lock_of_the_browser_tests_holds_what_pyproject_asks_for() -> None:
    lock = (ROOT / "tests" / "browser" / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
    for requirement in map(Requirement, project()["project"]["optional-dependencies"]["browser"]):
        assert locked.get(canonicalize_name(requirement.name), "") in requirement.specifier


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# What never belongs in a repository


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRIES], ids=["machine paths", "package registries"])
def test_nothing_tracked_tells_of_somebodys_machine_or_registry(pattern: str) -> None:
    assert lines_matching(pattern) == []


def test_nothing_tracked_tells_where_this_checkout_lies() -> None:
    place = ROOT.parent.as_posix()
    if place not in SHARED_PLACES:  # there, documentation may rightly say such a path
        assert lines_matching(rf"(?<![\w.-]){re.escape(place)}/") == []
