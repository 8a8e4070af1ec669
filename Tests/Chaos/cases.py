"""All cases by their names: what each does, and about how long it takes, so that the longest begin first."""
import breaks
import cuts
import disks
import ends
import keys
import kills
import limits
import storms

CASES = {}
# Those that only the long form runs.
LONG_ONLY = set()


def _case(name, seconds, does, *arguments, long_only=False):
    CASES[name] = (seconds, lambda trial: does(trial, *arguments), does.__doc__)
    if long_only:
        LONG_ONLY.add(name)


for _way in ("fin", "rst", "half-open", "silence", "stall"):
    _slow = 3 if _way in ("fin", "rst") else 25
    for _place in cuts.PLACES:
        _case(f"cut-{_way}-{_place}", _slow, cuts.file, _way, _place, long_only=_way == "stall" and not _place.startswith("frame-image"))
        _case(f"listen-{_way}-{_place}", _slow, cuts.listening, _way, _place,
              long_only=_way not in ("fin", "rst") or _place.split("-")[0] in ("ping", "pong"))
    for _place in cuts.GOODBYES:
        _case(f"goodbye-{_way}-{_place}", _slow, cuts.goodbye, _way, _place, long_only=_way == "stall")
    _case(f"live-{_way}", 10 if _slow == 3 else 45, breaks.live_cuts, _way)
for _way in ("rst", "half-open", "silence", "stall"):
    _case(f"one-place-{_way}", 25, cuts.one_place, _way)
for _way in ("fin", "rst"):
    _case(f"text-{_way}", 8, cuts.text, _way)
for _seconds in (1, 10, 60):
    _case(f"silent-{_seconds}", _seconds + 7, breaks.silent, _seconds)
_case("crumbs", 8, breaks.crumbs)
for _who in ("receiver", "sender"):
    for _seconds in (2, 20):
        _case(f"frozen-{_who}-{_seconds}", _seconds + 8, breaks.frozen, _who, _seconds)
for _policy in ("latest", "reliable"):
    _case(f"frozen-one-of-two-{_policy}", 8, breaks.frozen_of_two, _policy)
for _seconds in (3, 25):
    _case(f"cable-{_seconds}", _seconds + 10, breaks.cable, _seconds)
for _form in ("file", "directory"):
    _case(f"disk-full-{_form}", 2, disks.full, _form)
_case("disk-full-of-one", 2, disks.full_beside)
_case("disk-full-device", 2, disks.device)
_case("recording-reader-leaves", 2, disks.reader)
for _change in ("remove", "rename", "replace", "cut"):
    _case(f"recording-{_change}", 5, disks.target, _change)
_case("recording-remove-directory", 5, disks.folder)
_case("kill-receiver", 6, kills.receiver)
_case("kill-receiver-thrice", 10, kills.receiver, 3)
_case("stop-receiver", 6, kills.receiver_stopped)
_case("kill-one-of-two", 6, kills.one_of_two)
_case("kill-one-of-two-live", 6, kills.one_of_two_live)
_case("kill-sender", 6, kills.sender)
_case("kill-sender-once", 6, kills.sender_once)
_case("kill-one-of-two-listening", 12, kills.listening_receivers)
_case("descriptors-of-receiver", 8, limits.descriptors)
_case("descriptors-of-sender", 6, limits.sender_descriptors)
_case("descriptors-64", 2, limits.few_descriptors)
_case("threads-of-receiver", 8, limits.threads)
_case("memory-of-receiver", 6, limits.memory)
_case("memory-limit", 5, limits.memory_bound)
_case("strays", 6, limits.strays)
for _way in ("fin", "rst", "silence"):
    for _last in ends.LAST:
        _case(f"last-bytes-{_way}-{_last}", 10 if _way != "silence" else 25, ends.last_bytes, _way, _last)
for _program in ("frame-send", "frame-receive"):
    _case(f"early-signal-{_program}", 8, ends.early_signal, _program)
for _sync in (True, False):
    _case(f"power-cut{'-sync' if _sync else ''}", 9, ends.power_cut, _sync)
for _receivers in (1, 2):
    _case(f"storm-file-{_receivers}", 20, storms.file, _receivers)
_case("storm-live", 15, storms.live)
for _who in ("sender", "receiver"):
    for _fault in ("silent", "frozen", "gone"):
        _case(f"stop-{_who}-while-{_fault}", 5, storms.stopped, _who, _fault)
_case("power-cut-sync-directory", 9, ends.power_cut, True, "out/")
for _way in ("fin", "rst", "half-open", "silence"):
    _slow = 4 if _way in ("fin", "rst") else 25
    _case(f"key-{_way}-handshake", _slow, keys.file, _way, keys.HANDSHAKE)
    _case(f"key-{_way}", _slow, keys.file, _way, keys.LATER)
_case("key-live", 12, keys.live)


def chosen(names, long):
    """Those with these names, or whose names begin with them; without names all of a form. The longest first."""
    found = [name for name in CASES if any(name == wanted or name.startswith(wanted + "-") for wanted in names)] if names else [
        name for name in CASES if long or name not in LONG_ONLY]
    return sorted(found, key=lambda name: -CASES[name][0])
