/// How long a receiver waits for its sender to take something. A cancel ends each of these waits.
package struct ReceiverPatience: Hashable, Sendable {
    /// For an acknowledgement or a request to be taken, and for the answer to a goodbye.
    package var ordinary = Duration.seconds(2)
    /// The same after ``FrameReceiver/stop(_:)``: a program that was stopped is to end within a
    /// second, whatever the sender does.
    package var afterStop = Duration.milliseconds(700)

    package init() {}

    /// The limit for a side that says this goodbye; nil = it has not said one.
    func limit(_ goodbye: Goodbye?) -> Duration { goodbye?.code == .stopped ? afterStop : ordinary }
}
