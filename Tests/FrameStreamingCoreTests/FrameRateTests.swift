import FrameStreamingCore
import Testing

@Suite struct FrameRateTests {
    @Test(arguments: [
        ("30", 30, 1), ("30000/1001", 30000, 1001), ("30000:1001", 30000, 1001), ("29.97", 30000, 1001),
        ("23.976", 24000, 1001), ("59.94", 60000, 1001), ("12.5", 25, 2), ("25.000000", 25, 1), ("60/2", 30, 1),
        ("0.5", 1, 2), ("1/3", 1, 3), ("2147483647", 2_147_483_647, 1), ("15/1", 15, 1),
    ])
    func `reads rates as people write them`(text: String, numerator: Int, denominator: Int) throws {
        let rate = try #require(FrameRate(text))
        #expect(rate.numerator == numerator)
        #expect(rate.denominator == denominator)
        #expect(FrameRate(rate.description) == rate)
    }

    @Test(arguments: [
        "", "0", "-1", "30/0", "0/1", "30/", "/30", "30/-1", "30/+1", "+30", "a", "30fps", "1.2345678", "0.0", "30.",
        ".5",
        "30/1/1", "2147483648", "99999999999999999999", "9999999999.5", "1e3", "30 ",
    ])
    func `refuses what is no rate`(text: String) { #expect(FrameRate(text) == nil) }

    @Test func `refuses fractions that cannot be`() {
        #expect(FrameRate(0) == nil)
        #expect(FrameRate(1, per: 0) == nil)
        #expect(FrameRate(-30) == nil)
        #expect(FrameRate(30, per: -1) == nil)
        #expect(FrameRate(1 << 31) == nil)
    }

    @Test func `has no error that adds up`() throws {
        let rate = try #require(FrameRate(30000, per: 1001))
        #expect(rate.nanoseconds(ofFrame: 0) == 0)
        #expect(rate.nanoseconds(ofFrame: 1) == 33_366_666)
        #expect(rate.nanoseconds(ofFrame: 30_000_000) == 1_001_000_000_000_000)
        #expect(rate.nanoseconds(ofFrame: .max) == .max)
        #expect(FrameRate.thirty.nanoseconds(ofFrame: 90) == 3_000_000_000)
    }

    @Test(arguments: ["30", "30000/1001", "1/7", "240", "1000000000", "2147483647", "59.94"])
    func `frame and time are each other's inverse`(text: String) throws {
        let rate = try #require(FrameRate(text))
        for index in [0, 1, 2, 29, 30, 31, 1000, 123_456_789] as [UInt64] {
            let time = rate.nanoseconds(ofFrame: index)
            // At rates above one in a nanosecond several frames share a time.
            #expect(rate.nanoseconds(ofFrame: rate.frame(atNanoseconds: time)) == time)
            #expect(rate.frame(atNanoseconds: time) >= index)
            if time > 0 { #expect(rate.frame(atNanoseconds: time - 1) < index) }
        }
        #expect(rate.frame(atNanoseconds: -1) == 0)
    }
}
