import TestThreads
import Testing

/// The server as its clients see it. The tests run one after another, because each has a server
/// with threads of its own, and other suites run beside them.
@Suite(.ownThread(atOnce: 1)) struct PreviewTests {}
