"""What holds and what does not, counted: for the checks of Tests that are written in Python."""

passed, failed = 0, 0
# Whether what holds is printed, too.
says_all = False


def check(what, holds, detail=""):
    global passed, failed
    if holds:
        passed += 1
        if says_all:
            print(f"ok: {what}", flush=True)
    else:
        failed += 1
        print(f"FAILED: {what} {detail}", flush=True)


def conclude(lead="", trail=""):
    """Prints how many held, and returns the program's status. Where nothing was checked, nothing was shown."""
    print(f"{lead}{passed} passed, {failed} failed{trail}", flush=True)
    return 1 if failed or not passed else 0
