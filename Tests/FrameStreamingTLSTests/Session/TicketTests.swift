import Foundation
import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTCP
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// How long a peer may come back by tickets, step by step and without a thread.
@Suite(.ownThread(atOnce: 4)) struct TicketTests {
    /// One connection over a pair of sockets; the connecting side has read what follows the
    /// handshake, which is its ticket.
    private func connect(_ connecting: TLSContext, to listening: TLSContext) throws -> TLSStream {
        let ends = try descriptorPair()
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
        let (camera, listener) = try (certificateContext("camera"), certificateContext("listener"))
        let first = try connect(camera, to: listener).sessionStart
        #expect(first > 0)
        for count in 1...3 {
            #expect(try connect(camera, to: listener).sessionStart == first)
            #expect(camera.tickets.resumptions == count)
        }
        // Another listener's context does not know the ticket, and begins anew.
        let other = try connect(camera, to: certificateContext("listener")).sessionStart
        #expect(other > first && camera.tickets.resumptions == 3)
    }

    /// A ticket is one of a host's name as it was written, which the certificate was compared with.
    @Test func equalNamesThatAreWrittenDifferentlyAreOfOtherPeers() {
        let composed = TicketStore.Peer(host: "caf\u{E9}", address: "a")
        #expect(composed != TicketStore.Peer(host: "cafe\u{301}", address: "a"))
        #expect(composed != TicketStore.Peer(host: "caf", address: "\u{E9}a"))
        #expect(composed == TicketStore.Peer(host: "caf\u{E9}", address: "a"))
    }

    /// A session whose time is over is not resumed, and its peer proves itself by its certificate.
    @Test func aSessionEndsHoweverOftenItWasRenewed() throws {
        let (camera, listener) = try (certificateContext("camera"), certificateContext("listener", longestSession: 0))
        let first = try connect(camera, to: listener)
        for _ in 0..<3 {
            let next = try connect(camera, to: listener)
            #expect(next.sessionStart > first.sessionStart && next.peer.identity == "camera")
        }
        #expect(camera.tickets.resumptions == 0)
    }
}
