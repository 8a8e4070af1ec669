import ExampleSupport
import FrameStreamingCore
import Testing

@Suite struct LineLimitTests {
    @Test func whatWasLeftOutIsCounted() {
        #expect(
            suppressedWords(.sourceLost, 12_345, seconds: 10) == "source lost: ... and 12,345 more like it in 10 s")
        #expect(suppressedWords(.refused, 1, seconds: 0.2) == "refused: ... and 1 more like it in 1 s")
        #expect(suppressedWords(.summary, 1_000_000, seconds: 10).contains("and 1,000,000 more"))
        #expect(suppressedWords(.summary, 999, seconds: 10).contains("and 999 more"))
    }

    @Test func noKindPrintsMoreThanPeopleRead() {
        for kind in LineKind.allCases {
            let (perSource, total) = kind.rates
            // A line with a peer's text takes some 300 bytes, so a rate in this range is harmless.
            #expect(perSource.interval >= .milliseconds(2) && total.interval >= .milliseconds(1), "\(kind)")
            #expect(perSource.burst <= total.burst && total.burst <= 4_000, "\(kind)")
        }
    }

    @Test func jsonIsPrintableASCIIAndMeansTheSame() throws {
        let json = "{\"text\":\"T\u{FC}r \u{7F}\u{9B}31m \u{2028}\u{202E}\u{1F600} \\u001b \\\"\"}"
        let line = asciiJSON(json)
        #expect(line.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        #expect(try Line(line).string("text") == "T\u{FC}r \u{7F}\u{9B}31m \u{2028}\u{202E}\u{1F600} \u{1B} \"")
        #expect(asciiJSON("{\"a\":1}") == "{\"a\":1}")
    }
}
