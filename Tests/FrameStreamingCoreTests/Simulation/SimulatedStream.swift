@testable import FrameStreamingCore

/// A source, a session, encoders, a link and a receiver in scripted time, and the
/// checks that hold for every frame.
///
/// The session is the one that ships: the simulation performs its
/// actions and knows none of its rules.
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
    /// The time to encode a frame, in nanoseconds.
    var encodeTime: Int64 = 0
    /// How many pictures are encoded at once.
    var encoders = 1
    /// One picture in this many cannot be encoded; 0 = all can.
    var failing: UInt64 = 0
    /// How many frames the receiver accepts beyond the last consumed one.
    var creditAhead: UInt64 = 16
    /// The quality control that changes the size; `bytes` is the size at
    /// the best quality and full scale.
    var quality: AdaptiveQuality?
    /// The bit rate of an encoder with memory, whose frames have `bytes` if they may.
    var bitRate: BitRate?
    /// Whether the transport measures the round trip, as ``TCPTransport`` does: eight questions at
    /// first, and then one a second before a frame.
    var measuresRoundTrip = false
    var seed: UInt64 = 1

    /// What happened.
    struct Outcome {
        var counts = SenderStatistics()
        var consumed = 0
        /// Pictures that could not be encoded.
        var failed = 0
        /// The first few violations of the rules.
        var violations: [String] = []
        /// For each frame, oldest first: when the consumer began with it, and its age then.
        var arrivals: [(time: Int64, age: Int64)] = []
        /// When the window changed, and to what.
        var windows: [(time: Int64, frames: Int)] = []
        /// When the quality settings changed, and to what.
        var settings: [(time: Int64, settings: QualityControl.Settings)] = []
        var bytesDelivered = 0
    }

    private struct Encoding {
        var frame: NumberedFrame
        var ticket: UInt64
        var done: Int64
        /// When the frame was taken: the cost of the frames in flight, and of all frames ever sent.
        var costAhead: Int64
        var costSent: Int64
        var bytes = 0
        var order = EncodingOrder()
    }

    private struct Flight {
        var sequence: UInt64
        var passage: SimulatedLink.Passage
        var cost: Int64
        var bytes: Int
        var sent: Int64
    }

    /// Runs for `seconds`, then waits for the frames in flight, unless `cutOff`.
    mutating func run(seconds: Double, cutOff: Bool = false) throws -> Outcome {
        var outcome = Outcome()
        var random = SplitMix(state: seed &* 7919)
        var options = SenderOptions(policy: policy, window: window)
        options.encoders = encoders
        options.adaptiveQuality = quality
        options.bitRate = bitRate
        let hasMemory = bitRate != nil
        var session = try ReceiverSession<NumberedFrame>(
            options, connecting: .byThisSide, hasMemory: hasMemory, at: MonotonicTime(nanoseconds: 0))
        let connection = ConnectionNumber(value: 1)
        let interval = Int64(1e9 / rate)
        let lateness = UInt64(max(1, Double(interval) * jitter))
        let longestInterval = interval + Int64(lateness)
        let end = Int64(seconds * 1e9)

        var now: Int64 = 0
        var ideal: Int64 = 0
        var nextFrame: Int64 = 0
        var offeredNumber = 0
        var lastKept = 0
        /// The frames in the encoders, in the order in which they were handed over.
        var encodings: [Encoding] = []
        /// Encoded frames that were not sent yet, by number.
        var encoded: [Int: Encoding] = [:]
        var flights: [Flight] = []
        var first = 0
        var cost: Int64 = 0
        var costSent: Int64 = 0
        var lastNumberSent = 0
        var heldUp: Int?
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

        func tell(_ event: SessionEvent<NumberedFrame>) {
            let actions = session.actions(after: event, at: MonotonicTime(nanoseconds: now))
            if let last = session.frames.queue.entries.last { lastKept = last.frame.number }
            if let quality = session.frames.flow.quality { mostLeftOut = max(mostLeftOut, quality.settings.keepOneIn) }
            if outcome.windows.last?.frames != session.frames.flow.window {
                outcome.windows.append((now, session.frames.flow.window))
            }
            for action in actions { perform(action) }
        }

        func perform(_ action: SessionAction<NumberedFrame>) {
            switch action {
            case .encode(let frame, let ticket, let order):
                lastKept = max(lastKept, frame.number)
                encodings.append(
                    Encoding(
                        frame: frame, ticket: ticket, done: now + encodeTime, costAhead: cost, costSent: costSent,
                        order: order))
                let taken = session.frames.queue.taken
                if taken > encoders { fail("\(taken) frames taken for \(encoders) encoders") }
                // One frame more than there is room for is taken if the acknowledgement
                // that makes room is about to arrive.
                if policy != .reliable, session.frames.inFlight.count + taken > session.frames.flow.window + 1 {
                    fail(
                        "\(taken) frames taken with \(session.frames.inFlight.count) in flight, window \(session.frames.flow.window)"
                    )
                }
            case .send(.frame(let frame, let info), _, let waits):
                if waits { fail("waits for a connection that takes everything") }
                send(frame, info)
                tell(.sent(connection))
            case .send(.notice, _, _): fail("nothing was said of the source")
            case .send(.answer, _, _): fail("nothing was asked")
            case .close(.saying(_, let number, _)): tell(.saidGoodbye(number, nil))
            case .close, .wakeSource, .report: break
            }
        }

        func send(_ frame: NumberedFrame, _ info: FrameInfo) {
            guard let encoding = encoded.removeValue(forKey: frame.number) else {
                return fail("frame \(frame.number) is sent and was not encoded")
            }
            if frame.number - lastNumberSent - 1 != Int(info.skipped) {
                fail("frame \(frame.number) after \(lastNumberSent) says \(info.skipped) skipped")
            }
            lastNumberSent = frame.number
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
                Flight(sequence: info.sequence, passage: passage, cost: own, bytes: bytes, sent: now))
            let costAhead = encoding.costAhead + costSent - encoding.costSent
            cost += own
            costSent += own
            if session.frames.flow.sentThrough != info.sequence {
                fail("sent \(info.sequence), counted \(session.frames.flow.sentThrough)")
            }
            if session.frames.flow.sentThrough > session.frames.flow.creditThrough {
                fail("beyond the receiver's credit")
            }
            // The window is the only queue: the frame waits for the frames in flight
            // when it was taken, and for itself.
            var bound = encodeTime + costAhead + own + link.longestRoundTrip / 2 + link.noise
            // A frame that was taken a little before the
            // acknowledgement that made room waited for it.
            if now > encoding.done { bound += link.longestRoundTrip + 2 * link.noise }
            switch policy {
            case .latest:
                // The very last frame is not replaced.
                bound =
                    isOver && frame.number == lastKept
                    ? .max : bound + longestInterval * Int64(mostLeftOut)
            case .reliable: bound = .max
            default: bound += Self.deadline
            }
            let age = passage.consumed - frame.offered.nanoseconds
            if age > bound {
                fail("frame \(info.sequence) is \(age) ns old, at most \(bound) were expected")
            }
            outcome.arrivals.append((passage.consumed - link.consumer, age - link.consumer))
            outcome.bytesDelivered += bytes
        }

        func offer(_ number: Int) {
            offeredNumber = number
            tell(.offered(NumberedFrame(number: number, offered: MonotonicTime(nanoseconds: now))))
        }

        var peer = Peer(address: "simulation", handshake: .memory, initialCredit: creditAhead, creditAhead: creditAhead)
        peer.session = 1
        tell(.connected(connection, peer))
        while true {
            if let number = heldUp, session.hasRoom {
                heldUp = nil
                offer(number)
                continue
            }
            let frame = isOver || heldUp != nil ? Int64.max : nextFrame
            let done = encodings.first?.done ?? .max
            let heard = first < flights.count ? flights[first].passage.heard : .max
            let wake = session.wakeAt.map { max($0.nanoseconds, now) } ?? .max
            let answer = answers.first?.answered ?? .max
            let next = min(frame, done, heard, wake)
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
                    sequence: flight.sequence, creditThrough: flight.sequence + creditAhead)
                word.arrivalTime = MonotonicTime(nanoseconds: flight.passage.arrived + Self.receiverAhead)
                word.consumedTime = MonotonicTime(nanoseconds: flight.passage.consumed + Self.receiverAhead)
                tell(.acknowledged(connection, word, roundTrip: clock.roundTrip(at: now), clock: nil))
            } else if next == done {
                var encoding = encodings.removeFirst()
                if failing > 0, random.next() % failing == 0 {
                    outcome.failed += 1
                    tell(.encoded(ticket: encoding.ticket, .failure(FrameStreamingError(.corruptImage, "no picture"))))
                    continue
                }
                let settings = session.frames.flow.quality?.settings ?? (quality: 80, scale: .full, keepOneIn: 1)
                if quality != nil, outcome.settings.last.map({ $0.settings != settings }) ?? true {
                    outcome.settings.append((now, settings))
                }
                var size = Double(bytes)
                if quality != nil {
                    size *= Self.share(of: settings.quality) / Self.share(of: 80)
                    size /= Double(settings.scale.denominator * settings.scale.denominator)
                }
                // Such frames have all the detail of a picture, which a few bits describe anew.
                if let target = encoding.order.byteTarget { size = min(size, Double(target)) }
                if spread > 0 { size *= 1 + spread * (Double(random.next() % 2_001) / 1_000 - 1) }
                encoding.bytes = max(1, Int(size))
                encoded[encoding.frame.number] = encoding
                var made: NumberedFrame?
                if hasMemory {
                    made = encoding.frame
                    made?.made = NumberedFrame.Difference(
                        reference: encoding.order.standsAlone ? nil : encoding.frame.number - 1)
                }
                tell(
                    .encoded(
                        ticket: encoding.ticket,
                        .success(
                            bytes: encoding.bytes, nanoseconds: encodeTime,
                            settings: EncodeSettings(quality: settings.quality, scale: settings.scale)),
                        as: made))
            } else if next == frame {
                ideal += interval
                nextFrame = ideal + Int64(random.next() % lateness)
                let number = offeredNumber + 1
                if policy == .reliable, !session.hasRoom { heldUp = number } else { offer(number) }
            } else {
                tell(.tick(deliveredBytes: nil))
            }
        }
        if heldUp != nil {
            offeredNumber += 1
            tell(.abandoned)
        }
        tell(cutOff ? .cancel : .finish(SourceEnd(goodbye: "end of stream"), deliveredBytes: nil))
        if !session.phase.hasEnded { fail("has not ended: \(session.phase)") }
        outcome.counts = session.frames.counts
        let counts = session.frames.counts
        if counts.produced != counts.acknowledged + counts.dropped.total + counts.failed + counts.lost {
            fail("\(counts) do not add up")
        }
        if counts.acknowledged != outcome.consumed {
            fail("\(counts.acknowledged) of \(outcome.consumed) acknowledged")
        }
        // A frame that could not be encoded is counted when its turn comes; the end may come first.
        if cutOff ? counts.failed > outcome.failed : counts.failed != outcome.failed {
            fail("\(counts.failed) of \(outcome.failed) failed")
        }
        if counts.produced != offeredNumber { fail("\(counts.produced) of \(offeredNumber) produced") }
        if !cutOff, counts.lost > 0 || counts.dropped.disconnected > (heldUp == nil ? 0 : 1) {
            fail("\(counts) at the end")
        }
        if policy == .reliable, counts.dropped.replaced > 0 { fail("reliable dropped a frame") }
        return outcome
    }

    /// How far the receiver's clock is ahead.
    static let receiverAhead: Int64 = 77_000_000_000

    /// The largest age under the `deadline` policy in simulations.
    static let deadline: Int64 = 150_000_000

    /// The relative size of one scene by quality. The quality control does not know it,
    /// and its first guess is less steep.
    static func share(of quality: Int) -> Double {
        let quality = Double(quality)
        return 0.2 + quality / 60 + quality * quality * quality / 250_000
    }
}

extension SimulatedStream.Outcome {
    /// A quantile of the age at which the consumer begins, in
    /// milliseconds, of the frames in a time range.
    func age(_ quantile: Double, from: Double = 0, to: Double = .infinity) -> Double {
        let ages = arrivals.filter { Double($0.time) >= from * 1e9 && Double($0.time) < to * 1e9 }.map(
            \.age
        ).sorted()
        guard !ages.isEmpty else { return 0 }
        return Double(ages[min(ages.count - 1, Int(quantile * Double(ages.count)))]) / 1e6
    }

    /// How many frames arrived per second, from one time to another.
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
