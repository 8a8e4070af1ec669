@testable import FrameStreamingCore

/// A source, the flow control, an encoder, a link and a receiver in scripted time, and the checks that hold for every frame.
struct SimulatedStream {
    var policy: DeliveryPolicy
    var window: SendWindow
    var link: SimulatedLink
    /// Pictures a second, each up to `jitter` of the interval late.
    var rate: Double
    var jitter = 0.1
    /// Bytes of a frame, give or take `spread` of it.
    var bytes = 100_000
    var spread = 0.0
    /// Nanoseconds in the codec.
    var encodeTime: Int64 = 0
    /// Pictures that are encoded at once.
    var encoders = 1
    /// One in so many pictures cannot be encoded; 0 = all can.
    var failing: UInt64 = 0
    /// Frames that the receiver takes beyond the last consumed.
    var creditAhead: UInt64 = 16
    /// Adapts the size; `bytes` is that of the best quality at full scale.
    var quality: AdaptiveQuality?
    /// Whether the transport measures the round trip, as ``TCPTransport`` does: eight questions at first and one a second, before a frame.
    var measuresRoundTrip = false
    var seed: UInt64 = 1

    /// What happened.
    struct Outcome {
        var counts = SenderStatistics()
        var consumed = 0
        /// Pictures that could not be encoded.
        var failed = 0
        /// The first few things that must not be.
        var violations: [String] = []
        /// For each frame, oldest first: when the consumer began with it, and its age then.
        var arrivals: [(time: Int64, age: Int64)] = []
        /// When the window changed, and to what.
        var windows: [(time: Int64, frames: Int)] = []
        /// When the quality settings changed, and to what.
        var settings: [(time: Int64, settings: QualityControl.Settings)] = []
        var bytesDelivered = 0
    }

    private struct Picture {
        var number: Int
        var captured: Int64
    }

    private struct Encoding {
        var picture: Picture
        var takenAt: Int64
        var done: Int64
        var isDone = false
        /// What the frames under way cost, and all that were ever sent, when it was taken.
        var costAhead: Int64
        var costSent: Int64
        var bytes = 0
    }

    private struct Flight {
        var sequence: UInt64
        var passage: SimulatedLink.Passage
        var cost: Int64
        var bytes: Int
        var sent: Int64
    }

