"""If only a chain is wrong, the passes that it calls are checked at its values, so that the right page is named."""

import pytest

from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.proof.cases import all_cases
from tinygrad_mnist.proof.planted import PLANTED_BUGS, planted
from tinygrad_mnist.proof.replay import replayed, replays

CASES = all_cases()


def blamed(bug: str, *chains: str) -> list[str]:
    """Return the names of the passes that are wrong in chains with a bug, if nothing else is checked."""
    backend = choose_backend("numpy")
    with planted(PLANTED_BUGS[bug]):
        reports = {name: CASES[name].report(backend) for name in chains}
        assert any(report.verdict == "wrong" for report in reports.values())
        return list(replayed({name: CASES[name] for name in chains}, reports, backend))


@pytest.mark.parametrize(
    ("bug", "chain", "passes"),
    [
        ("relu-ignored", "two hidden", ["relu 2 in two hidden", "relu 1 in two hidden"]),
        ("wrong-sign", "hidden", ["linear 1 in hidden"]),
        ("unscaled", "one row", ["first_linear 1 in one row"]),
        ("missing-sigmoid", "one row", ["cross_entropy 1 in one row"]),
        ("last-patch", "convolutional", ["patches 2 in convolutional"]),
        ("wrong-mask", "equal widths", []),
    ],
)
def test_the_pass_that_is_wrong_at_a_chains_values_is_named_and_none_if_the_chain_is(
    bug: str, chain: str, passes: list[str]
) -> None:
    assert blamed(bug, chain) == passes


def test_a_chain_is_not_replayed_if_a_page_is_wrong_by_itself() -> None:
    assert blamed("wrong-sign", "linear", "hidden") == []


def test_each_call_of_a_right_chain_is_replayed_with_its_upstream_gradient() -> None:
    listed = list(replays(CASES["two hidden"]))  # type: ignore[arg-type]
    names = [case.name.removesuffix(" in two hidden") for case in listed]
    assert names == ["linear 2", "linear 1", "first_linear 1", "relu 2", "relu 1", "cross_entropy 1"]
    assert ["upstream" in case.options for case in listed] == [True] * 5 + [False]
    assert {case.report(choose_backend("numpy")).verdict for case in listed} == {"right"}
