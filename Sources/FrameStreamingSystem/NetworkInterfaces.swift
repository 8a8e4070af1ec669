internal import Glibc

/// Returns the numeric addresses by which other machines may reach this one: IPv4 first, without
/// duplicates, in the system's order.
///
/// Leaves out loopback, interfaces that are down or have no carrier, such as a bridge that nothing
/// uses, and link-local IPv6 addresses, which mean nothing without a zone of the other machine.
///
/// Unsafe code: getifaddrs makes a list, which is read until it is freed here. The family of an
/// address says how many bytes it has.
///
/// - Parameter hasIPv6: Whether to return IPv6 addresses, too.
package func reachableAddresses(hasIPv6: Bool) -> [String] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&list) == 0 else { return [] }
    defer { unsafe freeifaddrs(list) }
    var four: [String] = []
    var six: [String] = []
    var next = unsafe list
    while let entry = unsafe next {
        unsafe next = entry.pointee.ifa_next
        // net/if.h: IFF_UP, IFF_LOOPBACK, IFF_RUNNING.
        let (up, loopback, running): (UInt32, UInt32, UInt32) = (0x1, 0x8, 0x40)
        guard unsafe entry.pointee.ifa_flags & (up | loopback | running) == up | running,
            let address = unsafe entry.pointee.ifa_addr
        else { continue }
        let bytes = UnsafeRawPointer(address)
        switch unsafe CInt(address.pointee.sa_family) {
        case AF_INET:
            var number = unsafe bytes.loadUnaligned(as: sockaddr_in.self).sin_addr
            unsafe four.append(text(AF_INET, &number))
        case AF_INET6 where hasIPv6:
            var number = unsafe bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            let written = unsafe text(AF_INET6, &number)
            // fe80::/10.
            if !["fe8", "fe9", "fea", "feb"].contains(where: written.hasPrefix) { six.append(written) }
        default: break
        }
    }
    var seen: Set<String> = []
    return (four + six).filter { !$0.isEmpty && seen.insert($0).inserted }
}

/// Returns an address as people write it; empty where the system cannot.
private func text(_ family: CInt, _ address: UnsafeRawPointer) -> String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard unsafe inet_ntop(family, address, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Returns the name of this machine, as `hostname` prints it; empty where it has none.
///
/// Unsafe code: the name is written into a local buffer of the given size.
package func machineName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    // The smaller count leaves room for the terminating zero, which a long name would otherwise lack.
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
