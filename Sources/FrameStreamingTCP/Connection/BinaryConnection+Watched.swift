internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Listened to together with others, by somebody who does not wait.
extension BinaryConnection {
    /// Frames come to a receiver, and are no thing for a thread that must not be kept long.
    var watched: Descriptor? { role == .sender ? try? channel.descriptor() : nil }

    func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds? {
        let hasEnded = try life.readingArrived(into: &messages) { messages throws(FrameStreamingError) in
            var mayRead = true
            while let message = try self.nextArrived(&mayRead) {
                switch try self.meaning(of: message) {
                case .message(let message): messages.append(message)
                case .nothing: continue
                case .end: return true
                }
            }
            return false
        }
        if hasEnded { return nil }
        let wake = try askWhenOverdue()
        let asks = wake < .max ? wake : nil
        let writes = writer.hasWork ? try channel.drive(writer) : nil
        let lookBy = [reader.due?.nanoseconds, asks, writes, try lookAfterSilence()].compactMap { $0 }.min()
        return WatchedNeeds(lookBy: lookBy.map { MonotonicTime(nanoseconds: $0) }, wantsOutput: writes != nil)
    }

    private func nextArrived(_ mayRead: inout Bool) throws(FrameStreamingError) -> WireMessage? {
        do throws(FrameStreamingError) {
            return try reader.nextArrived(&mayRead)
        } catch {
            throw writer.cause(of: error)
        }
    }
}