    /// Runs for so long, then waits for what is under way, or, with `cutOff`, does not.
    mutating func run(seconds: Double, cutOff: Bool = false) throws -> Outcome {
        var outcome = Outcome()
        var random = SplitMix(state: seed &* 7919)
        var flow = try FlowControl(policy: policy, window: window, encoders: encoders, quality: quality)
        let interval = Int64(1e9 / rate)
        let lateness = UInt64(max(1, Double(interval) * jitter))
        let longestInterval = interval + Int64(lateness)
        let end = Int64(seconds * 1e9)

        var now: Int64 = 0
        var ideal: Int64 = 0
        var nextPicture: Int64 = 0
        var offeredNumber = 0
        var lastKept = 0
        var slot: [Picture] = []
        var encodings: [Encoding] = []
        var flights: [Flight] = []
        var first = 0
        var cost: Int64 = 0
        var costSent: Int64 = 0
        var lastNumberSent = 0
        var heldUp: Picture?
        var isOver = false
        var mostLeftOut = 1
        var clock = ClockFilter()
        var questions = 0
        var questionDue: Int64 = 0
        var answers: [(asked: Int64, arrived: Int64, answered: Int64)] = []

        func fail(_ text: @autoclosure () -> String) {
            if outcome.violations.count < 5 {
                outcome.violations.append("\(Double(now) / 1e6) ms: \(text())")
            }
        }

        func carryOut(_ event: FlowControl.Event) throws {
            let decision = try flow.handle(event, at: MonotonicTime(nanoseconds: now))
            if decision.leavesOut { slot.removeLast() }
            if let last = slot.last { lastKept = last.number }
            if let quality = flow.quality { mostLeftOut = max(mostLeftOut, quality.settings.keepOneIn) }
            if decision.drops > 0 {
                slot.removeFirst(decision.drops)
                if policy == .reliable { fail("reliable dropped a picture") }
            }
            for _ in 0..<decision.takes {
                encodings.append(
                    Encoding(
                        picture: slot.removeFirst(), takenAt: now, done: now + encodeTime, costAhead: cost,
                        costSent: costSent))
            }
            if encodings.count > encoders {
                fail("\(encodings.count) pictures taken for \(encoders) encoders")
            }
            // One more than there is room for, where the acknowledgement that makes room is about to come.
            if decision.takes > 0, policy != .reliable, flow.underWay + encodings.count > flow.window + 1 {
                fail(
                    "\(encodings.count) pictures taken with \(flow.underWay) under way, window \(flow.window)"
                )
            }
            if outcome.windows.last?.frames != flow.window { outcome.windows.append((now, flow.window)) }
        }

        func send() throws {
            let encoding = encodings.removeFirst()
            let picture = encoding.picture
            if failing > 0, random.next() % failing == 0 {
                outcome.failed += 1
                try carryOut(.failed)
                return
            }
            let sequence = flow.nextSequence
            let skipped = flow.nextSkipped
            if picture.number - lastNumberSent - 1 != Int(skipped) {
                fail("picture \(picture.number) after \(lastNumberSent) says \(skipped) skipped")
            }
            lastNumberSent = picture.number
            let bytes = encoding.bytes
            if measuresRoundTrip, now >= questionDue {
                questions += 1
                questionDue = now + (questions < 8 ? 100_000_000 : 1_000_000_000)
                let (arrived, answered) = link.ask(at: now)
                answers.append((now, arrived, answered))
            }
            let passage = link.send(bytes: bytes, at: now)
            let own = passage.service + link.consumer + passage.stalled + link.noise
            flights.append(
                Flight(sequence: sequence, passage: passage, cost: own, bytes: bytes, sent: now))
            let costAhead = encoding.costAhead + costSent - encoding.costSent
            cost += own
            costSent += own
            try carryOut(.sent(bytes: bytes))
            if flow.sentThrough != sequence { fail("sent \(sequence), counted \(flow.sentThrough)") }
            if flow.sentThrough > flow.creditThrough { fail("beyond the receiver's credit") }
            // No queue but the window: what was under way when the picture was taken, and itself.
            var bound = encodeTime + costAhead + own + link.longestRoundTrip / 2 + link.noise
            // Taken a little before the acknowledgement that made room, it waited for that.
            if now > encoding.done { bound += link.longestRoundTrip + 2 * link.noise }
            switch policy {
            case .latest:
                // The last one of all is not replaced.
                bound =
                    isOver && picture.number == lastKept
                    ? .max : bound + longestInterval * Int64(mostLeftOut)
            case .reliable: bound = .max
            default: bound += Self.deadline
            }
            let age = passage.consumed - picture.captured
            if age > bound {
                fail(
                    "frame \(sequence) is \(age) ns old, at most \(bound) were expected"
                )
            }
            outcome.arrivals.append((passage.consumed - link.consumer, age - link.consumer))
            outcome.bytesDelivered += bytes
        }

        let credit = creditAhead
        try carryOut(.connected(creditThrough: credit))
        while true {
            if let next = encodings.first, next.isDone, flow.maySend {
                // The window may have shrunk since, but never is a frame sent into a full one.
                if flow.underWay >= flow.window {
                    fail("\(flow.underWay) under way, window \(flow.window)")
                }
                try send()
                continue
            }
            if let picture = heldUp, flow.hasRoom {
                heldUp = nil
                offeredNumber = picture.number
                slot.append(Picture(number: picture.number, captured: now))
                try carryOut(.offered(captured: MonotonicTime(nanoseconds: now)))
                continue
            }
            let picture = isOver || heldUp != nil ? Int64.max : nextPicture
            let pending = encodings.firstIndex { !$0.isDone }
            let encoded = pending.map { encodings[$0].done } ?? .max
            let heard = first < flights.count ? flights[first].passage.heard : .max
            let wake = flow.wakeAt.map { max($0.nanoseconds, now) } ?? .max
            let answer = answers.first?.answered ?? .max
            let next = min(picture, encoded, heard, wake)
            if answer <= next, answer < .max {
                let (asked, arrived, answered) = answers.removeFirst()
                now = max(now, answered)
                let there = arrived + Self.receiverAhead
                if let sample = ClockFilter.Sample(asked: asked, heard: there, said: there, answered: now) {
                    clock.add(sample, at: now)
                }
                continue
            }
            guard next < .max else { break }
            if next >= end, !isOver {
                isOver = true
                now = max(now, end)
                if cutOff { break }
                continue
            }
            now = next
            if next == heard {
                let flight = flights[first]
                first += 1
                if first > 1_024 {
                    flights.removeFirst(first)
                    first = 0
                }
                cost -= flight.cost
                outcome.consumed += 1
                var word = Acknowledgement(
                    sequence: flight.sequence, creditThrough: flight.sequence + credit)
                word.arrivalTime = MonotonicTime(nanoseconds: flight.passage.arrived + Self.receiverAhead)
                word.consumedTime = MonotonicTime(nanoseconds: flight.passage.consumed + Self.receiverAhead)
                try carryOut(.acknowledged(word, roundTrip: clock.roundTrip(at: now)))
            } else if next == encoded, let pending {
                encodings[pending].isDone = true
                let settings = flow.quality?.settings ?? (quality: 80, scale: .full, keepOneIn: 1)
                if quality != nil, outcome.settings.last.map({ $0.settings != settings }) ?? true {
                    outcome.settings.append((now, settings))
                }
                var size = Double(bytes)
                if quality != nil {
                    size *= Self.share(of: settings.quality) / Self.share(of: 80)
                    size /= Double(settings.scale.denominator * settings.scale.denominator)
                }
                if spread > 0 { size *= 1 + spread * (Double(random.next() % 2_001) / 1_000 - 1) }
                encodings[pending].bytes = max(1, Int(size))
                try carryOut(
                    .encoded(
                        nanoseconds: encodeTime, bytes: encodings[pending].bytes,
                        settings: EncodeSettings(quality: settings.quality, scale: settings.scale)))
            } else if next == picture {
                ideal += interval
                nextPicture = ideal + Int64(random.next() % lateness)
                offeredNumber += 1
                let offered = Picture(number: offeredNumber, captured: now)
                if policy == .reliable, !flow.hasRoom {
                    heldUp = offered
                    continue
                }
                slot.append(offered)
                try carryOut(.offered(captured: MonotonicTime(nanoseconds: now)))
            } else {
                try carryOut(.tick)
            }
        }
        if heldUp != nil { try carryOut(.abandoned) }
        try carryOut(.ended)
        outcome.counts = flow.counts
        let counts = flow.counts
        if counts.produced != counts.acknowledged + counts.dropped.total + counts.failed + counts.lost {
            fail("\(counts) do not add up")
        }
        if counts.acknowledged != outcome.consumed {
            fail("\(counts.acknowledged) of \(outcome.consumed) acknowledged")
        }
        if counts.failed != outcome.failed { fail("\(counts.failed) of \(outcome.failed) failed") }
        if counts.produced != offeredNumber { fail("\(counts.produced) of \(offeredNumber) produced") }
        if !cutOff, counts.lost > 0 || counts.dropped.disconnected > (heldUp == nil ? 0 : 1) {
            fail("\(counts) at the end")
        }
        return outcome
    }

