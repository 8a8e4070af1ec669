import Foundation
import FrameStreamingSystem
import Glibc
import Testing

@Suite struct NetworkInterfacesTests {
    /// This machine's IPv4 addresses by the kernel's own table of routes.
    private func local() throws -> Set<String> {
        let lines = try String(contentsOfFile: "/proc/net/fib_trie", encoding: .utf8).split(separator: "\n")
        return Set(
            zip(lines, lines.dropFirst()).compactMap { line, next in
                next.contains("host LOCAL") ? line.split(separator: " ").last.map(String.init) : nil
            })
    }

    @Test func theyAreThisMachinesAndNotLoopback() throws {
        let (four, all) = (reachableAddresses(hasIPv6: false), reachableAddresses(hasIPv6: true))
        #expect(Set(four).count == four.count && Set(all).count == all.count)
        #expect(Array(all.prefix(four.count)) == four && all.dropFirst(four.count).allSatisfy { $0.contains(":") })
        #expect(!all.contains { $0.hasPrefix("127.") || $0 == "::1" || $0.hasPrefix("fe80:") })
        let local = try local()
        #expect(local.contains("127.0.0.1"), "the table is read as intended")
        #expect(Set(four).isSubset(of: local), "\(four) of \(local)")
        for address in all {
            var (number, six) = (in_addr(), in6_addr())
            // The results are locals, which live through the calls.
            let isFour = unsafe inet_pton(AF_INET, address, &number) == 1
            let isSix = unsafe inet_pton(AF_INET6, address, &six) == 1
            #expect(isFour || isSix, "\(address)")
        }
    }

    /// The address from which this machine would reach others is among them. Connecting a datagram
    /// socket sends nothing.
    @Test func theyHaveTheOneOfTheDefaultRoute() throws {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { Glibc.close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(9).bigEndian
        // 192.0.2.1, which no machine has (RFC 5737).
        address.sin_addr.s_addr = UInt32(0xC000_0201).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isRouted = unsafe withUnsafeMutablePointer(to: &address) {
            let pointer = unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self)
            return unsafe connect(socket, pointer, length) == 0 && getsockname(socket, pointer, &length) == 0
        }
        guard isRouted else { return }
        var text = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
        unsafe inet_ntop(AF_INET, &address.sin_addr, &text, socklen_t(text.count))
        let own = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(own.hasPrefix("127.") || reachableAddresses(hasIPv6: false).contains(own))
    }
}
