import Foundation
import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTCP
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// How long a peer may come back by tickets, step by step and without a thread.
@Suite(.ownThread(atOnce: 4)) struct TicketTests {
    private func context(_ name: String, longestSession: Int = TLSContext.longestSession) throws -> TLSContext {
        let directory = try TemporaryDirectory()
        let key = directory.path("\(name).key")
        let bytes = try String(contentsOfFile: certificatePath("\(name).key"), encoding: .utf8)
        try bytes.write(toFile: key, atomically: false, encoding: .utf8)
        try #require(unsafe chmod(key, 0o600) == 0)
        return try withExtendedLifetime(directory) {
            try TLSContext(
                certificates: TLSCertificates(
                    certificate: certificatePath("\(name).pem"), privateKey: key,
                    authorities: certificatePath("authority.pem")), longestSession: longestSession)
        }
    }

    /// One connection over a pair of sockets; the connecting side has read what follows the
    /// handshake, which is its ticket.
    private func connect(_ connecting: TLSContext, to listening: TLSContext) throws -> TLSStream {
        let pair = try socketPair()
        let ends = (Descriptor(pair.0), Descriptor(pair.1))
        for end in [ends.0, ends.1] { try end.setNonBlocking() }
        let client = try TLSStream(ends.0, connecting, host: "localhost", address: "a")
        let server = try TLSStream(ends.1, listening, host: nil, address: "b")
        var steps: (client: SecuredHandshakeStep, server: SecuredHandshakeStep) = (.wantsInput, .wantsInput)
        for _ in 0..<10 where steps.client != .complete || steps.server != .complete {
            steps.client = try client.continueHandshake()
            steps.server = try server.continueHandshake()
        }
        try #require(steps.client == .complete && steps.server == .complete)
        var room = [UInt8](repeating: 0, count: 100)
        var span = room.mutableSpan
        var bytes = unsafe span.mutableBytes
        #expect(try client.receive(into: &bytes, at: 0) == nil)
        return server
    }

    @Test func aSessionKeepsItsStartOverItsTickets() throws {
        let (camera, listener) = try (context("camera"), context("listener"))
        let first = try connect(camera, to: listener).sessionStart
        #expect(first > 0)
        for count in 1...3 {
            #expect(try connect(camera, to: listener).sessionStart == first)
            #expect(camera.tickets.resumptions == count)
        }
        // Another listener's context does not know the ticket, and begins anew.
        let other = try connect(camera, to: context("listener")).sessionStart
        #expect(other > first && camera.tickets.resumptions == 3)
    }

    /// A session whose time is over is not resumed, and its peer proves itself by its certificate.
    @Test func aSessionEndsHoweverOftenItWasRenewed() throws {
        let (camera, listener) = try (context("camera"), context("listener", longestSession: 0))
        let first = try connect(camera, to: listener)
        for _ in 0..<3 {
            let next = try connect(camera, to: listener)
            #expect(next.sessionStart > first.sessionStart && next.peer.identity == "camera")
        }
        #expect(camera.tickets.resumptions == 0)
    }
}
