import FrameStreamingCore
import Testing

/// Hosts and ports as people write them.
@Suite struct NetworkAddressTests {
    @Test(
        arguments: [
            ("5600", "127.0.0.1", 5600), (":5600", "127.0.0.1", 5600), ("0", "127.0.0.1", 0), ("[::]:7", "::", 7),
            ("0.0.0.0:7", "0.0.0.0", 7), ("[fe80::1%lo]:65535", "fe80::1%lo", 65535),
        ] as [(String, String, UInt16)])
    func aHostMayBeImplied(text: String, host: String, port: UInt16) throws {
        let address = try NetworkAddress(text, defaultHost: "127.0.0.1")
        #expect(address.host == host && address.port == port)
        // What it prints is an address that it reads.
        #expect(try NetworkAddress(address.description, defaultHost: "other") == address)
    }

    @Test func aHostThatIsNamedNeedsNoDefault() throws {
        #expect(try NetworkAddress("host:5600") == NetworkAddress("host:5600", defaultHost: "other"))
    }

    @Test(arguments: [
        "", "host", "5600", ":5600", "host:", "host:x", "host:-1", "host:65536", "::1:5600", "[::1]",
        "[::1:5600", "host:0", "host:+5", "host:٣", "host:99999999999999999999",
    ])
    func whatIsNoAddressIsRefusedWithTheForm(text: String) {
        let error = #expect(throws: FrameStreamingError.self) { try NetworkAddress(text) }
        #expect(error?.code == .invalidArgument && error?.subject == text)
    }
}
