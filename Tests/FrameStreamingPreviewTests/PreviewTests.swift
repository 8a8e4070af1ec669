import Testing

/// The server as its clients have it. One test after another: each has a server with threads of its own, and other tests run beside them.
@Suite(.serialized, .ownThread) struct PreviewTests {}
