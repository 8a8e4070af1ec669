import TestThreads
import Testing

/// The server as its clients have it. One test after another: each has a server with threads of its own, and other tests run beside them.
@Suite(.ownThread(atOnce: 1)) struct PreviewTests {}
