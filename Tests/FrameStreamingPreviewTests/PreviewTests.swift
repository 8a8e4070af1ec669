import TestThreads
import Testing

/// The server as its clients see it. Few of the tests run at once, because each has a server with
/// threads of its own, and other suites run beside them.
@Suite(.ownThread(atOnce: 3)) struct PreviewTests {}
