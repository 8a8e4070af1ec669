import FrameStreamingCore
import Testing

/// Hosts and ports as people write them.
@Suite struct NetworkAddressTests {
    @Test(
        arguments: [
            ("5600", "127.0.0.1", 5600), (":5600", "127.0.0.1", 5600), ("0", "127.0.0.1", 0), ("[::]:7", "::", 7),
            ("0.0.0.0:7", "0.0.0.0", 7), ("[fe80::1%lo]:65535", "fe80::1%lo", 65535),
        ] as [(String, String, Int)])
    func aHostMayBeImplied(text: String, host: String, port: Int) throws {
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
        #expect(error?.message.contains("write HOST:PORT") == true)
    }

    @Test(arguments: [
        ("", "the address is empty"), ("5600", "no host is named"), (":5600", "no host is named"),
        ("host", "no port is named"), ("host:", "no port is named"), ("[::1]", "no port is named"),
        ("[::1]:", "no port is named"), ("host:x", "the port must be a number from 0 to 65535, not x"),
        ("host:65536", "the port must be a number from 0 to 65535, not 65536"),
    ])
    func theErrorNamesWhatIsMissing(text: String, what: String) {
        let error = #expect(throws: FrameStreamingError.self) { try NetworkAddress(text) }
        #expect(error?.message.hasPrefix(what + ":") == true, "\(error as Any)")
        // An empty address leaves no colon in front.
        #expect(error?.description.hasPrefix(text.isEmpty ? what : text + ": " + what) == true)
    }

    @Test(arguments: ["", "host", "host:"]) func soItDoesWhereAHostIsImplied(text: String) {
        let error = #expect(throws: FrameStreamingError.self) { try NetworkAddress(text, defaultHost: "127.0.0.1") }
        #expect(error?.message.contains("write [HOST:]PORT") == true)
        #expect(error?.description.hasPrefix(":") == false)
    }
}
