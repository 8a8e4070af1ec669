import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import Glibc
import TestThreads
import Testing

@testable import FrameStreamingFiles

/// Inputs with a pace of their own: pipes, FIFOs, devices.
@Suite(.ownThread(atOnce: 4)) struct LiveFileSourceTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    /// A part of a multipart, whose picture has this number.
    private static func part(_ number: Int) -> [UInt8] {
        let picture = fakeJPEG(height: 1000 + number, tag: UInt8(truncatingIfNeeded: number) & 0x7F)
        return Array("--x\r\nContent-Type: image/jpeg\r\nContent-Length: \(picture.count)\r\n\r\n".utf8) + picture + [
            13, 10,
        ]
    }

    private static func number(of frame: Frame) -> Int { frame.format.height - 1000 }

    private static let y4m: [UInt8] =
        Array("YUV4MPEG2 W5 H3 F1:1000\n".utf8) + (0..<3).flatMap { Array("FRAME\n".utf8) + noise(27, seed: $0) }

    // MARK: The newest picture of a live input

    /// Counts the frames that a sender has offered to its receivers: when it asks for the next, it
    /// has done so with those before.
    private struct OfferCounter: FrameSource {
        var source: FileSource
        let offered: Monitor<Int>
        private var taken = 0

        init(source: FileSource, offered: Monitor<Int>) {
            self.source = source
            self.offered = offered
        }

        var isLive: Bool { source.isLive }

        mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
            offered.update { [taken] in $0 = taken }
            let event = try source.next(until: deadline)
            if case .frame? = event { taken += 1 }
            return event
        }
    }

    /// The receiver is a gate: it takes a second picture only when the input's last one was read.
    /// The picture that follows must be that one, and not one that waited anywhere.
    @Test func `a stalled receiver then gets the newest picture of a live input`() throws {
        let pipe = try Pipe()
        let output = pipe.output
        let link = MemoryTransport.pair(creditAhead: 1)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver, decode: nil)
        let parts = Monitor<(meter: InputMeter, sender: FrameSender)?>(nil)
        let offered = Monitor(0)
        let sending = try Background("the sender") {
            var source = OfferCounter(source: try FileSource(output, name: "camera"), offered: offered)
            let sender = try FrameSender(
                codec: IdentityCodec(), transport: link.sender, options: SenderOptions(for: source))
            parts.update { $0 = (source.source.meter, sender) }
            return try sender.run(&source)
        }
        let found = parts.wait(until: waitLimit()) { $0 }
        let (meter, sender) = try #require(found)
        try pipe.write(Self.part(1))
        let first = try #require(try receiver.next(until: .at(MonotonicTime(nanoseconds: waitLimit()))))
        #expect(Self.number(of: first.frame) == 1 && sender.policy == .latest)
        // No picture leaves before the first is consumed, and the input is read nevertheless.
        for number in 2...300 { try pipe.write(Self.part(number)) }
        try waitUntil("the input is read to its last picture") {
            offered.withLock { $0 } + meter.statistics.dropped + meter.statistics.unwanted == 300
        }
        pipe.close()
        var numbers: [Int] = []
        while let received = try receiver.next() { numbers.append(Self.number(of: received.frame)) }
        let total = try sending.value().total
        // One may have been taken before, so that it was ready when the credit came.
        #expect(numbers.last == 300 && numbers.count <= 2, "\(numbers)")
        #expect(meter.statistics.frames == 300)
        let unsent = total.dropped.total + meter.statistics.dropped + meter.statistics.unwanted
        #expect(total.acknowledged + unsent == 300)
        #expect(total.acknowledged == 1 + numbers.count)
    }

    @Test func `a live input is read before anybody asks for a picture`() throws {
        let pipe = try Pipe()
        let source = try FileSource(pipe.output, name: "camera")
        // More than the pipe takes.
        let bytes = (1...2_000).flatMap(Self.part)
        do {
            let input = try #require(pipe.input)
            try Background("the camera") { try input.writeAll(unsafe bytes.span.bytes) }.value()
        }
        try waitUntil("the last picture is read") { source.meter.statistics.frames == 2_000 }
        try waitUntil("it is the newest") { source.meter.statistics.unwanted == 1_999 }
        #expect(source.isLive)
        guard case .frame(let frame)? = try source.next(until: .never) else {
            Issue.record("no frame")
            return
        }
        #expect(Self.number(of: frame) == 2_000)
        // The input was early, and no receiver too late.
        #expect(source.meter.statistics.dropped == 0)
        pipe.close()
        #expect(try source.next(until: .never) == nil)
        #expect(try source.next(until: .never) == nil)
    }

    @Test func `damage is reported before and behind the newest frame`() throws {
        let pipe = try Pipe()
        let source = try FileSource(pipe.output, name: "camera")
        let cut = Array(Self.part(1).dropLast(12))
        try pipe.write(cut + cut + (1...50).flatMap(Self.part) + Array(Self.part(51).dropLast(8)))
        pipe.close()
        try waitUntil("the input is read") { source.meter.statistics.frames == 50 }
        var damaged = 0
        var numbers: [Int] = []
        while let event = try source.next(until: .never) {
            if case .damaged(let count, _) = event { damaged += count }
            if case .frame(let frame) = event { numbers.append(Self.number(of: frame)) }
        }
        #expect(damaged == source.damagedFrameCount && damaged >= 3)
        #expect(numbers.last == 50 && numbers.count + source.meter.statistics.unwanted == 50)
    }

    // MARK: What is live

    private static let multipart = (1...3).flatMap(part)
    private static let jpegs = (1...3).flatMap { fakeJPEG(tag: UInt8($0)) }

    @Test(arguments: [
        (multipart, PlaybackOptions(), true), (multipart, PlaybackOptions(live: false), false),
        (multipart, PlaybackOptions(pace: .maximum), false), (jpegs, PlaybackOptions(), false),
        (jpegs, PlaybackOptions(live: true), true), (y4m, PlaybackOptions(), false),
        (y4m, PlaybackOptions(live: true), true),
        (Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + multipart, PlaybackOptions(), true),
        (Array("\r\n".utf8) + multipart, PlaybackOptions(), true),
    ])
    func `a pipe is live by its first bytes or the options`(
        bytes: [UInt8], options: PlaybackOptions, isLive: Bool
    ) throws {
        for content in [FileContent.recognized, .jpeg] where content != .jpeg || !bytes.starts(with: Self.y4m) {
            let pipe = try Pipe()
            let source = try FileSource(pipe.output, name: "pipe", as: content, options: options)
            #expect(source.isLive == (options.live == true))
            try pipe.write(bytes)
            pipe.close()
            var count = 0
            while let event = try source.next(until: .after(.seconds(60))) {
                if case .frame = event { count += 1 }
            }
            #expect(source.isLive == isLive)
            let statistics = source.meter.statistics
            #expect(count + statistics.dropped + statistics.unwanted == 3 && (isLive || count == 3))
        }
    }

    @Test func `a regular file is not live, whatever is in it`() throws {
        let path = try directory.file("camera", (1...3).flatMap(Self.part))
        var source = try FileSource(path: path, options: PlaybackOptions(rate: FrameRate(1_000)))
        #expect(!source.isLive && !source.hasOwnPace)
        #expect(drain(&source).frames.count == 3)
        let live = try FileSource(path: path, options: PlaybackOptions(rate: FrameRate(1_000), live: true))
        #expect(live.isLive && live.frameCount == nil)
        var last: Int?
        while let event = try live.next(until: .never) {
            if case .frame(let frame) = event { last = Self.number(of: frame) }
        }
        #expect(last == 3)
    }

    @Test func `a device is live from the start`() throws {
        let layout = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let source = try FileSource(path: "/dev/zero", as: .raw(layout))
        #expect(source.isLive && source.hasOwnPace)
        guard case .frame(let frame)? = try source.next(until: .never) else {
            Issue.record("no frame")
            return
        }
        #expect(frame.array == [UInt8](repeating: 0, count: 16))
        let fast = try FileSource(path: "/dev/zero", as: .raw(layout), options: .fast)
        #expect(!fast.isLive)
        let empty = try FileSource(path: "/dev/null")
        #expect(empty.isLive)
        #expect(try failure { _ = try empty.next(until: .never) }.code == .truncatedInput)
    }

    @Test func `headerless frames of a pipe are all kept`() throws {
        let layout = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let pipe = try Pipe()
        try pipe.write(noise(160))
        pipe.close()
        var source = try FileSource(pipe.output, name: "pipe", as: .raw(layout))
        let (frames, error) = drain(&source)
        #expect(error == nil && frames.flatMap(\.array) == noise(160) && !source.isLive)
    }

    // MARK: Pace and arrival

    /// The header's rate of one picture in 1000 s would take far longer than the deadline.
    @Test func `a pipe is not paced by its header, unless the options say so`() throws {
        for make in [
            { try FileSource($0, name: "pipe", options: $1) }, { try RawFileSource($0, name: "pipe", options: $1) },
        ] as [(Descriptor, PlaybackOptions) throws -> any FrameSource] {
            for (pace, count) in [(nil, 3), (.maximum, 3), (.realtime, 1)] as [(Pacing?, Int)] {
                let pipe = try Pipe()
                try pipe.write(Self.y4m)
                pipe.close()
                var source = try make(pipe.output, PlaybackOptions(pace: pace))
                var frames = 0
                do {
                    while try source.next(until: .after(.milliseconds(pace == .realtime ? 200 : 60_000))) != nil {
                        frames += 1
                    }
                } catch {
                    #expect(error.code == .timedOut && pace == .realtime)
                }
                #expect(frames == count, "\(pace.map { "\($0)" } ?? "own pace")")
            }
        }
    }

    @Test func `the capture time is that of arrival, or unknown if the frame waited`() throws {
        let clock = ScriptClock()
        var options = PlaybackOptions()
        options.clock = clock
        let layout = try FrameFormat(width: 4, height: 4, pixelFormat: .gray8)
        let raw = (
            frame: noise(16),
            open: { (pipe: Descriptor) throws -> any FrameSource in
                try RawFileSource(pipe, name: "pipe", layout: layout, options: options)
            }
        )
        let jpeg = (
            frame: fakeJPEG(tag: 1),
            open: { (pipe: Descriptor) throws -> any FrameSource in
                try EncodedFileSource(pipe, name: "pipe", options: options)
            }
        )
        for (frame, open) in [raw, jpeg] {
            let pipe = try Pipe()
            var source = try open(pipe.output)
            func captured() throws -> CaptureTime? {
                guard case .frame(let frame)? = try source.next(until: .never) else { throw CancellationError() }
                return frame.captureTime
            }
            try pipe.write(frame)
            #expect(try captured() == CaptureTime(clock.now))
            clock.advance(by: .milliseconds(20))
            try pipe.write(frame)
            #expect(try captured() == CaptureTime(clock.now))
            clock.advance(by: .milliseconds(21))
            try pipe.write(frame)
            #expect(try captured() == nil)
        }
    }

    @Test func `a frame without its end arrived before the next`() throws {
        let clock = ScriptClock()
        var options = PlaybackOptions()
        options.clock = clock
        let pipe = try Pipe()
        let source = try EncodedFileSource(pipe.output, name: "pipe", options: options)
        for tag in 1...3 as ClosedRange<UInt8> {
            try pipe.write(Array(fakeJPEG(tag: tag).dropLast(2)))
            if tag > 1 {
                guard case .frame(let frame)? = try source.next(until: .never) else { throw CancellationError() }
                #expect(frame.captureTime == CaptureTime(clock.now.advanced(by: .zero - .milliseconds(15))))
            }
            #expect(try failure { _ = try source.next(until: .now) }.code == .timedOut)
            clock.advance(by: .milliseconds(10))
            #expect(try failure { _ = try source.next(until: .now) }.code == .timedOut)
            clock.advance(by: .milliseconds(5))
        }
        pipe.close()
        guard case .frame(let frame)? = try source.next(until: .never) else { throw CancellationError() }
        #expect(frame.captureTime == CaptureTime(clock.now.advanced(by: .zero - .milliseconds(15))))
    }

    @Test func `a frame that was read with another keeps the time at which it was read`() throws {
        let clock = ScriptClock()
        var options = PlaybackOptions()
        options.clock = clock
        let pipe = try Pipe()
        let source = try EncodedFileSource(pipe.output, name: "pipe", options: options)
        let arrived = clock.now
        try pipe.write(fakeJPEG(tag: 1) + fakeJPEG(tag: 2))
        for _ in 0..<2 {
            guard case .frame(let frame)? = try source.next(until: .never) else { throw CancellationError() }
            #expect(frame.captureTime == CaptureTime(arrived))
            clock.advance(by: .seconds(1))
        }
    }
}
