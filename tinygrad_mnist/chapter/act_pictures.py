"""Act one, pictures: images as tensors, and a baseline that compares pixels and learns nothing."""

import numpy as np

from tinygrad_mnist import similarity
from tinygrad_mnist.arrays.backend import Array
from tinygrad_mnist.chapter import book_figures
from tinygrad_mnist.chapter.material import DIGITS, Material, flat_images
from tinygrad_mnist.chapter.section import Picture, Section, Table, compare
from tinygrad_mnist.chapter.tensor import stack, tensor
from tinygrad_mnist.datasets.digits import MAX_PIXEL

ACCEPTED = (3, [1.5, 2.5], [[1, 2], [3, 4]])
"""Data that `tensor` accepts."""

REFUSED = ([[1, 2], [3]], [1, 2.5], [1, "two"])
"""Data that `tensor` refuses."""


def show_tensors(material: Material) -> Section:
    """Return examples of ranks, types and refused data, and the numbers in one part of the book's 3."""
    three = material.three
    patch = three[4:10, 4:10]
    equal = int(np.count_nonzero(patch == np.array(book_figures.PATCH))) if patch.shape == (6, 6) else 0
    arrays = {**{f"{data}": tensor(data) for data in ACCEPTED}, "the image": tensor(three)}
    rows = [(name, array.ndim, str(array.shape), str(array.dtype)) for name, array in arrays.items()]
    tables = (
        Table("Its rows and columns 4 to 9, counting from 0:", (), ("d",) * patch.shape[1], patch.tolist()),
        Table("Tensors:", ("data", "rank", "shape", "type"), ("", "d", "", ""), rows),
        Table("Refused by tensor():", (), ("", ""), [(f"{data}", refusal(data)) for data in REFUSED]),
    )
    return Section(
        "Images are tables of numbers",
        "An image is a table of numbers, one per pixel, from 0 (black) to 255 (white). A single number, a list of "
        "numbers, a table and a stack of tables are all tensors, and the rank of a tensor is its number of axes. All "
        "numbers in a tensor have the same type and all its rows have the same length, so that a processor can handle "
        "millions of them quickly. The function tensor() refuses data that breaks one of these rules, and says "
        "which.",
        ("tinygrad_mnist/chapter/tensor.py",),
        material.data.origin,
        pictures=(Picture("a 3 from the training set", three),),
        tables=tables if patch.size else tables[1:],
        figures=compare({"equal pixels, of 36": 36}, [equal], "d", material.is_mnist),
    )


def refusal(data: object) -> str:
    """Return the error message with which `tensor` refuses this data."""
    try:
        tensor(data)
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{data} was accepted")


def show_stack(material: Material) -> Section:
    """Return the shapes on the way from many images to one distance for each, and the number of images."""
    sets = {"training": material.data.training, "test": material.data.test}
    names = [(name, digit) for name in sets for digit in DIGITS]
    stacks = {f"{name} {digit}s": stack(list(sets[name].only([digit]).images)) for name, digit in names}
    threes = stacks["test 3s"] / MAX_PIXEL
    ideal = np.mean(stacks["training 3s"] / MAX_PIXEL, axis=0)
    differences = np.abs(threes - ideal)
    distances = np.mean(differences, axis=(-2, -1))
    first = distances[:4].tolist()
    arrays = {
        "test 3s": threes,
        "mean of the training 3s": ideal,
        "differences, by broadcasting": differences,
        "mean over the last two axes": distances,
    }
    shapes = [(name, array.ndim, str(array.shape)) for name, array in arrays.items()]
    counts = [len(stacks[name]) for name in book_figures.COUNTS]
    return Section(
        "Many images at once",
        "Images of the same size form a tensor of rank 3, with one axis for the images, one for their rows and one for "
        "their columns. Subtracting a single image from this tensor subtracts it from every image, without a loop: "
        "this is called broadcasting. The mean over the last two axes, rows and columns, then leaves one number per "
        "image. Nearly all neural-network code is written this way, for many examples at once.",
        ("tinygrad_mnist/chapter/tensor.py", "tinygrad_mnist/similarity.py"),
        material.data.origin,
        tables=(
            Table("How far is each test 3 from the mean 3?", ("", "rank", "shape"), ("", "d", ""), shapes),
            Table("The first of these distances:", (), (".4f",) * len(first), [first]),
        ),
        figures=compare(book_figures.COUNTS, counts, ",d", material.is_mnist),
    )


def show_ideals(material: Material) -> Section:
    """Return pictures of both ideals, and the distances of the book's 3 from them."""
    three = material.three
    row = three.reshape(1, -1)
    ideals = [similarity.ideal(flat_images(material.data.training.only([digit]))) for digit in DIGITS]
    l1 = [float(similarity.l1(row, ideal)[0]) for ideal in ideals]
    root_mean_square = [float(np.sqrt(similarity.squared(row, ideal)[0])) for ideal in ideals]
    images = (np.round(ideal * MAX_PIXEL).astype(np.uint8).reshape(three.shape) for ideal in ideals)
    return Section(
        "The ideal 3 and the ideal 7",
        "The mean of all training 3s, pixel by pixel, is the ideal 3: bright where most of them are bright, and dim "
        "where only some are. To measure how far an image is from it, with pixels from 0 to 1, take the difference in "
        "each pixel and average. The L1 distance is the mean of the absolute differences. The RMS distance (root mean "
        "square) is the square root of the mean of their squares, which gives more weight to large differences. Is the "
        "3 of the first section closer to the ideal 3 than to the ideal 7?",
        ("tinygrad_mnist/similarity.py",),
        material.data.origin,
        pictures=tuple(Picture(f"the ideal {digit}", image) for digit, image in zip(DIGITS, images, strict=True)),
        figures=compare(book_figures.DISTANCES, [*l1, *root_mean_square], comparable=material.is_mnist),
    )


def show_similarity(material: Material) -> Section:
    """Return the accuracy of pixel similarity on the test digits, by L1 and by squared distance."""
    training, test = material.data.training, material.data.test
    ideals = [similarity.ideal(flat_images(training.only([digit]))) for digit in DIGITS]
    images = [flat_images(test.only([digit])) for digit in DIGITS]

    def accuracies(distance: Array) -> list[float]:
        nearest = [similarity.nearest([distance(some, ideal) for ideal in ideals]) for some in images]
        per_digit = [float(np.mean(positions == position)) for position, positions in enumerate(nearest)]
        return [*per_digit, sum(per_digit) / len(per_digit)]

    l1, squared = accuracies(similarity.l1), accuracies(similarity.squared)
    head = ("", "L1 distance", "squared distance")
    rows = list(zip(("3s", "7s", "mean of both"), l1, squared, strict=True))
    return Section(
        "A baseline that learns nothing",
        "Predict the digit whose ideal is closer to the image. This is a complete classifier, measured here on test "
        "digits, which were not used to compute the ideals. It is the baseline that any learned model has to beat. It "
        "cannot improve, because it has no parameters: no numbers that could be changed a little to make fewer "
        "mistakes. The rest of the walk is about such parameters and how to change them.",
        ("tinygrad_mnist/similarity.py", "tinygrad_mnist/app/baseline_command.py"),
        material.data.origin,
        tables=(Table("Accuracy on the test digits:", head, ("", ".4f", ".4f"), rows),),
        figures=compare(book_figures.SIMILARITY, l1, comparable=material.is_mnist),
    )
