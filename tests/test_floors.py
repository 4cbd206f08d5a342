"""The rules of the house, read from the source: who may import whom, and derivations that end in their own code."""

import ast
import graphlib
import inspect
import io
import re
import tokenize
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import tinygrad_mnist
from tinygrad_mnist import passes

PACKAGE = Path(tinygrad_mnist.__file__).parent
ROOT = PACKAGE.parent


def dotted(path: Path) -> str:
    """Return the name by which a file of the package is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILE_OF = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {module: ast.parse(path.read_text("utf-8")) for module, path in FILE_OF.items()}
PAGES = [import_module(name) for name in TREES if name.startswith(f"{passes.__name__}.")]

BASE = ("errors", "files")
"""What every room may import."""

TRAINING = ("train", "networks", "losses", "optimizers", "metrics", "similarity", "passes", "arrays")

FLOORS: dict[str, tuple[str, ...]] = {
    "arrays": (),
    "passes": ("arrays",),
    "networks": ("passes", "arrays"),
    "losses": ("passes", "arrays"),
    "optimizers": ("passes", "arrays"),
    "metrics": ("passes", "arrays"),
    "similarity": ("arrays",),
    "train": ("networks", "losses", "optimizers", "metrics", "passes", "arrays"),
    "check": ("arrays",),
    "derivations": ("passes",),
    "datasets": (),
    "runs": (*TRAINING, "datasets"),
    "photos": (*TRAINING, "datasets", "runs"),
    "classifier": (*TRAINING, "datasets", "runs", "photos"),
    "proof": (*TRAINING, "check", "derivations", "datasets", "runs", "photos"),
}
"""What each room below the chapter and the app may import, besides itself."""


def imports(module: str) -> set[str]:
    """Return the modules of the package that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import: modules are named in full here"
            # `from package import module` imports that module, `from module import name` imports the module.
            found |= {
                name if name in TREES else node.module for name in (f"{node.module}.{a.name}" for a in node.names)
            }
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name and name.split(".")[0] == "tinygrad_mnist"}


def room(module: str) -> str:
    """Return the room that a module is in: the name after that of the package."""
    return module.partition(".")[2].partition(".")[0]


def of(name: str) -> set[str]:
    """Return the modules in a room."""
    return {module for module in TREES if room(module) == name}


def rooms_imported_by(name: str) -> set[str]:
    """Return the rooms that a room imports, besides itself and the base."""
    return {room(module) for importer in of(name) for module in imports(importer)} - {name, "", *BASE}


@pytest.mark.parametrize(("name", "allowed"), FLOORS.items())
def test_a_room_imports_only_the_rooms_below(name: str, allowed: tuple[str, ...]) -> None:
    assert of(name), f"there is no room {name}"
    assert rooms_imported_by(name) <= set(allowed)


def test_every_room_has_its_place() -> None:
    assert {room(module) for module in TREES} == {"", *BASE, *FLOORS, "chapter", "app", "__main__"}


def test_only_the_app_and_the_chapter_import_the_proof() -> None:
    for name in {room(module) for module in TREES} - {"app", "chapter", "proof"}:
        assert "proof" not in rooms_imported_by(name), name


def test_nothing_imports_a_command_but_the_program_and_no_command_imports_a_command() -> None:
    commands = {module for module in TREES if module.endswith("_command")}
    assert commands
    for module in TREES:
        assert not imports(module) & commands, module
    for name in {room(module) for module in TREES} - {"app", "__main__", ""}:
        assert "app" not in rooms_imported_by(name), name


def test_only_the_app_imports_the_chapter() -> None:
    for name in {room(module) for module in TREES} - {"app", "chapter"}:
        assert "chapter" not in rooms_imported_by(name), name


def test_no_page_imports_a_page_but_the_cross_entropy_which_includes_the_sigmoid() -> None:
    for module in of("passes"):
        allowed = {"tinygrad_mnist.passes.sigmoid"} if module.endswith("cross_entropy") else set()
        assert imports(module) & of("passes") - {"tinygrad_mnist.passes"} <= allowed, module


