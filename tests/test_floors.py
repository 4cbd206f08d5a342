"""The house's rules, read from the source: who may import whom, and pages whose derivation ends in their own code."""

import ast
import graphlib
import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import tinygrad_mnist
from tinygrad_mnist import passes
from tinygrad_mnist.passes import mean_loss

PACKAGE = Path(tinygrad_mnist.__file__).parent


def dotted(path: Path) -> str:
    """Return the name by which a file of the package is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {dotted(path): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
PAGES = [import_module(name) for name in TREES if name.startswith(f"{passes.__name__}.")]


def imports(module: str) -> set[str]:
    """Return which of the package's own modules a module imports, wherever in it."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively: the house names modules in full"
            # `from package import module` imports that module, `from module import name` imports the module.
            found |= {
                name if name in TREES else node.module for name in (f"{node.module}.{a.name}" for a in node.names)
            }
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name and name.split(".")[0] == "tinygrad_mnist"}


def of(package: str) -> set[str]:
    """Return the module and all that lie under it."""
    full = f"tinygrad_mnist.{package}"
    return {name for name in TREES if name == full or name.startswith(f"{full}.")}


def test_passes_import_only_the_backend_and_what_is_read_before_them() -> None:
    for module in of("passes"):
        earlier = {"tinygrad_mnist.passes.sigmoid"} if module.endswith(("cross_entropy", "mean_loss")) else set()
        assert imports(module) - {"tinygrad_mnist.passes"} <= {"tinygrad_mnist.backend"} | earlier, module


def test_the_network_imports_only_passes_and_the_backend() -> None:
    assert imports("tinygrad_mnist.network") <= of("passes") | of("backend")


@pytest.mark.parametrize("above", ["datasets", "commands"])
def test_training_knows_nothing_of(above: str) -> None:
    assert not imports("tinygrad_mnist.train") & of(above)


def test_only_commands_import_commands() -> None:
    for module in TREES.keys() - of("commands"):
        assert not imports(module) & of("commands"), module


def test_only_commands_import_the_chapter_which_is_a_walk_through_all_the_rest() -> None:
    for module in TREES.keys() - of("commands") - of("chapter"):
        assert not imports(module) & of("chapter"), module


def test_no_imports_run_in_a_circle() -> None:
    graphlib.TopologicalSorter({module: imports(module) - {module} for module in TREES}).prepare()


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


@pytest.mark.parametrize(
    "derivation",
    [*(page.backward for page in PAGES), mean_loss.of_logits],
    ids=lambda derivation: derivation.__module__,
)
def test_a_derivation_ends_in_the_codes_own_lines(derivation: Callable[..., object]) -> None:
    derived = last_formula(inspect.getdoc(derivation) or "")
    source = inspect.getsource(derivation)
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    code = {ast.get_source_segment(source, statement) for statement in function.body[1:]}
    assert derived
    assert set(derived) <= code


def last_formula(text: str) -> list[str]:
    """Return the indented lines that follow the words "In arrays" or "In matrices" in a derivation."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(("In arrays", "In matrices")):
            break
    formula: list[str] = []
    for line in lines:
        if line.startswith("    "):
            formula.append(line.strip())
        elif formula:
            break
    return formula
