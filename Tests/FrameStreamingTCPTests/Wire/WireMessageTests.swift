import FrameStreamingCore
import Foundation
import Testing

@testable import FrameStreamingTCP

/// The messages that the golden file and the document show, as values.
private enum Examples {
    static var hello: Hello {
        var hello = Hello(role: 1, maximumFrameByteCount: 64 << 20, bootID: Array(0..<16), stream: "front")
        hello.session = 0x0123_4567_89AB_CDEF
        hello.realtimeOffset = 1_700_000_000_000_000_000
        return hello
    }

    static var helloWithRequests: Hello {
        var hello = hello
        hello.optionalCapabilities = Hello.requestsBit
        return hello
    }

    static var welcome: Hello {
        var welcome = Hello(role: 2, maximumFrameByteCount: 64 << 20, bootID: Array(16..<32), stream: "")
        welcome.session = 0x0123_4567_89AB_CDEF
        welcome.lastConsumed = 41
        welcome.creditThrough = 16
        welcome.realtimeOffset = 1_700_000_000_000_001_234
        welcome.pixelFormats = [.jpeg, .i420]
        return welcome
    }

    static var acknowledgement: Acknowledgement {
        var acknowledgement = Acknowledgement(sequence: 42, creditThrough: 58)
        acknowledgement.receivedThrough = 43
        acknowledgement.arrivalTime = MonotonicTime(nanoseconds: 123_470_000_000)
        acknowledgement.unconsumed = 3
        acknowledgement.queueDepth = 1
        return acknowledgement
    }

    static var ping: Ping { Ping(id: 7, sendTime: 5_000_000_000) }

    static var frame: FrameHeader {
        var info = FrameInfo(sequence: 42, skipped: 2)
        info.sendTime = MonotonicTime(nanoseconds: 123_460_000_000)
        info.encodeNanoseconds = 2_500_000
        var header = FrameHeader(info: info, width: 640, height: 480, pixelFormat: .jpeg)
        header.sourceSequence = 1000
        header.captureTime = CaptureTime(nanoseconds: 123_456_789_000, clock: .monotonic, edge: .endOfFrame)
        header.quality = 80
        header.colorRange = .full
        header.sourceColorRange = .limited
        header.colorMatrix = .bt601
        header.metadataLength = 2
        return header
    }

    static var relayed: FrameHeader {
        var header = frame
        header.captureTime?.error = .nanoseconds(1_500)
        header.relays = [0x0011_2233_4455_6677, 0x8899_AABB_CCDD_EEFF]
        return header
    }

    static var messages: [(String, WireMessage)] {
        [
            ("HELLO", .hello(hello)), ("WELCOME", .welcome(welcome)),
            ("REJECT", .reject(Reject(.busy, "8 connections are the limit"))),
            ("ACK", .acknowledgement(acknowledgement)), ("PING", .ping(ping)),
            ("PONG", .pong(Pong(answering: ping, receiveTime: 9_000_000_100, sendTime: 9_000_000_200))),
            ("BYE", .bye(Bye("end of stream"))),
            ("BYE-STOPPED", .bye(Bye(.stopped("receiver stopped")))),
            ("BYE-FAILED", .bye(Bye(.failed("disk full")))),
            ("BYE-UNSUPPORTED", .bye(Bye(.unsupported("JPEG only")))),
            ("BYE_ACK", .byeAcknowledgement(ByeAcknowledgement(consumedThrough: 42))),
            ("SOURCE_LOST", .sourceLost("camera unplugged")), ("SOURCE_RESTORED", .sourceRestored),
            ("REQUEST", .request(WireRequest(.quality(40)))), ("HELLO-REQUESTS", .hello(helloWithRequests)),
            ("REQUEST_ANSWER", .requestAnswer(WireRequestAnswer(RequestAnswer(.quality(40), refusal: "shared")))),
        ]
    }
}

extension WireTypeSet {
    static let everything = WireTypeSet(WireType.allCases)
}

@Suite struct WireMessageTests {
    @Test(arguments: Examples.messages.map(\.0)) func marshalsToTheGoldenBytes(_ name: String) throws {
        let message = try #require(Examples.messages.first { $0.0 == name }).1
        #expect(try message.marshal() == golden(name))
    }

