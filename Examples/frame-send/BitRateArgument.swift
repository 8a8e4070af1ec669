import ArgumentParser
import FrameStreaming

/// A number of bits a second, such as `2M`, or `auto`.
struct BitRateArgument: ExpressibleByArgument, CustomStringConvertible {
    let rate: BitRate

    init?(argument: String) {
        if argument == "auto" {
            rate = .automatic
            return
        }
        var digits = argument[...]
        var factor = 1.0
        switch digits.last {
        case "k", "K": factor = 1e3
        case "m", "M": factor = 1e6
        case "g", "G": factor = 1e9
        default: break
        }
        if factor > 1 { digits.removeLast() }
        // `Double` also reads words and exponents.
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }), let number = Double(digits) else {
            return nil
        }
        let bits = (number * factor).rounded()
        guard bits >= Double(BitRate.smallest), bits <= Double(BitRate.largest) else { return nil }
        rate = .fixed(Int(bits))
    }

    var description: String { rate.bitsPerSecond.map { "\($0)" } ?? "auto" }
}
