"""Act two, descent: what a gradient is, and how to follow it downhill, step by step."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.chapter import book_figures
from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.section import Picture, Section, Table, compare, plot
from tinygrad_mnist.passes import linear, square, squared_error

TIME = np.arange(20.0)
"""The seconds at which the speed was measured."""

SPEED = 0.75 * (TIME - 9.5) ** 2 + 1 + 3 * np.array(book_figures.NOISE)
"""The speed measured at each of these seconds."""

Parabola = NDArray[np.float64]
"""(3,): a, b and c of a t^2 + b t + c."""


class State(NamedTuple):
    """A point of the descent: the parabola, its loss, and the derivative of the loss with respect to a, b and c."""

    parabola: Parabola
    loss: float
    gradient: Parabola


def predict(parabola: Parabola) -> NDArray[np.float64]:
    """Return the speed (20,) that the parabola a t^2 + b t + c predicts for each time.

    This is a linear pass with the inputs t^2 and t: x is (20, 2), w holds a and b, and the bias is c.
    """
    z: NDArray[np.float64] = linear.forward(_inputs(), parabola[:2, np.newaxis], parabola[2:])
    return z[:, 0]


def evaluate(parabola: Parabola) -> State:
    """Return the parabola with its loss, which is the mean squared error, and the gradient of the loss.

    The chain starts at the loss, and goes back through the linear pass to a, b and c.
    """
    x, w, b = _inputs(), parabola[:2, np.newaxis], parabola[2:]
    z, speed = linear.forward(x, w, b), SPEED[:, np.newaxis]
    loss = squared_error.forward(z, speed)
    dz = squared_error.backward(z, speed)
    _, dw, db = linear.backward(dz, x, w)
    return State(parabola, float(loss), np.concatenate([dw[:, 0], db]))


def descend(learning_rate: float, steps: int) -> list[State]:
    """Return the states of a descent from the book's first parabola: before the first step, and after each step."""
    states = [evaluate(np.array(book_figures.FIRST_PARAMETERS))]
    for _ in range(steps):
        states.append(evaluate(states[-1].parabola - learning_rate * states[-1].gradient))
    return states


def best_fit() -> State:
    """Return the parabola with the smallest loss, to which the descent would converge if it never stopped."""
    return evaluate(np.polyfit(TIME, SPEED, 2))


def _inputs() -> NDArray[np.float64]:
    return np.stack([TIME**2, TIME], axis=1)


NUDGES = (1.0, 0.1, 0.01, 0.001)
"""The small numbers h by which x is increased."""

RATE, STEPS = 1e-5, 10
"""The book's learning rate and number of steps for the roller coaster."""

COMPARED = (1, 2, 3, 4, STEPS)
"""The steps after which the loss is compared with the book's."""

RATES_ON_SQUARE = {0.01: "slow", 0.3: "converges", 0.9: "overshoots, converges", 1.1: "diverges"}
RATES_ON_ROLLER_COASTER = {1e-7: "slow", RATE: "good", 1e-4: "diverges"}
"""Learning rates, and their effects."""

SHOWN_STEPS = (1, 2, STEPS)
"""The numbers of steps after which the tables of learning rates show results."""


def show_gradient(_: Material) -> Section:
    """Return x^2 at 3 and the sum of x^2 at 3, 4 and 10, with their derivatives, one of which is also measured."""
    x, xs = np.array(3.0), np.array([3.0, 4.0, 10.0])
    derivative, gradient = (square.backward(np.ones_like(at), at) for at in (x, xs))
    values = [float(square.forward(x)), float(derivative), float(np.sum(square.forward(xs)))]
    measured = [(h, float((square.forward(x + h) - square.forward(x)) / h)) for h in NUDGES]
    return Section(
        "How fast does x^2 grow?",
        "How fast does x^2 grow at x = 3? Increase x by a small h and divide the growth of x^2 by h: the smaller h is, "
        "the closer the result comes to 6, the derivative of x^2 at 3. A derivation by hand gives the formula 2x, "
        "which holds for every x and needs no measurement. A function of several numbers has one derivative with "
        "respect to each of them, and together they are its gradient. The gradient tells how fast the function grows "
        "with each number.",
        ("tinygrad_mnist/passes/square.py",),
        tables=(Table("Measured at x = 3:", ("h", "((x + h)^2 - x^2) / h"), ("g", ".3f"), measured),),
        figures=compare(book_figures.SQUARE | book_figures.SQUARE_GRADIENT, [*values, *gradient.tolist()], "g"),
    )