    /// The receiver's clock is another one.
    static let receiverAhead: Int64 = 77_000_000_000

    /// The age of the `deadline` policy in simulations.
    static let deadline: Int64 = 150_000_000

    /// Sizes by quality of a certain scene, which the quality control does not know: steeper than its first guess.
    static func share(of quality: Int) -> Double {
        let quality = Double(quality)
        return 0.2 + quality / 60 + quality * quality * quality / 250_000
    }
}

extension SimulatedStream.Outcome {
    /// A quantile of the age when the consumer begins, in milliseconds, of the frames of a part of the time.
    func age(_ quantile: Double, from: Double = 0, to: Double = .infinity) -> Double {
        let ages = arrivals.filter { Double($0.time) >= from * 1e9 && Double($0.time) < to * 1e9 }.map(
            \.age
        ).sorted()
        guard !ages.isEmpty else { return 0 }
        return Double(ages[min(ages.count - 1, Int(quantile * Double(ages.count)))]) / 1e6
    }

    /// Frames that arrived in a second, from one time to another.
    func framesPerSecond(from: Double, to: Double) -> Double {
        Double(arrivals.count { Double($0.time) >= from * 1e9 && Double($0.time) < to * 1e9 })
            / (to - from)
    }

    /// The share of the time with each window.
    func windowShares(from: Double, to: Double) -> [Int: Double] {
        var shares: [Int: Double] = [:]
        for (index, entry) in windows.enumerated() {
            let start = max(from, Double(entry.time) / 1e9)
            let end = min(to, index + 1 < windows.count ? Double(windows[index + 1].time) / 1e9 : to)
            if end > start { shares[entry.frames, default: 0] += (end - start) / (to - from) }
        }
        return shares
    }
}
