internal import FoundationEssentials
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A stream as `/api/streams` and the page present it.
private struct StreamDescription: Encodable {
    let name: String
    let state: StreamEntry.State
    let now: MonotonicTime

    enum Key: String, CodingKey {
        case name, state, reason, width, height, quality, fps, frames, dropped, window, peer, viewers, history
        case pixelFormat = "pixel_format"
        case latency = "latency_ms"
        case clockError = "clock_error_ms"
        case byteRate = "bytes_per_second"
        case skippedBySender = "skipped_by_sender"
    }

    // Every key is always present, with null for an unknown value, because that is easier to rely
    // on.
    func encode(to encoder: any Encoder) throws {
        let rate = state.figures.rate(at: now.nanoseconds)
        let format = state.newest?.frame.format
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(name, forKey: .name)
        try object.encode(state.status.rawValue, forKey: .state)
        try object.encode(state.reason, forKey: .reason)
        try object.encode(format?.width, forKey: .width)
        try object.encode(format?.height, forKey: .height)
        try object.encode(format?.pixelFormat.fourcc, forKey: .pixelFormat)
        try object.encode(state.newest?.frame.quality, forKey: .quality)
        try object.encode(rate.frames.thousandths, forKey: .fps)
        try object.encode(state.figures.delay(at: now.nanoseconds), forKey: .latency)
        try object.encode(state.clockError?.thousandths, forKey: .clockError)
        try object.encode(rate.bytes.rounded(), forKey: .byteRate)
        try object.encode(state.figures.frames, forKey: .frames)
        try object.encode(state.skippedBySender, forKey: .skippedBySender)
        try object.encode(state.dropped, forKey: .dropped)
        try object.encode(state.window, forKey: .window)
        try object.encode(state.peer, forKey: .peer)
        try object.encode(state.viewers, forKey: .viewers)
        let history = state.figures.history(at: now.nanoseconds).map { point in
            [point.secondsAgo.thousandths, point.delay?.p50.thousandths, point.delay?.p99.thousandths]
        }
        try object.encode(history, forKey: .history)
    }
}

extension StreamFigures.Delay: Encodable {
    enum Key: String, CodingKey { case p50, p99 }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(p50.thousandths, forKey: .p50)
        try object.encode(p99.thousandths, forKey: .p99)
    }
}

extension Double {
    /// Rounded to three places, which suffice for milliseconds.
    fileprivate var thousandths: Double { (self * 1000).rounded() / 1000 }
}

/// What the page shows while there is no stream.
private struct Invitation: Encodable {
    let command: String
    /// What `{host}` in the command means on other machines; nil = no other machine reaches this
    /// one.
    let host: String?
}

private struct Listing: Encodable {
    /// The type of a WebSocket message; `/api/streams` has none.
    let type: String?
    /// Nil while there are streams.
    let invitation: Invitation?
    let streams: [StreamDescription]
    let time: Double
    /// The number of streams that had no place.
    let refused: Int

    enum CodingKeys: String, CodingKey {
        case type, streams, invitation
        case refused = "streams_refused"
        case time = "time_ms"
    }
}

extension StreamRegistry {
    /// Returns the listing as JSON, with the message's type for the WebSocket.
    func listing(type: String? = nil) -> Data {
        let now = MonotonicTime.now
        // Copies, so that encoding holds no stream's lock.
        let streams = entries.map { entry in
            StreamDescription(name: entry.name, state: entry.state.withLock { $0 }, now: now)
        }
        let command = streams.isEmpty ? invitation.withLock { $0 } : nil
        let invitation = command.map { Invitation(command: $0, host: reachableAddresses(hasIPv6: false).first) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON has no NaN and no infinity, and the listing has neither.
        let listing = Listing(
            type: type, invitation: invitation, streams: streams, time: Double(now.nanoseconds) / 1e6,
            refused: refused)
        return (try? encoder.encode(listing)) ?? Data()
    }
}
