internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The streams as `/api/streams` and the page have them.
extension StreamTile {
    fileprivate func write(to json: inout JSONWriter, at now: MonotonicTime) {
        // A copy, so that the stream does not wait for words.
        let state = state.withLock { $0 }
        let rate = state.figures.rate(at: now.nanoseconds)
        json.object { json in
            json.member("name", name)
            json.member("state", state.status.rawValue)
            json.member("reason", state.reason)
            json.member("width", state.newest?.frame.format.width)
            json.member("height", state.newest?.frame.format.height)
            json.member("pixel_format", state.newest?.frame.format.pixelFormat.fourcc)
            json.member("quality", state.newest?.frame.quality)
            json.member("fps", rate.frames)
            json.key("latency_ms")
            json.value(state.figures.delay(at: now.nanoseconds))
            json.member("clock_error_ms", state.clockError)
            json.member("bytes_per_second", rate.bytes.rounded())
            json.member("frames", state.figures.frames)
            json.member("skipped_by_sender", state.skippedBySender)
            json.key("dropped")
            json.object { json in
                for (reason, count) in state.dropped.sorted(by: { $0.key < $1.key }) { json.member(reason, count) }
            }
            json.member("window", state.window)
            json.member("peer", state.peer)
            json.member("viewers", state.viewers)
            json.key("history")
            json.array { json in
                for point in state.figures.history(at: now.nanoseconds) {
                    json.array { json in
                        json.value(point.secondsAgo)
                        json.value(point.delay?.p50)
                        json.value(point.delay?.p99)
                    }
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func value(_ delay: StreamFigures.Delay?) {
        guard let delay else { return value(nil as Double?) }
        object { json in
            json.member("p50", delay.p50)
            json.member("p99", delay.p99)
        }
    }
}

extension StreamRegistry {
    /// The listing; for the WebSocket with the type of the message.
    func listing(type: String? = nil) -> String {
        let now = MonotonicTime.now
        var json = JSONWriter()
        json.object { json in
            if let type { json.member("type", type) }
            json.key("streams")
            json.array { json in for tile in tiles { tile.write(to: &json, at: now) } }
            json.member("time_ms", Double(now.nanoseconds) / 1e6)
        }
        return json.text
    }
}