def test_no_imports_run_in_a_circle() -> None:
    graphlib.TopologicalSorter({module: imports(module) - {module} for module in TREES}).prepare()


def test_no_file_name_occurs_twice() -> None:
    names = Counter(path.name for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []


BUDGETS = {
    "passes": 320,
    "networks": 130,
    "losses optimizers train metrics similarity": 210,
    "arrays": 200,
    "check": 1350,
    "derivations": 480,
    "proof": 293,
    "datasets": 825,
    "photos": 434,
    "runs": 540,
    "chapter": 680,
    "app": 1109,
    " __main__ classifier errors files": 250,
}
"""The most lines of code that rooms may have together. Docstrings and comments are free, so that none is ever cut."""

LINES, FILES = 6750, 113
"""The most lines of code and the most files of the whole package."""

NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of_code(module: str) -> int:
    """Return the number of lines of a module that have a token on them which is no comment and no docstring."""
    prose: set[int] = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    read = io.StringIO(FILE_OF[module].read_text("utf-8")).readline
    tokens = [token for token in tokenize.generate_tokens(read) if token.type not in NO_CODE]
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - prose)


@pytest.mark.parametrize("rooms", BUDGETS)
def test_a_room_stays_within_its_lines_of_code(rooms: str) -> None:
    names = rooms.split(" ")
    assert sum(lines_of_code(module) for module in TREES if room(module) in names) <= BUDGETS[rooms]


def test_every_room_has_a_budget_and_all_together_have_one() -> None:
    assert {room(module) for module in TREES} == {name for rooms in BUDGETS for name in rooms.split(" ")}
    assert sum(map(lines_of_code, TREES)) <= LINES
    assert len(TREES) <= FILES


def test_the_readme_states_the_size_of_the_package() -> None:
    found = re.search(r"fewer than ([\d,]+) lines of code", (ROOT / "README.md").read_text("utf-8"))
    assert found is not None
    assert LINES - 100 <= sum(map(lines_of_code, TREES)) < int(found[1].replace(",", ""))


def test_the_reading_path_stays_short_enough_to_be_read() -> None:
    pages = ("square", "linear", "first_linear", "sigmoid", "mean_loss", "relu", "cross_entropy", "__init__")
    rest = ("networks/dense.py", "losses.py", "optimizers.py", "train.py")
    files = [PACKAGE / name for name in (*(f"passes/{page}.py" for page in pages), *rest)]
    lines = {file.name: len(file.read_text("utf-8").splitlines()) for file in files}
    assert sum(lines.values()) <= 950
    assert lines["train.py"] <= 150


def test_no_module_has_an_xp_of_its_own() -> None:
    for module, tree in TREES.items():
        statements = [one for one in tree.body if not isinstance(one, ast.FunctionDef | ast.ClassDef)]
        for node in (node for statement in statements for node in ast.walk(statement)):
            assert not (isinstance(node, ast.Name) and node.id == "xp"), module
            assert not (isinstance(node, ast.alias) and "xp" in (node.name, node.asname)), module


@pytest.mark.parametrize("name", ["forward", "backward"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_every_page_has_both_functions_each_with_a_worked_example(page: ModuleType, name: str) -> None:
    assert ">>> " in (inspect.getdoc(getattr(page, name)) or "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_a_derivation_ends_in_the_lines_of_its_code(page: ModuleType) -> None:
    derived = last_formula(inspect.getdoc(page.backward) or "")
    _, _, code = inspect.getsource(page.backward).rpartition('"""')
    assert derived
    assert set(derived) <= {line.strip() for line in code.splitlines()}


def last_formula(text: str) -> list[str]:
    """Return the indented lines that follow the words "In arrays" or "In matrices" in a derivation."""
    lines = iter(text.splitlines())
    for line in lines:
        if "In arrays" in line or "In matrices" in line:
            break
    formula: list[str] = []
    for line in lines:
        if line.startswith("    "):
            formula.append(line.strip())
        elif formula:
            break
    return formula
