import FrameStreamingCore
import FrameStreamingTCP
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// Somebody on the way changes or cuts what TLS carries.
@Suite(.ownThread(atOnce: 4)) struct MeddlingTests {
    /// Short, because a changed length makes a side wait for bytes that never come.
    private func shortly() -> Deadline { .after(.seconds(2)) }

    private func limited(_ security: TCPSecurity) -> TCPOptions {
        var options = options(security, timeout: .seconds(2))
        options.standstillTimeout = .seconds(2)
        return options
    }

    /// Ends the stream of one frame with whatever error comes; the frame's number if all was well.
    private func stream(
        _ direction: MeddlingProxy.Direction, _ credentials: Credentials = .key,
        meddle: @escaping @Sendable (Int, [UInt8]) -> [UInt8]?
    ) throws -> (connector: FrameStreamingError?, listener: FrameStreamingError?, isShown: Bool, counts: (Int, Int)) {
        let listener = try TCPListener(
            on: "0", role: .receiver,
            options: limited(try credentials.security(listens: true)))
        let proxy = try MeddlingProxy(to: listener.port, direction, meddle: meddle)
        let port = proxy.port
        let frame = try makeFrame(1, byteCount: 20_000)
        let connecting = try Background {
            let transport = try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender,
                options: limited(try credentials.security(listens: false)), until: shortly())
            defer { transport.close() }
            try transport.send(.frame(frame, FrameInfo(sequence: 1)), until: shortly())
            _ = try transport.receive(until: shortly())
            try transport.finish("end", until: shortly())
        }
        let receiving = try Background {
            var isShown = false
            let error = failure {
                let transport = try listener.accept(until: shortly())
                defer { transport.close() }
                while let message = try transport.receive(until: shortly()) {
                    guard case .frame(let frame, _) = message else { continue }
                    #expect(frame.isPattern(1), "a changed frame was shown")
                    isShown = true
                    try transport.acknowledge(1)
                }
                try transport.finish("", until: shortly())
            }
            return (error, isShown)
        }
        let connector = failure { try connecting.value() }
        let (error, isShown) = try receiving.value()
        return (connector, error, isShown, proxy.counts)
    }

    private static let known: Set<FrameStreamingError.Code> = [
        .notAuthenticated, .protocolViolation, .connectionLost, .connectionFailed, .endedWithoutGoodbye, .timedOut,
        .rejected,
    ]

    /// Every byte of the handshake as the last one, in both directions.
    @Test(arguments: MeddlingProxy.Direction.allCases, Credentials.allCases)
    func aCutAtEveryByteOfTheHandshakeIsATypedError(
        _ direction: MeddlingProxy.Direction, _ credentials: Credentials
    ) throws {
        let whole = try stream(direction, credentials) { _, bytes in bytes }
        #expect(whole.connector == nil && whole.listener == nil && whole.isShown)
        // The frame is behind the handshakes of TLS and of the protocol.
        let length = direction == .toListener ? whole.counts.0 - 20_000 : whole.counts.1
        try #require(length > 100 && length < 6000)
        // Each byte of the first records, and samples of the rest.
        let places = Array(0..<min(length, 80)) + stride(from: 80, to: length, by: credentials == .key ? 11 : 61)
        for place in places {
            let cut = try stream(direction, credentials) { offset, bytes in
                let left = place - offset
                if left <= 0 { return nil }
                return Array(bytes.prefix(left))
            }
            let errors = [cut.connector, cut.listener].compactMap { $0 }
            // Behind the frame's acknowledgement, a cut may come too late for one side.
            #expect(!errors.isEmpty || cut.isShown)
            #expect(errors.allSatisfy { Self.known.contains($0.code) }, "cut at \(place): \(errors)")
            if direction == .toListener { #expect(!cut.isShown) }
        }
    }

    /// One bit of each of many bytes, in both directions: a change is never passed over.
    @Test(arguments: MeddlingProxy.Direction.allCases, Credentials.allCases)
    func aFlippedBitIsATypedError(_ direction: MeddlingProxy.Direction, _ credentials: Credentials) throws {
        let whole = try stream(direction, credentials) { _, bytes in bytes }
        let length = direction == .toListener ? whole.counts.0 - 1000 : whole.counts.1 - 200
        for place in stride(from: 0, to: length, by: max(1, length / 30)) {
            let changed = try stream(direction, credentials) { offset, bytes in
                guard (offset..<offset + bytes.count).contains(place) else { return bytes }
                var bytes = bytes
                bytes[place - offset] ^= 1 << UInt8(place % 8)
                return bytes
            }
            let errors = [changed.connector, changed.listener].compactMap { $0 }
            // A changed length makes one side wait for bytes that the other never sends: its limit
            // ends that. Two bytes of the ClientHello's record name a version that neither side reads.
            #expect(!errors.isEmpty || place == 1 || place == 2, "the flip at \(place) was passed over")
            #expect(errors.allSatisfy { Self.known.contains($0.code) }, "flip at \(place): \(errors)")
        }
    }

    /// What is put into the stream in the middle: an alert without encryption, a record that is too
    /// long, a handshake message without encryption, empty records.
    @Test(arguments: ForeignRecord.allCases, MeddlingProxy.Direction.allCases)
    func foreignRecordsInTheMiddleAreATypedError(_ record: ForeignRecord, _ direction: MeddlingProxy.Direction) throws {
        let whole = try stream(direction) { _, bytes in bytes }
        // In front of the last bytes of that direction, which belong to records of the stream.
        let place = direction == .toListener ? whole.counts.0 - 10_000 : whole.counts.1 - 200
        let changed = try stream(direction) { offset, bytes in
            guard (offset..<offset + bytes.count).contains(place) else { return bytes }
            let split = place - offset
            return Array(bytes[..<split]) + record.bytes + bytes[split...]
        }
        let errors = [changed.connector, changed.listener].compactMap { $0 }
        #expect(!errors.isEmpty && errors.allSatisfy { Self.known.contains($0.code) }, "\(errors)")
    }

    enum ForeignRecord: CaseIterable {
        case alert, tooLong, longestLength, helloRequest, empty, changeCipherSpec

        var bytes: [UInt8] {
            switch self {
            case .alert: [0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x00]
            case .tooLong: [0x17, 0x03, 0x03, 0x41, 0x01] + [UInt8](repeating: 0, count: 0x4101)
            case .longestLength: [0x17, 0x03, 0x03, 0xFF, 0xFF]
            case .helloRequest: [0x16, 0x03, 0x03, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00]
            case .empty: [0x17, 0x03, 0x03, 0x00, 0x00]
            case .changeCipherSpec: [0x14, 0x03, 0x03, 0x00, 0x01, 0x01]
            }
        }
    }

    /// An end without close_notify and without a goodbye may be somebody's cut.
    @Test func aTruncatedStreamIsNoCleanEnd() throws {
        let listener = try TCPListener(
            on: "0", role: .receiver, options: options(try Credentials.key.security(listens: true)))
        let proxy = try MeddlingProxy(to: listener.port) { offset, bytes in
            offset + bytes.count > 10_000 ? Array(bytes.prefix(max(0, 10_000 - offset))) : bytes
        }
        let port = proxy.port
        let frame = try makeFrame(1, byteCount: 20_000)
        let connecting = try Background {
            let transport = try TCPTransport.connect(
                to: "127.0.0.1:\(port)", role: .sender, options: options(Credentials.key.security(listens: false)),
                until: soon())
            try transport.send(.frame(frame, FrameInfo(sequence: 1)), until: soon())
            transport.close()
        }
        let transport = try listener.accept(until: soon())
        try connecting.value()
        let error = try #require(failure { _ = try transport.receive(until: soon()) })
        #expect([.endedWithoutGoodbye, .connectionLost].contains(error.code), "\(error)")
    }
}
