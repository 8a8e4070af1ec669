"""A proxy between two programs that breaks their connection at a chosen byte, in a chosen way."""
import select
import socket
import struct
import threading

from wire import Walk

# How much is taken from one side before the other has taken it: little, so that the programs notice each other's pace.
_BUFFER = 256 * 1024
# How a connection is broken. fin: both sides see its end. rst: both see a reset. half-open: the side that wrote sees nothing, the
# other a reset. silence: neither sees anything, and what they write disappears. stall: nothing is read any more either.
WAYS = ("fin", "rst", "half-open", "silence", "stall")


class Cut:
    """Where and how one connection is broken: in the count-th message of a kind that passes, before a byte of one of its parts."""

    def __init__(self, way, kind, part="prefix", fraction=0.0, count=1):
        self.way, self.kind, self.part, self.fraction, self.count = way, kind, part, fraction, count
        # Set once the connection is broken there.
        self.done = threading.Event()

    def __str__(self):
        return f"{self.way} in {self.kind} {self.count}, {self.part} at {self.fraction:.2f}"


class _Side:
    """What is read from one socket and not yet written to the other."""

    def __init__(self, source, target, walk):
        self.source, self.target, self.walk = source, target, walk
        self.waiting, self.ended, self.shut, self.fault = bytearray(), False, False, None


class _Link:
    """One connection through the proxy."""

    def __init__(self, client, server, seen, walk):
        self.client, self.server = client, server
        self.sides = [
            _Side(client, server, walk(self._noting(0, seen))), _Side(server, client, walk(self._noting(1, seen)))]
        # None, or the way in which it was broken.
        self.broken = None

    def _noting(self, index, seen):
        def noted(kind, part, length):
            cut = seen(kind, part)
            if cut is None:
                return None
            self.sides[index].fault = cut
            return min(length - 1, int(cut.fraction * length))
        return noted


def _reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Proxy(threading.Thread):
    """Listens on a port of loopback and passes everything on to another port, until a cut's place comes."""

    def __init__(self, port, *cuts, host="127.0.0.1", slices=None, walk=Walk):
        super().__init__(daemon=True)
        # Called for how many bytes are written at once; None: as many as there are.
        self._slices = slices
        self._walk = walk
        self._target, self._cuts = (host, port), list(cuts)
        # Parts since the last cut was armed for them, and messages in all.
        self._seen, self._all = {}, {}
        self._links, self._listener = [], socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.setblocking(False)
        self._waker, self._woken = socket.socketpair()
        self._held, self._closed, self._orders, self._lock = False, False, [], threading.Lock()
        self.port, self.connections = self._listener.getsockname()[1], 0
        self.start()

    # From other threads.

    def hold(self, held):
        """Nothing is accepted, read or written while it is held."""
        self._order(lambda: setattr(self, "_held", held))

    def add(self, cut):
        """Arms one more cut; its count begins here."""
        self._order(lambda: (self._seen.pop((cut.kind, cut.part), None), self._cuts.append(cut)))

    def passed(self, kind):
        """How many messages of a kind have begun to pass, on all connections."""
        return self._all.get(kind, 0)

    def break_all(self, way):
        """Breaks every connection where it is, and waits until that is done."""
        done = threading.Event()
        self._order(lambda: ([self._break(link, way, 0) for link in self._links if not link.broken], done.set()))
        if not done.wait(30):
            raise TimeoutError("waited 30 s for the proxy to break its connections")

    def close(self):
        self._order(lambda: setattr(self, "_closed", True))
        self.join(30)

    def _order(self, order):
        with self._lock:
            self._orders.append(order)
        self._waker.send(b"!")

    # In the proxy's own thread.

    def _part_seen(self, kind, part):
        """The cut that this part of a message is meant by, if any; counts it."""
        if part == "prefix":
            self._all[kind] = self._all.get(kind, 0) + 1
        count = self._seen[kind, part] = self._seen.get((kind, part), 0) + 1
        for cut in self._cuts:
            if (cut.kind, cut.part, cut.count) == (kind, part, count):
                self._cuts.remove(cut)
                return cut
        return None

    def run(self):
        while not self._closed:
            reading, writing = {self._woken: None}, {}
            if not self._held:
                reading[self._listener] = None
                for link in self._links:
                    for side in link.sides:
                        if link.broken == "stall":
                            continue
                        if not side.ended and len(side.waiting) < _BUFFER and side.source.fileno() >= 0:
                            reading[side.source] = (link, side)
                        if side.waiting and not link.broken and side.target.fileno() >= 0:
                            writing[side.target] = (link, side)
            readable, writable, _ = select.select(reading, writing, [])
            if self._woken in readable:
                self._woken.recv(4096)
                with self._lock:
                    orders, self._orders = self._orders, []
                for order in orders:
                    order()
                continue
            for ready in readable:
                self._accept() if ready is self._listener else self._read(*reading[ready])
            for ready in writable:
                self._write(*writing[ready])
            self._links = [link for link in self._links if link.client.fileno() >= 0 or link.server.fileno() >= 0]
        for link in self._links:
            link.client.close()
            link.server.close()
        self._listener.close()

    def _accept(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(self._target, timeout=5)
        except OSError:
            _reset(client)
            return
        for connection in (client, server):
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        self._links.append(_Link(client, server, self._part_seen, self._walk))

    def _read(self, link, side):
        if side.source.fileno() < 0:
            return
        try:
            data = side.source.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self._break(link, "rst", 0)
            return
        if not data:
            side.ended = True
            if link.broken:
                side.source.close()
        elif not link.broken and side.fault is None:
            side.waiting += data[:side.walk.passing(data)]
        self._settle(link, side)

    def _write(self, link, side):
        if side.target.fileno() < 0 or not side.waiting:
            return
        try:
            some = side.waiting if self._slices is None else side.waiting[:self._slices()]
            del side.waiting[:side.target.send(some)]
        except BlockingIOError:
            return
        except OSError:
            self._break(link, "rst", 0)
            return
        self._settle(link, side)

    def _settle(self, link, side):
        """Does what has to wait until everything before it was written: a fault, or the end of one direction."""
        if side.waiting or link.broken:
            return
        if side.fault is not None:
            self._break(link, side.fault.way, link.sides.index(side))
            side.fault.done.set()
        elif side.ended and not side.shut:
            side.shut = True
            try:
                side.target.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            if all(other.shut for other in link.sides):
                link.client.close()
                link.server.close()

    def _break(self, link, way, index):
        """Breaks a connection; index is the side that wrote the bytes of the fault's place."""
        link.broken = way
        for side in link.sides:
            side.waiting.clear()
        writer, reader = link.sides[index].source, link.sides[index].target
        if way == "rst":
            _reset(writer)
            _reset(reader)
        elif way == "half-open":
            _reset(reader)
        elif way == "fin":
            for connection in (writer, reader):
                try:
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
