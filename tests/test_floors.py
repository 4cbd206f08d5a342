"""The rules of the house, read from the source: who may import whom, and derivations that end in their own code."""

import ast
import graphlib
import inspect
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


TREES = {dotted(path): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
PAGES = [import_module(name) for name in TREES if name.startswith(f"{passes.__name__}.")]

BASE = ("errors", "files", "wording")
"""What every room may import."""

FLOORS = {
    "arrays": (),
    "passes": ("arrays",),
    "networks": ("passes", "arrays"),
    "losses": ("passes", "arrays"),
    "optimizers": ("passes", "arrays"),
    "metrics": ("passes", "arrays"),
    "similarity": ("arrays",),
    "train": ("networks", "losses", "optimizers", "metrics", "passes", "arrays"),
    "datasets": (),
    "proof": ("train", "networks", "losses", "optimizers", "metrics", "passes", "arrays", "datasets"),
    "runs": ("train", "networks", "losses", "optimizers", "metrics", "similarity", "passes", "arrays", "datasets"),
    "classifier": ("runs", "train", "metrics", "arrays", "datasets"),
}
"""What each room below the chapter, the console and the commands may import, besides itself."""


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
    assert {room(module) for module in TREES} == {"", *BASE, *FLOORS, "chapter", "console", "commands", "__main__"}


def test_only_commands_and_the_chapter_import_the_proof() -> None:
    # The front door imports `verify` only when somebody uses it.
    for name in {room(module) for module in TREES} - {"commands", "chapter", "proof", ""}:
        assert "proof" not in rooms_imported_by(name), name


def test_only_commands_import_commands_and_no_command_imports_a_command() -> None:
    for name in {room(module) for module in TREES} - {"commands", "__main__"}:
        assert "commands" not in rooms_imported_by(name), name
    shared = {"tinygrad_mnist.commands.options"}
    for module in of("commands"):
        assert imports(module) & of("commands") <= shared, module


def test_only_commands_and_the_console_import_the_chapter() -> None:
    for name in {room(module) for module in TREES} - {"commands", "console", "chapter"}:
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


def test_the_reading_path_and_the_command_line_stay_within_their_lines() -> None:
    def lines(*paths: str) -> int:
        files = [file for path in paths for file in sorted(PACKAGE.glob(path))]
        assert files
        return sum(len(file.read_text("utf-8").splitlines()) for file in files)

    reading = ("square", "linear", "first_linear", "sigmoid", "mean_loss", "relu", "cross_entropy", "__init__")
    core = ("networks/dense.py", "losses.py", "optimizers.py", "train.py")
    assert lines(*(f"passes/{name}.py" for name in reading), *core) <= 950
    assert lines("train.py") <= 150
    assert lines("commands/*.py", "console/*.py") <= 2000


@pytest.mark.parametrize("module", TREES)
def test_no_module_has_an_xp_of_its_own(module: str) -> None:
    for statement in TREES[module].body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        for node in ast.walk(statement):
            assert not (isinstance(node, ast.Name) and node.id == "xp")
            assert not (isinstance(node, ast.alias) and "xp" in (node.name, node.asname))


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
