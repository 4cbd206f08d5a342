"""chapter: the walk as people and programs see it, on MNIST, on strokes, and on data sets of users."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures import Events, Refused, Run
from tinygrad_mnist.chapter import SECTIONS
from tinygrad_mnist.datasets import idx, mnist

FROM_MNIST = {"tensors", "stack", "ideals", "similarity", "linear", "hidden"}
"""The sections whose figures come from MNIST."""


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the terminal 60 columns wide."""
    monkeypatch.setenv("COLUMNS", "60")


def folder_of(images: Any, labels: list[int]) -> Path:
    """Return a new folder with a data set of these images, the same for training and test."""
    folder = Path("own")
    folder.mkdir()
    for files in (mnist.TRAINING, mnist.TEST):
        idx.write(folder / files[0], np.array(images, np.uint8))
        idx.write(folder / files[1], np.array(labels, np.uint8))
    return folder


def test_the_walk_has_all_sections_in_order_and_an_aligned_table_of_all_figures(run: Run, narrow: None) -> None:
    output = run("chapter", "--data", "strokes").stdout
    assert max(map(len, output.splitlines())) <= 60
    places = [output.index(f"{number} of 13: {name}") for number, name in enumerate(SECTIONS, start=1)]
    assert places == sorted(places)
    head, *rows, _ = output[output.index("All the figures") :].split("\n\n")[1].splitlines()
    assert len(rows) == 37
    assert {len(row.rstrip("=* ")) for row in rows} == {len(head)}


def test_figures_from_strokes_are_not_compared_with_the_books(run: Run) -> None:
    output = run("chapter", "--data", "strokes", "--section", "similarity").stdout
    assert "digits    digits drawn by this program" in output
    assert "* not comparable: the book used MNIST, this run did not" in output


def test_without_a_connection_the_walk_uses_strokes_and_says_why(run: Run) -> None:
    result = run("chapter", "--section", "stack")
    assert result.exit_code == 0
    assert "strokes" in result.stdout
    assert "cannot be downloaded" in result.stderr


def test_every_section_is_an_event_and_the_result_has_all_figures(events: Events) -> None:
    *sections, result = events("chapter", "--data", "strokes", "--seed", 3)
    assert [(section["event"], section["name"]) for section in sections] == [("section", name) for name in SECTIONS]
    figures = [{"section": section["name"], **figure} for section in sections for figure in section["figures"]]
    assert (result["seed"], result["figures"]) == (3, figures)
    assert result["same"] == sum(figure["comparable"] for figure in figures)
    for figure in figures:
        assert figure["same"] is figure["comparable"] is (figure["section"] not in FROM_MNIST)
    by_name = {figure["name"]: figure for figure in figures}
    assert by_name["loss of all three"]["book"] == 0.4333
    assert by_name["loss of all three"]["here"] == pytest.approx(1.3 / 3)
    for section in sections:
        assert (section["data"] is None) is (section["name"] in ("gradient", "steps", "rates", "sigmoid", "loss"))


@pytest.mark.parametrize("name", ["stack", "loss"])
def test_a_single_section_can_be_shown(run: Run, events: Events, name: str) -> None:
    output = run("chapter", "--data", "strokes", "--section", name).stdout
    assert f": {name}\n" in output.splitlines(keepends=True)[0]
    assert output.count(" of 13: ") == 1
    assert "All the figures" not in output
    section, result = events("chapter", "--data", "strokes", "--section", name)
    assert section["name"] == name
    assert {figure["section"] for figure in result["figures"]} == {name}


def test_help_names_every_section(run: Run) -> None:
    words = run("chapter", "--help").stdout.replace(",", " ").replace(".", " ").split()
    assert set(SECTIONS) <= set(words)


@pytest.mark.parametrize("name", ["backprop", "Gradient", ""])
def test_an_unknown_section_is_bad_usage_and_the_error_names_the_known_ones(refused: Refused, name: str) -> None:
    error = refused(2, "chapter", "--section", name)
    assert all(section in error for section in SECTIONS)


@pytest.mark.parametrize("seed", [-1, "x", 2**63])
def test_an_invalid_seed_is_bad_usage(refused: Refused, seed: object) -> None:
    assert "--seed" in refused(2, "chapter", "--seed", seed)


def test_a_folder_is_opened_only_if_a_section_uses_digits(run: Run, refused: Refused) -> None:
    assert "nowhere is not a folder" in refused(1, "chapter", "--data", "nowhere")
    assert run("chapter", "--data", "nowhere", "--section", "gradient").exit_code == 0


def test_the_same_seed_repeats_the_walk_and_a_different_one_trains_differently(events: Events) -> None:
    walks = [events("chapter", "--data", "strokes", "--seed", seed) for seed in (1, 1, 2)]
    assert walks[0] == walks[1]
    one, two = ({f["name"]: f["here"] for f in walk[-1]["figures"]} for walk in walks[1:])
    trained = {name for name in one if "accuracy, epoch" in name or "loss, epoch" in name}
    different = {name for name in one if one[name] != two[name]}
    assert {"test loss, epoch 40"} <= different <= trained


@pytest.mark.parametrize("side", [1, 9, 40])
def test_the_walk_works_with_four_images_of_any_size(run: Run, side: int) -> None:
    images = np.random.default_rng(side).integers(1, 256, (4, side, side))
    result = run("chapter", "--data", folder_of(images, [3, 7, 3, 7]))
    assert result.exit_code == 0, result.output
    assert "which is not the official MNIST" in " ".join(result.stdout.split())


def test_black_images_are_refused_in_one_sentence(run: Run) -> None:
    result = run("chapter", "--data", folder_of(np.zeros((4, 28, 28)), [3, 7, 3, 7]), "--section", "accuracy")
    assert result.exit_code == 1
    assert result.stderr == "Error: the images are all black: choose a different data set.\n"


def test_a_data_set_without_sevens_is_refused(refused: Refused) -> None:
    assert "no image of digit 7" in refused(1, "chapter", "--data", folder_of(np.ones((2, 28, 28)), [3, 3]))
