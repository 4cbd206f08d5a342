"""Functions with right and with wrong backwards, none of which are ours, for `verify` to tell apart.

RIGHT and WRONG are what a gradient checker is measured by: it must accept the first and reject the second. An entry
says how its function is called and, if the backward is wrong, what is wrong with it, in a sentence.
"""

from tests.check.corpus import (
    right_elementwise,
    right_interfaces,
    right_kinks,
    right_losses,
    right_models,
    right_numerics,
    right_products,
    right_reductions,
    right_scales,
    wrong_contracts,
    wrong_details,
    wrong_factors,
    wrong_interfaces,
    wrong_kinks,
    wrong_others,
    wrong_regions,
    wrong_shapes,
    wrong_terms,
)
from tests.check.corpus.entry import Entry, named

RIGHT_MODULES = (
    right_elementwise,
    right_kinks,
    right_reductions,
    right_products,
    right_losses,
    right_scales,
    right_interfaces,
    right_models,
    right_numerics,
)
WRONG_MODULES = (
    wrong_regions,
    wrong_factors,
    wrong_terms,
    wrong_kinks,
    wrong_shapes,
    wrong_contracts,
    wrong_interfaces,
    wrong_details,
    wrong_others,
)

RIGHT = named(entry for module in RIGHT_MODULES for entry in module.ENTRIES)
WRONG = named(entry for module in WRONG_MODULES for entry in module.ENTRIES)

__all__ = ["RIGHT", "WRONG", "Entry"]
