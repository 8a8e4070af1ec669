internal import FrameStreamingCore

// One read of a message's bytes, whatever the handshake: bounded by the caller's deadline and the message's own, and writing
// meanwhile what the outbox has left.

extension InputBuffer {
    /// Reads what there is, waiting for the first byte.
    ///
    /// - Throws: `endedWithoutGoodbye` at the end of the peer's bytes; `timedOut`; `limitExceeded` for a message that takes too long.
    mutating func fill(
        from channel: Channel, until limit: Deadline, message deadline: MessageDeadline, driving outbox: Outbox
    ) throws(FrameStreamingError) {
        let until = deadline.bounding(limit)
        let count: Int
        do throws(FrameStreamingError) {
            count = try fill { bytes throws(FrameStreamingError) in
                try channel.read(into: &bytes, until: until, driving: outbox)
            }
        } catch {
            throw deadline.meaning(of: error, address: channel.address)
        }
        guard count > 0 else { throw .ended(channel.address) }
    }
}

extension InputBuffer {
    /// Reads what has come, without waiting; false = nothing has.
    ///
    /// - Throws: `endedWithoutGoodbye` at the end of the peer's bytes.
    mutating func fillArrived(from channel: Channel) throws(FrameStreamingError) -> Bool {
        let count = try fillIfAny { bytes throws(FrameStreamingError) in try channel.readArrived(into: &bytes) }
        if count == 0 { throw .ended(channel.address) }
        return count != nil
    }
}

extension IncomingImage {
    /// Takes what `input` has of the image, and reads the rest straight into its buffer; what came is kept where it throws.
    ///
    /// - Throws: As ``InputBuffer/fill(from:until:message:driving:)``.
    mutating func complete(
        with input: inout InputBuffer, from channel: Channel, until limit: Deadline, message deadline: MessageDeadline,
        driving outbox: Outbox
    ) throws(FrameStreamingError) {
        let until = deadline.bounding(limit)
        while !isComplete {
            if !input.isEmpty {
                take(from: &input)
                continue
            }
            let count: Int
            do throws(FrameStreamingError) {
                count = try read(from: channel, until: until, driving: outbox)
            } catch {
                throw deadline.meaning(of: error, address: channel.address)
            }
            guard count > 0 else { throw .ended(channel.address) }
        }
    }
}