    @Test(arguments: Examples.messages.map(\.0)) func unmarshalsTheGoldenBytes(_ name: String) throws {
        let message = try #require(Examples.messages.first { $0.0 == name }).1
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1000)
        var input = InputBuffer(try golden(name))
        #expect(try parser.take(from: &input) == .message(message))
        #expect(input.isEmpty && !parser.isInMessage)
    }

    @Test(arguments: [("FRAME", Examples.frame), ("FRAME-RELAYED", Examples.relayed)])
    private func marshalsAFrameToTheGoldenBytes(_ name: String, _ header: FrameHeader) throws {
        let head = header.marshal(metadata: Array("hi".utf8), imageBytes: 4)
        #expect(try head + [0xFF, 0xD8, 0xFF, 0xD9] == golden(name))
    }

    @Test(arguments: [("FRAME", Examples.frame), ("FRAME-RELAYED", Examples.relayed)])
    private func unmarshalsTheGoldenFrame(_ name: String, _ header: FrameHeader) throws {
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1000)
        var input = InputBuffer(try golden(name))
        #expect(try parser.take(from: &input) == .frame(header, metadata: Array("hi".utf8), imageBytes: 4))
        #expect(input.count == 4)
    }

    /// The document's hex blocks are the golden bytes, each of them, and nothing else.
    @Test func theDocumentShowsTheGoldenBytes() throws {
        let document = testFile("../../Docs/WireProtocol.md")
        var shown: [String: [UInt8]] = [:]
        var name: String?
        for line in try String(contentsOf: document, encoding: .utf8).components(separatedBy: "\n") {
            if line.hasPrefix("```hex ") {
                name = String(line.dropFirst("```hex ".count))
            } else if line.hasPrefix("```") {
                name = nil
            } else if let name {
                shown[name, default: []] += bytes(hex: line.prefix { $0 != "#" })
            }
        }
        #expect(try shown == goldenMessages())
        // HELLO occurs twice, with and without an optional capability, FRAME twice, and BYE four times.
        #expect(shown.count == WireType.allCases.count + 5)
    }

    /// Code and reason of a BYE may be any numbers. An unknown reason counts as none, and an
    /// unknown code as a clean end.
    @Test(arguments: [0, 1, 2, 3, 0x7FFF, .max] as [UInt16], [0, 1, 2, 0x7FFF, .max] as [UInt16])
    func theExtremesOfAGoodbye(code: UInt16, reason: UInt16) throws {
        let header = [code, reason].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        let bye = try Bye(header: header[...], payload: [])
        let expected: Goodbye.Code =
            switch (code, reason) {
            case (1, _): .stopped
            case (2, 1): .unsupported
            case (2, _): .failed
            default: .complete
            }
        #expect(bye.goodbye.code == expected)
    }

    /// The error of a capture time, a later addition, is behind the first 76 bytes of the header,
    /// and may be any number.
    @Test(arguments: [.min, -1, 0, 1, 1_234_567, .max - 1, .max] as [Int64]) func theExtremesOfACaptureError(
        error: Int64
    ) throws {
        var header = Examples.frame
        header.captureTime?.error = .nanoseconds(1)
        var bytes = header.marshal(metadata: Array("hi".utf8), imageBytes: 4)
        #expect(bytes[3] == UInt8(FrameHeader.lengthWithError))
        let place = WirePrefix.length + FrameHeader.length
        bytes.replaceSubrange(
            place..<place + 8, with: (0..<8).map { UInt8(truncatingIfNeeded: error >> (56 - 8 * $0)) })
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1000)
        var input = InputBuffer(bytes + [0xFF, 0xD8, 0xFF, 0xD9])
        guard case .frame(let read, let metadata, 4)? = try parser.take(from: &input) else {
            Issue.record("no frame")
            return
        }
        #expect(read.captureTime?.error == .nanoseconds(max(0, error)) && metadata == Array("hi".utf8))
        header.captureTime?.error = .nanoseconds(max(0, error))
        #expect(read == header)
    }

    struct FrameCase: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var change: @Sendable (inout FrameHeader) -> Void
    }

    static let frameCases: [FrameCase] = [
        FrameCase(testDescription: "no capture time") { $0.captureTime = nil },
        FrameCase(testDescription: "realtime, start of exposure, before the epoch") {
            $0.captureTime = CaptureTime(nanoseconds: -5, clock: .realtime, edge: .startOfExposure)
        },
        FrameCase(testDescription: "unknown clock") {
            $0.captureTime = CaptureTime(nanoseconds: .max, clock: .unknown, edge: .unspecified)
        },
        FrameCase(testDescription: "nothing known") {
            $0.info = FrameInfo(sequence: 1)
            $0.quality = nil
            $0.colorRange = nil
            $0.sourceColorRange = nil
            $0.colorMatrix = .unspecified
        },
        FrameCase(testDescription: "limits") {
            $0.info = FrameInfo(sequence: .max, skipped: .max)
            $0.info.creditWaitNanoseconds = .max
            $0.info.encodeNanoseconds = 0
            $0.sourceSequence = .max
            $0.width = 65_535
            $0.height = 65_535
            $0.quality = 100
        },
        FrameCase(testDescription: "a relay, and no error of a time") {
            $0.captureTime = nil
            $0.relays = [.max]
        },
        FrameCase(testDescription: "as many relays as there may be") {
            $0.relays = (0..<UInt64(Frame.maximumRelayCount)).map { $0 << 60 }
        },
        FrameCase(testDescription: "BT.709") { $0.colorMatrix = .bt709 },
        FrameCase(testDescription: "BT.2020, limited") {
            $0.colorMatrix = .bt2020
            $0.colorRange = .limited
            $0.sourceColorRange = .full
        },
        FrameCase(testDescription: "a format without a name") { $0.pixelFormat = PixelFormat(rawValue: 0x4432_5342) },
    ]

    @Test(arguments: frameCases) func frameHeadersComeBackAsTheyWere(_ example: FrameCase) throws {
        var header = Examples.frame
        header.metadataLength = 0
        example.change(&header)
        let bytes = header.marshal(metadata: [], imageBytes: 9)
        #expect(try FrameHeader(header: bytes[WirePrefix.length...]) == header)
    }

    @Test(arguments: [Acknowledgement.Outcome.consumed, .skipped, .undecodable, .refused])
    func outcomesComeBackAsTheyWere(_ outcome: Acknowledgement.Outcome) throws {
        let acknowledgement = Acknowledgement(sequence: .max, creditThrough: .max, outcome: outcome)
        #expect(try Acknowledgement(header: acknowledgement.marshal()[WirePrefix.length...]) == acknowledgement)
    }

    @Test(arguments: [(0, nil), (nil, 0), (5_000, 2_000_000), (.max, .max)] as [(Int64?, Int64?)])
    func theReceiversStagesComeBackAsTheyWere(queue: Int64?, decode: Int64?) throws {
        var acknowledgement = Examples.acknowledgement
        acknowledgement.queueNanoseconds = queue
        acknowledgement.decodeNanoseconds = decode
        let bytes = acknowledgement.marshal()
        #expect(bytes.count == WirePrefix.length + 72)
        #expect(try Acknowledgement(header: bytes[WirePrefix.length...]) == acknowledgement)
        // Bytes that do not hold both values are of a later version, or of an
        // earlier one that ends between them.
        let cut = try Acknowledgement(header: bytes[WirePrefix.length..<WirePrefix.length + 64])
        #expect(cut == Examples.acknowledgement)
        // The values are found among others, however the bytes are cut, and bytes that a
        // later version appends are skipped.
        var later = bytes
        later[3] += 5
        later += [1, 2, 3, 4, 5]
        var parser = MessageParser(allowed: .afterHandshake, maximumFrameByteCount: 100)
        var found: [MessageParser.Event] = []
        for byte in later + bytes {
            var input = InputBuffer([byte])
            while let event = try parser.take(from: &input) { found.append(event) }
        }
        #expect(found == Array(repeating: .message(.acknowledgement(acknowledgement)), count: 2))
    }

    @Test func anUnknownOutcomeIsNotConsumed() throws {
        var bytes = Examples.acknowledgement.marshal()
        bytes[WirePrefix.length + 52] = 200
        #expect(try Acknowledgement(header: bytes[WirePrefix.length...]).outcome == .refused)
    }

    @Test func unknownCodesOfAFrameAreTakenAsNotKnown() throws {
        var bytes = Examples.frame.marshal(metadata: [], imageBytes: 4)
        for offset in 64...69 { bytes[WirePrefix.length + offset] = 250 }
        let header = try FrameHeader(header: bytes[WirePrefix.length...])
        #expect(header.captureTime?.clock == .unknown && header.captureTime?.edge == .unspecified)
        #expect(header.quality == nil && header.colorRange == nil && header.sourceColorRange == nil)
        #expect(header.colorMatrix == .unspecified)
    }

    @Test(arguments: [ReceiverRequest.pause, .resume, .quality(1), .quality(100), .keyFrame])
    func requestsComeBackAsTheyWere(_ request: ReceiverRequest) throws {
        let bytes = WireRequest(request).marshal()
        #expect(try WireRequest(header: bytes[WirePrefix.length...]).request == request)
    }

    @Test func aRequestOfALaterVersionIsNone() throws {
        for kind: UInt8 in [0, 5, 255] {
            var bytes = WireRequest(.pause).marshal()
            bytes[WirePrefix.length] = kind
            bytes[bytes.count - 1] = 200
            #expect(try WireRequest(header: bytes[WirePrefix.length...]).request == nil)
        }
    }

    @Test(arguments: [3, 255, 256, 0x0102, .max] as [UInt16])
    func aGoodbyeOfALaterVersionIsComplete(_ code: UInt16) throws {
        var bytes = Bye(.failed("why")).marshal()
        bytes[WirePrefix.length] = UInt8(code >> 8)
        bytes[WirePrefix.length + 1] = UInt8(code & 0xFF)
        var input = InputBuffer(bytes)
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1000)
        #expect(try parser.take(from: &input) == .message(.bye(Bye("why"))))
    }

    @Test func longTextsAreCutBetweenCharacters() throws {
        let message = WireMessage.sourceLost(String(repeating: "é", count: 1000) + "x")
        var input = InputBuffer(message.marshal())
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1000)
        #expect(try parser.take(from: &input) == .message(.sourceLost(String(repeating: "é", count: 512))))
    }

    @Test func textsThatAreNoUTF8AreNoError() throws {
        let bytes = ByteWriter.message(.sourceLost, payload: [0x41, 0xFF, 0x42])
        var input = InputBuffer(bytes)
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1000)
        #expect(try parser.take(from: &input) == .message(.sourceLost("A\u{FFFD}B")))
    }
}
