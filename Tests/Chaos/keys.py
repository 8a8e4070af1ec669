"""Cuts of encrypted connections: at any byte of any TLS record, in the handshakes and after them."""
import accounts
from breaks import arrived
from live import stream
from programs import until
from proxy import Cut
from wire import Records

COUNT = 150
# Of both directions: TLS's handshake is in the first records of a connection.
HANDSHAKE, LATER = (1, 6), (10, 200)


def _cut(trial, way, among):
    return trial.chose(Cut(way, "record", trial.random.choice(("prefix", "payload")), trial.random.random(), trial.random.randint(*among)))


def file(trial, way, among):
    """A file over an encrypted connection that is cut: every picture is there once."""
    cut = _cut(trial, way, among)
    key = ("--key-file", trial.key())
    receiver = trial.receiver(*key)
    port = receiver.port()
    before = accounts.Holding(receiver)
    proxy = trial.proxy(port, cut, walk=Records)
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 75, "--to", f"127.0.0.1:{proxy.port}", *key)
    accounts.status(trial, sender, 0)
    trial.check("the fault happened", cut.done.is_set())
    before.came_back(trial, "receiver")
    accounts.file_is_whole(trial, sender, receiver, COUNT)


def live(trial):
    """A live stream over an encrypted connection that is cut again and again."""
    key = ("--key-file", trial.key())
    receiver = trial.receiver(*key)
    proxy = trial.proxy(receiver.port(), walk=Records)
    source, sender = stream(trial, "--to", f"127.0.0.1:{proxy.port}", *key)
    arrived(receiver, 50)
    holding = accounts.Holding(receiver), accounts.Holding(sender)
    for _ in range(6):
        connected = len(sender.all("connected"))
        cut = _cut(trial, trial.random.choice(("fin", "rst")), LATER)
        proxy.add(cut)
        until(f"the fault {cut}", cut.done.is_set)
        sender.saw("connected", count=connected + 1)
        arrived(receiver, 30)
    for one, who in zip(holding, ("receiver", "sender")):
        one.came_back(trial, who)
    source.stop()
    accounts.live_ascends(trial, sender, receiver)
