"""What comes true in time and what does not."""

import time

from programs import PATIENCE
from tally import check


def expect(what, condition, detail=lambda: "", limit=PATIENCE):
    """A check that a condition comes true in time."""
    deadline = time.monotonic() + limit
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.03)
    check(what, holds, f"not within {limit} s; {detail()}")
    return holds
