/// JSON, written from front to back (RFC 8259). Numbers that JSON has no word for are null.
struct JSONWriter {
    private(set) var text = ""
    /// Whether the next value needs a comma before it.
    private var needsComma = false

    /// An object; `body` writes its members.
    mutating func object(_ body: (inout JSONWriter) -> Void) { enclosed("{", "}", body) }

    /// An array; `body` writes its elements.
    mutating func array(_ body: (inout JSONWriter) -> Void) { enclosed("[", "]", body) }

    private mutating func enclosed(_ open: String, _ close: String, _ body: (inout JSONWriter) -> Void) {
        separate()
        text += open
        needsComma = false
        body(&self)
        text += close
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { text += "," }
        needsComma = true
    }

    /// The name of the next value.
    mutating func key(_ name: String) {
        separate()
        quote(name)
        text += ":"
        needsComma = false
    }

    mutating func value(_ string: String?) {
        separate()
        if let string { quote(string) } else { text += "null" }
    }

    mutating func value(_ number: Int?) {
        separate()
        text += number.map { String($0) } ?? "null"
    }

    /// With three places: times are in milliseconds.
    mutating func value(_ number: Double?) {
        separate()
        text += number.flatMap(Self.decimal) ?? "null"
    }

    mutating func member(_ name: String, _ string: String?) {
        key(name)
        value(string)
    }

    mutating func member(_ name: String, _ number: Int?) {
        key(name)
        value(number)
    }

    mutating func member(_ name: String, _ number: Double?) {
        key(name)
        value(number)
    }

    /// At most three places, never an exponent; nil for what is no number.
    static func decimal(_ number: Double) -> String? {
        guard number.isFinite, abs(number) < 1e15 else { return nil }
        let thousandths = Int64((abs(number) * 1000).rounded())
        let sign = number < 0 && thousandths > 0 ? "-" : ""
        let fraction = thousandths % 1000
        guard fraction > 0 else { return "\(sign)\(thousandths / 1000)" }
        var digits = String(fraction)
        digits = String(repeating: "0", count: 3 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(sign)\(thousandths / 1000).\(digits)"
    }

    private mutating func quote(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            // `<` so that the text may stand in a page; the two separators are line ends in older JavaScript.
            case "\u{0}"..."\u{1F}", "\u{7F}", "<", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
