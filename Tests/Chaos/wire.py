"""Where in the wire's messages a byte lies (Docs/WireProtocol.md): so that a fault can be put at any kind of byte."""
import struct

KINDS = {
    0x81: "hello", 0x82: "welcome", 0x83: "reject", 0x84: "frame", 0x85: "ack", 0x86: "ping", 0x87: "pong", 0x88: "bye",
    0x89: "bye-ack", 0x8A: "source-lost", 0x8B: "source-restored", 0x8C: "request", 0x8D: "request-answer"}
_PREFIX = struct.Struct(">BBHI")


class Walk:
    """Follows one direction of a connection, message by message and part by part."""

    prefix_length = _PREFIX.size

    def __init__(self, seen):
        # Called before a part's first byte with the message's kind, the part and its length; answers how many of its bytes
        # may pass, or None for all of them.
        self._seen = seen
        self._kind, self._prefix, self._parts = "unknown", b"", []
        self._part, self._left, self._allowed = "", 0, None

    def passing(self, data):
        """How many of these bytes may pass: fewer than there are if a fault's place is among them."""
        place = 0
        while place < len(data):
            if self._left == 0:
                self._begin(data[place])
            count = min(self._left, len(data) - place)
            if self._allowed is not None:
                if self._allowed < count:
                    return place + self._allowed
                self._allowed -= count
            if self._part == "prefix":
                self._read(data[place:place + count])
            place, self._left = place + count, self._left - count
        return place

    def _begin(self, byte):
        if not self._parts:
            # A message's first byte tells its kind, so a fault may be put before it.
            self._kind, self._prefix, self._parts = self.kind(byte), b"", [("prefix", self.prefix_length)]
        self._part, self._left = self._parts.pop(0)
        self._allowed = self._seen(self._kind, self._part, self._left)

    def _read(self, some):
        self._prefix += some
        if len(self._prefix) == self.prefix_length:
            self._parts = [part for part in self.parts(self._prefix) if part[1]]

    def kind(self, byte):
        return KINDS.get(byte, "unknown")

    def parts(self, prefix):
        """What follows a prefix, with the lengths."""
        _, _, header, payload = _PREFIX.unpack(prefix)
        return ("header", header), ("payload", payload)


class Records(Walk):
    """The same of a connection with TLS, whose messages nobody on the way can see: record by record."""

    prefix_length = 5

    def kind(self, byte):
        return "record"

    def parts(self, prefix):
        return (("payload", int.from_bytes(prefix[3:5], "big")),)
