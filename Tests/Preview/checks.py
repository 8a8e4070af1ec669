"""What holds and what does not, counted."""

import time

from programs import PATIENCE

passed, failed = 0, 0


def check(what, holds, detail=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
    print(f"{'ok' if holds else 'FAILED'}: {what}" + ("" if holds else f": {detail}"), flush=True)


def expect(what, condition, detail=lambda: "", limit=PATIENCE):
    """A check that a condition comes true in time."""
    deadline = time.monotonic() + limit
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.03)
    check(what, holds, f"not within {limit} s; {detail()}")
    return holds
