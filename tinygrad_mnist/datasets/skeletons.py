"""The paths that a pen takes when people write the digits: the data that strokes.py draws from.

A stroke is a string of points "x,y" that the pen passes through, in hundredths of the digit's height. 0,0 is the top
left, x points to the right and y points down. Two points make a straight line, more points make a smooth curve, and a
curve that ends at its first point is a ring. At a corner, one stroke ends and the next begins. The numbers were chosen
by eye, to look like the training digits of MNIST. Its test digits were not used.
"""

from typing import NamedTuple


class Skeleton(NamedTuple):
    """One way to write a digit. The weight says how often it is used, relative to the digit's other skeletons."""

    weight: int
    strokes: tuple[str, ...]


ZEROS = (
    # an upright oval
    Skeleton(4, ("36,0 12,16 0,52 11,86 34,100 58,84 68,48 57,14 36,0",)),
    # an oval leaning to the right
    Skeleton(3, ("50,0 20,20 2,60 6,92 24,100 50,82 68,42 65,10 50,0",)),
    # starts and ends on the right, where its ends overlap
    Skeleton(3, ("50,12 30,0 8,20 0,55 12,92 36,98 58,70 60,30 42,5 26,6",)),
    # as wide as tall
    Skeleton(2, ("45,0 12,16 0,50 14,86 45,100 78,84 90,50 78,14 45,0",)),
)

ONES = (
    # a plain line
    Skeleton(10, ("30,0 30,100",)),
    # a line leaning to the right
    Skeleton(8, ("60,0 20,100",)),
    # with a flag
    Skeleton(1, ("12,22 30,0", "30,0 30,100")),
    # with a flag and a foot
    Skeleton(1, ("10,20 30,0", "30,0 30,100", "2,100 58,100")),
)

TWOS = (
    # a sharp corner at the foot
    Skeleton(4, ("5,20 22,2 50,5 58,26 42,55 20,80 0,98", "0,98 72,95")),
    # a loop at the foot
    Skeleton(5, ("12,20 30,0 56,8 56,36 36,72 14,98 0,92 8,74 28,76 50,92 84,88",)),
    # a flat loop and a tail that runs down
    Skeleton(2, ("14,12 36,0 58,12 52,42 30,72 8,86 0,76 16,68 44,82 70,100",)),
    # no corner and no loop, like a swan
    Skeleton(2, ("5,16 26,0 50,12 48,38 28,68 6,92", "6,92 24,86 44,97 70,94")),
)

THREES = (
    # two round bowls that meet in a corner
    Skeleton(5, ("3,14 20,1 48,5 53,22 42,40 18,48", "18,48 46,52 60,72 46,95 20,100 0,90")),
    # a small loop at the waist
    Skeleton(3, ("5,12 26,0 52,10 46,30 27,46 13,50 20,43 42,48 59,70 43,95 18,100 0,88",)),
    # a shallow waist
    Skeleton(2, ("5,8 30,0 50,12 46,34 34,46 50,60 56,78 40,97 6,98",)),
    # a flat top
    Skeleton(1, ("5,3 55,2", "55,2 22,40", "22,40 50,46 61,70 46,93 22,100 0,90")),
    # a lower bowl that does not curl back
    Skeleton(3, ("0,12 22,0 50,4 52,20 36,40 14,50", "14,50 40,50 55,64 50,86 30,100")),
)

FOURS = (
    # open, with corners
    Skeleton(4, ("12,2 4,30 2,52", "2,52 56,46", "60,0 54,46 46,100")),
    # open, with a round bottom
    Skeleton(4, ("8,5 0,32 12,48 38,44 54,20", "62,0 54,35 44,100")),
    # closed at the top
    Skeleton(2, ("48,0 20,32 0,56", "0,56 68,54", "48,0 46,100")),
)

FIVES = (
    # a bar, a neck and a bowl
    Skeleton(4, ("64,0 16,4", "16,4 8,42", "8,42 32,38 56,54 55,78 32,98 0,93")),
    # one stroke, like an S
    Skeleton(3, ("70,2 42,4 20,16 14,38 36,52 48,72 34,95 10,100 0,88",)),
    # a long bar that rises far to the right, over a low bowl
    Skeleton(4, ("100,0 36,12", "36,12 26,48", "26,48 50,54 56,76 34,97 0,94")),
    # a bowl that almost closes
    Skeleton(2, ("56,0 14,5", "14,5 8,46", "8,46 36,38 58,60 46,92 20,100 0,80")),
)

SIXES = (
    # a curved back
    Skeleton(5, ("50,0 20,26 2,62 8,92 32,100 56,84 54,62 34,57 10,78",)),
    # a straight back and a small bowl
    Skeleton(3, ("34,0 12,40 2,74 14,98 38,96 50,80 40,66 20,72 10,88",)),
    # a wide bowl that ends across its own start
    Skeleton(2, ("42,0 14,32 0,70 16,97 46,96 68,74 60,56 36,62 20,86",)),
)

SEVENS = (
    # two straight lines
    Skeleton(4, ("0,7 64,2", "64,2 28,100")),
    # a curved stem
    Skeleton(4, ("0,8 30,6 62,2", "62,2 46,40 36,70 33,100")),
    # a round shoulder
    Skeleton(3, ("0,14 22,3 47,2 57,16 48,48 36,75 26,100",)),
    # an arc, like a closing bracket
    Skeleton(1, ("0,10 30,0 56,14 62,42 50,75 26,100",)),
    # a serif
    Skeleton(2, ("2,24 4,5", "4,5 62,3", "62,3 44,45 34,100")),
    # a serif so long that the digit has two legs
    Skeleton(1, ("0,40 12,6", "12,6 30,10 64,0", "64,0 52,45 42,100")),
    # a cross-bar
    Skeleton(2, ("0,6 60,2", "60,2 40,45 28,100", "10,53 66,49")),
)

EIGHTS = (
    # one stroke, crossing itself
    Skeleton(4, ("54,12 30,0 10,16 22,40 38,58 42,84 22,100 4,86 14,64 36,42 56,18 52,8",)),
    # one stroke that leans to the right, its upper ring open
    Skeleton(4, ("62,10 36,0 16,16 26,42 36,64 30,94 10,100 2,84 20,62 50,38 70,12",)),
    # one ring on top of the other
    Skeleton(2, ("30,50 8,36 10,10 30,0 50,10 52,36 30,50", "30,50 10,66 10,90 28,100 46,90 48,66 30,50")),
)

NINES = (
    # a ring and a straight stem
    Skeleton(4, ("54,14 36,0 10,12 0,36 12,50 34,46 50,30 56,10", "56,10 50,50 44,100")),
    # a ring that continues into a leaning stem
    Skeleton(5, ("60,16 46,1 18,8 2,32 8,48 28,48 48,30 60,10 52,40 40,70 26,100",)),
    # a curled tail
    Skeleton(1, ("54,14 32,0 6,16 8,42 30,48 52,24", "52,24 54,60 42,92 20,100 4,90")),
)

SKELETONS = (ZEROS, ONES, TWOS, THREES, FOURS, FIVES, SIXES, SEVENS, EIGHTS, NINES)
"""The ways to write each digit: SKELETONS[3] has those for 3."""
