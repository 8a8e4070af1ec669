import FrameStreamingCore
import FrameStreamingSystem
import Glibc
import Testing

@testable import FrameStreamingTCP

@Suite struct PlaceTableTests {
    private func host(_ number: UInt8) -> PeerHost {
        PeerHost(family: AF_INET, socketAddress: [2, 0, 0, 80, 10, 0, 0, number])
    }

    @Test func aPeerTakesAPlaceOnlyOnceItHasIntroducedItself() {
        var table = PlaceTable()
        let limits = PlaceLimits(connections: 1, handshakes: 10)
        for ticket in 1...5 as ClosedRange<UInt64> {
            #expect(table.enter(ticket, from: host(1), limits) == .enters(inPlaceOf: nil))
        }
        #expect(table.prove(3, limits) == nil && table.connections == 1 && table.handshakes == 4)
        // Those that were earlier have no place any more, and neither has one that connects.
        #expect(table.prove(1, limits) == .connections && table.connections == 1 && table.handshakes == 4)
        #expect(table.enter(6, from: host(2), limits) == .refused(.connections))
        table.leave(3)
        #expect(table.prove(1, limits) == nil)
        // The second time it has its place already.
        #expect(table.prove(1, limits) == nil && table.connections == 1)
    }

    @Test func anAddressHasOnlySoManyPlaces() {
        var table = PlaceTable()
        let limits = PlaceLimits(connections: 10, perAddress: 2, handshakes: 10)
        for ticket in 1...3 as ClosedRange<UInt64> {
            #expect(table.enter(ticket, from: host(1), limits) == .enters(inPlaceOf: nil))
        }
        #expect(table.prove(1, limits) == nil && table.prove(2, limits) == nil)
        #expect(table.prove(3, limits) == .connectionsPerAddress)
        #expect(table.enter(4, from: host(1), limits) == .refused(.connectionsPerAddress))
        #expect(table.enter(5, from: host(2), limits) == .enters(inPlaceOf: nil) && table.prove(5, limits) == nil)
        table.leave(1)
        #expect(table.prove(3, limits) == nil)
    }

    @Test func tooManyHandshakesCostTheAddressThatHasTheMost() {
        var table = PlaceTable()
        let limits = PlaceLimits(handshakes: 4)
        #expect(table.enter(1, from: host(9), limits) == .enters(inPlaceOf: nil))
        for ticket in 2...4 as ClosedRange<UInt64> {
            #expect(table.enter(ticket, from: host(1), limits) == .enters(inPlaceOf: nil))
        }
        // Not the oldest, which is another's.
        #expect(table.enter(5, from: host(2), limits) == .enters(inPlaceOf: 2))
        #expect(table.enter(6, from: host(1), limits) == .enters(inPlaceOf: 3))
        #expect(table.handshakes == 4)
        // All have one: the oldest of all.
        var even = PlaceTable()
        for number in 1...4 as ClosedRange<UInt8> {
            #expect(even.enter(UInt64(number), from: host(number), limits) == .enters(inPlaceOf: nil))
        }
        #expect(even.enter(5, from: host(5), limits) == .enters(inPlaceOf: 1))
        // One that was ended has no place to get.
        #expect(even.prove(1, limits) == nil && even.connections == 0)
    }

    @Test func whatLeavesTwiceOrWasNeverThereChangesNothing() {
        var table = PlaceTable()
        let limits = PlaceLimits(connections: 2, perAddress: 1, handshakes: 2)
        #expect(table.enter(1, from: host(1), limits) == .enters(inPlaceOf: nil))
        #expect(table.prove(1, limits) == nil)
        table.leave(1)
        table.leave(1)
        table.leave(7)
        #expect(table.isEmpty && table.enter(2, from: host(1), limits) == .enters(inPlaceOf: nil))
        #expect(table.prove(2, limits) == nil)
    }

    @Test func anIPv6PeerCountsByItsNetwork() {
        func host(_ address: [UInt8], interface: UInt8 = 0) -> PeerHost {
            PeerHost(
                family: AF_INET6,
                socketAddress: [10, 0, 0, 80, 0, 0, 0, 0] + address + [interface, 0, 0, 0])
        }
        let network: [UInt8] = [0x20, 1, 0xD, 0xB8, 0, 0, 0, 7]
        let another: [UInt8] = [0x20, 1, 0xD, 0xB8, 0, 0, 0, 8]
        let one: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1]
        #expect(host(network + one) == host(network + [9, 9, 9, 9, 9, 9, 9, 9]))
        #expect(host(network + one) != host(another + one))
        let local: [UInt8] = [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(host(local + [1], interface: 2) != host(local + [2], interface: 2))
        #expect(host(local + [1], interface: 2) != host(local + [1], interface: 3))
        // An IPv4 peer at a socket for both.
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 1]
        #expect(host(mapped) == self.host(1))
        #expect(PeerHost(family: AF_UNIX, socketAddress: [1, 0]) == .none)
        #expect(PeerHost(family: AF_INET6, socketAddress: [10, 0]) == .none)
    }
}
