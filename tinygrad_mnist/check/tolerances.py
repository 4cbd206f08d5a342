"""How near is near enough: all tolerances of the checker, each with its reason. They are relative unless it says so."""

EPSILON = 2.0**-52
"""The distance between numbers near 1 in float64, to which rounding errors are proportional."""

ESTIMATED = 8
"""How many times its error a measured slope may be off, because the error itself is an estimate."""

ROUNDED = 16
"""How many times its noise a loss may be off, because the noise is measured at few points."""

MEASURED = 1e-9
"""The error of a difference at which no smaller steps are taken: a hundredth of what an entry may be off."""

ROUGH_STEP = 2.0**-13
"""The step of the difference that a complex step is first compared with, whose error is about its square."""

NEAR_STEP = 2.0**-12
"""How much smaller steps are in the second of two measurements, so that no kink nearby is taken for a slope."""

NOISE_STEPS = (3e-7, 1e-5)
"""The distances in which noise is measured: far more than rounding, and so near that a parabola fits all else."""

ENTRY = 1e-7
"""The error of an entry, relative to that entry: a hundred times that of differences, and less than any bug's."""

HIDDEN = 1e-12
"""The same relative to the largest entry, below which rounding may hide an entry."""

UNCLEAR = 1e-3
"""If a measurement may be off by more than this share of the largest entry, it decides nothing."""

UNDECIDED = 0.1
"""The share of entries that may stay undecided: at more of them, the sample says too little."""

ELSEWHERE = 1e-5
"""The error of a slope at other points than the given one, relative to its terms, of which many may cancel."""

NEAR = 1e-6
"""The difference of two computations of the same gradient, relative to the largest entry: sums may be reordered."""

STEADY = 0.1
"""How much a real error may vary if the arguments are shaken, where one from rounding errors varies by all of it."""

SHAKEN = 1e-9
"""How much arguments are shaken to draw new rounding errors: a wrong slope stays as wrong."""

SHAKEN_STRAIGHT = 1e-3
"""The same near the start of a line, where functions are nearly straight, and smaller changes may not round anew."""

KINK = 1e-4
"""If the slopes at a kink may be off by more than this, they decide nothing. Slopes next to it vary as much."""

BESIDE_KINK = 1e-6
"""How far from a kink the backward's own slopes next to it are taken, relative to the argument."""

BESIDE_SPECIAL = 4e-6
"""How far a number is from a special one that is next to it: farther than `BESIDE_KINK`, nearer than any sample."""

NEARLY_EQUAL = 1e-5
"""How far arguments are apart that are nearly equal, as predictions may be to targets."""

FLOAT32, FLOAT16 = 2e-3, 0.1
"""How near gradients in these types must be to float64, besides what rounded arguments explain: many roundings."""

EXPLAINED = 64
"""How many times what one rounding of the arguments changes is explained by many roundings inside."""

NARROW_FLOOR = 1e-3
"""In a narrow type, all gradients may be off by this share of the largest one, whose rounding they may share."""

LINE = 1e-8
"""The difference of an integral and a change: both are exact to 1e-12 where a function is smooth."""

LINE_ROUNDED = 64
"""How many times its noise a loss may be off on a line, which goes where it was not measured."""

STRAIGHT = 1e-4
"""The distance from 0, relative to the size of an argument, up to which functions are nearly straight lines."""

EXPLAINABLE = 1e-2
"""If rounding may explain more than this share of a difference on a line, it says nothing about the backward."""

ALIKE = 1e-5
"""How near numbers must be to count as the same in words, like "2 times": a wrong entry is off by more."""
