internal import Glibc

/// Says that the program ends, and how it ends at once.
///
/// - Parameter signal: SIGINT, which the user may repeat by hand, or SIGTERM.
package func announceStop(by signal: CInt) {
    // What a second signal leaves behind must be whole lines.
    endProgress()
    if signal == SIGINT { printNote("stopping; once more to quit now") }
    printEvent(StoppingEvent(signal: signal == SIGINT ? "SIGINT" : "SIGTERM"))
}
