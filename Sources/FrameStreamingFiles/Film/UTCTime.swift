/// A moment of the calendar, in nanoseconds since 1970 (UTC, without leap seconds).
package struct UTCTime: Hashable, Sendable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Seconds since 1970, rounded down.
    package var seconds: Int64 {
        (nanoseconds - (nanoseconds % 1_000_000_000 + 1_000_000_000) % 1_000_000_000) / 1_000_000_000
    }

    /// The moment as RFC 3339 writes it, with microseconds: `2026-11-30T10:46:05.123456Z`.
    package var text: String {
        let micros = (nanoseconds / 1_000) % 1_000_000
        let fraction = micros < 0 ? micros + 1_000_000 : micros
        let (day, second) = Self.divided(seconds, by: 86_400)
        let (year, month, date) = Self.date(ofDay: day)
        return Self.digits(year, 4) + "-" + Self.digits(month, 2) + "-" + Self.digits(date, 2) + "T"
            + Self.digits(second / 3_600, 2) + ":" + Self.digits(second / 60 % 60, 2) + ":"
            + Self.digits(second % 60, 2) + "." + Self.digits(fraction, 6) + "Z"
    }

    /// The moment that a text of the form of ``text`` states, with any number of digits behind the
    /// second; nil = it states none.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 40, bytes.last == UInt8(ascii: "Z"),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":")
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            guard bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard let year = number(0..<4), let month = number(5..<7), let date = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(date), (1678...2261).contains(year), hour < 24, minute < 60,
            second < 61
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            guard bytes[19] == UInt8(ascii: "."), bytes.count > 21 else { return nil }
            let end = min(bytes.count - 1, 29)
            guard let digits = number(20..<end), number(end..<bytes.count - 1) != nil || end == bytes.count - 1 else {
                return nil
            }
            fraction = (end..<29).reduce(digits) { value, _ in value * 10 }
        }
        let seconds = Self.day(year, month, date) * 86_400 + hour * 3_600 + minute * 60 + second
        nanoseconds = seconds * 1_000_000_000 + fraction
    }

    /// The moment that many microseconds later; nil beyond the years that can be stated.
    package func advanced(byMicroseconds count: Int64) -> UTCTime? {
        let (step, tooFar) = count.multipliedReportingOverflow(by: 1_000)
        let (sum, overflow) = nanoseconds.addingReportingOverflow(step)
        return tooFar || overflow ? nil : UTCTime(nanoseconds: sum)
    }

    private static func digits(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }

    private static func divided(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = (value % divisor + divisor) % divisor
        return ((value - remainder) / divisor, remainder)
    }

    // Days of the proleptic Gregorian calendar, counted from 1970, in eras of 400 years that begin
    // with March (Hinnant, "chrono-Compatible Low-Level Date Algorithms").

    private static func day(_ year: Int64, _ month: Int64, _ date: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = divided(year, by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + date - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, date: Int64) {
        let (era, dayOfEra) = divided(day + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
