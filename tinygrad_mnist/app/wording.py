"""Numbers as people read them."""

from collections.abc import Sequence

ALMOST_ONE = 0.9999
"""The largest probability that is not shown as 100 % in two decimal places."""


def percent(share: float) -> str:
    """Return a share from 0 to 1 as a percentage.

    >>> percent(0.985)
    '98.50 %'
    """
    return f"{share:.2%}".replace("%", " %")


def probability(p: float) -> str:
    """Return a probability as a percentage that is never rounded up to 100 %.

    >>> probability(0.5), probability(0.99999)
    ('50.00 %', '>99.99 %')
    """
    return percent(p) if p < ALMOST_ONE else f">{percent(ALMOST_ONE)}"


def layers(sizes: Sequence[int]) -> str:
    """Return the sizes of a network's layers in the usual form.

    >>> layers((784, 30, 1))
    '784-30-1'
    """
    return "-".join(map(str, sizes))


def alternatives(digits: Sequence[int]) -> str:
    """Return digits as a list. More than five are not separated by commas, so that all ten fit a narrow line.

    >>> alternatives((3, 7)), alternatives((1, 4, 5))
    ('3 or 7', '1, 4 or 5')
    """
    *others, last = map(str, digits)
    return f"{(' ' if len(others) > 4 else ', ').join(others)} or {last}"
