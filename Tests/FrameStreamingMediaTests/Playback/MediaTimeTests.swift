import CFFmpeg
import FrameStreamingCore
import Testing

@testable import FrameStreamingMedia

@Suite struct MediaTimeTests {
    @Test func `stamps in any unit are times`() {
        #expect(MediaTime.duration(90_000, in: AVRational(num: 1, den: 90_000)) == .seconds(1))
        #expect(MediaTime.duration(-3, in: AVRational(num: 1001, den: 30_000)) == .nanoseconds(-100_100_000))
        #expect(MediaTime.duration(0, in: AVRational(num: 1, den: 1)) == .zero)
    }

    @Test func `what a file cannot mean is no time`() {
        let numbers: [Int32] = [.min, -1, 0, 1, 2, .max]
        for stamp in [Int64.min, .min + 1, -1, 0, 1, .max] {
            for num in numbers {
                for den in numbers {
                    let time = MediaTime.duration(stamp, in: AVRational(num: num, den: den))
                    if num <= 0 || den <= 0 || stamp == .min { #expect(time == nil) }
                    if let time { #expect(abs(time.inSeconds) <= 100 * 366 * 86_400) }
                }
            }
        }
        #expect(MediaTime.duration(.max, in: AVRational(num: .max, den: 1)) == nil)
    }

    @Test func `rates are those that pictures can have`() {
        #expect(MediaTime.rate(AVRational(num: 30_000, den: 1001)) == FrameRate(30_000, per: 1001))
        for (num, den) in [(0, 1), (1, 0), (-25, 1), (90_000, 1), (1, 100_000), (Int32.max, 1)] as [(Int32, Int32)] {
            #expect(MediaTime.rate(AVRational(num: num, den: den)) == nil)
        }
    }
}