def show_steps(_: Material) -> Section:
    """Return the seven steps with their numbers, and the losses during the book's ten steps."""
    states = descend(RATE, STEPS)
    book = {f"first gradient: d{name}": entry for name, entry in zip("abc", book_figures.FIRST_GRADIENT, strict=True)}
    book["initial loss"] = book_figures.LOSSES[0]
    book |= {f"loss after step {count}": book_figures.LOSSES[count] for count in COMPARED}
    here = [*states[0].gradient.tolist(), *(states[count].loss for count in (0, *COMPARED))]
    return Section(
        "Gradient descent in seven steps",
        "A roller coaster goes over a hill, and its speed is measured once a second: which parabola a t^2 + b t + c "
        "fits these speeds best? Start with any a, b and c, and measure how wrong they are with a single number, the "
        "loss: here, the mean of the squared errors. The gradient (da, db and dc, the derivatives of the loss with "
        "respect to a, b and c) points uphill, so take a small step downhill: subtract the gradient times a small "
        "number, the learning rate. Repeat until the loss hardly falls. All networks here learn in the same seven "
        "steps; only the prediction is computed differently.",
        ("tinygrad_mnist/chapter/act_descent.py", "tinygrad_mnist/train.py"),
        pictures=(_plot_fit(states[-1].parabola),),
        tables=(Table(f"The steps, with a learning rate of {RATE:.5f}:", (), ("d", "", ""), _seven_steps(states)),),
        figures=compare(book, here, ".1f"),
    )


def _seven_steps(states: list[State]) -> list[tuple[int, str, str]]:
    """Return the number, the name, and the results of each of the seven steps."""
    first, second, *_, next_to_last, last = states
    (a, b, c), (da, db, dc) = first.parabola, first.gradient
    predicted = predict(first.parabola)[-1]
    gain = next_to_last.loss - last.loss
    return [
        (1, "initialize", f"a = {a:.4f}, b = {b:.4f}, c = {c:.4f}"),
        (2, "predict", f"at t = {TIME[-1]:.0f}: {predicted:.1f} (measured: {SPEED[-1]:.1f})"),
        (3, "loss", f"{first.loss:.1f}"),
        (4, "gradient", f"da = {da:.1f}, db = {db:.1f}, dc = {dc:.1f}"),
        (5, "step", f"a = {a:.4f} - {RATE:.5f} * ({da:.1f}) = {second.parabola[0]:.4f}; b and c likewise"),
        (6, "repeat", f"the loss is now {second.loss:.1f} and keeps falling"),
        (7, "stop", f"after {len(states) - 1} steps, because the last one lowered the loss by only {gain:.2f}"),
    ]


def _plot_fit(parabola: Parabola) -> Picture:
    """Return a plot with the measured speeds as dots and the parabola as a line."""
    a, b, c = parabola
    t = np.linspace(TIME[0], TIME[-1], 400)
    return plot(f"dots: measured; line: fitted in {STEPS} steps", [(TIME, SPEED), (t, a * t**2 + b * t + c)])


def show_rates(_: Material) -> Section:
    """Return the results of several learning rates on x^2 and for the roller coaster, and three of its parabolas."""
    head = ("rate", *(f"{steps} step{'s' * (steps > 1)}" for steps in SHOWN_STEPS), "")
    on_square = [
        (rate, *(descend_square(3.0, rate, steps) for steps in SHOWN_STEPS), effect)
        for rate, effect in RATES_ON_SQUARE.items()
    ]
    descents = {rate: descend(rate, STEPS) for rate in RATES_ON_ROLLER_COASTER}
    on_roller_coaster = [
        (rate, *(descents[rate][steps].loss for steps in SHOWN_STEPS), effect)
        for rate, effect in RATES_ON_ROLLER_COASTER.items()
    ]
    initial, last = descents[RATE][0], descents[RATE][-1]
    states = {"initial": initial, f"after {STEPS} steps": last, "best fit": best_fit()}
    parabolas = [(name, *state.parabola.tolist(), state.loss) for name, state in states.items()]
    best = f"Parabolas at a learning rate of {RATE:.5f}, and the best fit:"
    losses = f"The roller coaster's loss, starting from {initial.loss:.1f}:"
    return Section(
        "How large should a step be?",
        "The learning rate r sets the size of a step: on x^2, a step takes x to x - r * 2x. If r is too small, "
        "progress is slow; if it is too large, every step lands on the opposite side of the valley, higher than "
        "before. A growing loss is a sign of this, and a good rate is found by trial and error. All parameters share "
        "the rate: the roller coaster's loss is so much steeper in a than in b and c that b and c have hardly moved "
        "after ten steps, and the parabola is still far from the best one.",
        ("tinygrad_mnist/optimizers.py", "tinygrad_mnist/chapter/act_descent.py"),
        tables=(
            Table("On x^2, starting at x = 3; the minimum is at x = 0:", head, ("g", *[".3f"] * 3, ""), on_square),
            Table(losses, head, (".7f", *[".4g"] * 3, ""), on_roller_coaster),
            Table(best, ("", "a", "b", "c", "loss"), ("", ".3f", ".3f", ".3f", ".1f"), parabolas),
        ),
    )


def descend_square(x: float, rate: float, steps: int) -> float:
    """Return x after this number of gradient descent steps on x^2."""
    at = np.array(x)
    for _ in range(steps):
        at = at - rate * square.backward(np.ones_like(at), at)
    return float(at)
