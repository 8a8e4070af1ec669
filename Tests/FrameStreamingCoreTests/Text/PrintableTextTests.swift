import FrameStreamingCore
import Testing

@Suite struct PrintableTextTests {
    /// Scalars that have broken terminals and logs, and their neighbours.
    private static let hostile: [Unicode.Scalar] = [
        "\u{0}", "\u{7}", "\u{8}", "\t", "\n", "\u{B}", "\r", "\u{1B}", "\u{1F}", "\u{7F}", "\u{80}", "\u{84}",
        "\u{85}",
        "\u{90}", "\u{9B}", "\u{9D}", "\u{9F}", "\u{AD}", "\u{34F}", "\u{61C}", "\u{115F}", "\u{180E}", "\u{200B}",
        "\u{200C}",
        "\u{200D}", "\u{200E}", "\u{200F}", "\u{2028}", "\u{2029}", "\u{202A}", "\u{202E}", "\u{2060}", "\u{2066}",
        "\u{2069}",
        "\u{206F}", "\u{3164}", "\u{FEFF}", "\u{FFF9}", "\u{FFFB}", "\u{E0001}", "\u{E0041}", "\u{E007F}",
    ]

    /// Whether a terminal shows the scalar itself and does nothing else.
    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    @Test func plainTextStaysAsItIs() {
        for text in ["", "front door", "Tür 漢 ❤️ é \\n \"quoted\"", String(repeating: "x", count: 200)] {
            #expect(String(printable: text) == text)
        }
    }

    @Test func eachHostileScalarIsEscaped() {
        #expect(String(printable: "a\u{1B}[2Jb\r\nc\td\0") == "a\\u{1B}[2Jb\\r\\nc\\td\\u{0}")
        for scalar in Self.hostile {
            let result = String(printable: "a\(Character(scalar))b")
            #expect(result.hasPrefix("a\\") && result.hasSuffix("b"), "\(scalar.value)")
            #expect(result.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) }, "\(scalar.value)")
        }
    }

    @Test func everyControlOrFormatScalarOfUnicodeIsEscaped() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), !Self.isHarmless(scalar) else { continue }
            let result = String(printable: String(Character(scalar)))
            #expect(result.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "U+\(String(value, radix: 16))")
        }
    }

    @Test func anyBytesGiveOnePrintableLineOfBoundedLength() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let limit = Int.random(in: 1...300, using: &generator)
            var text = ""
            for _ in 0..<Int.random(in: 0...400, using: &generator) {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text.unicodeScalars.append(Self.hostile.randomElement(using: &generator) ?? "\n")
                case 1:
                    text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0...0xD7FF, using: &generator)) ?? "?")
                case 2: text += String(decoding: [UInt8.random(in: 0...255, using: &generator)], as: UTF8.self)
                default: text += "x"
                }
            }
            let result = String(printable: text, limit: limit)
            #expect(result.unicodeScalars.count <= limit)
            #expect(result.unicodeScalars.allSatisfy(Self.isHarmless))
            #expect(result.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
            // Printable text is unchanged, so escaping a line that contains an
            // escaped text does not escape it twice.
            #expect(String(printable: result, limit: limit) == result)
            #expect(String(printable: result, limit: .max) == result)
        }
    }

    @Test func aLongTextIsCutBehindAWholeEscape() {
        #expect(String(printable: String(repeating: "x", count: 201)) == String(repeating: "x", count: 199) + "…")
        #expect(String(printable: "abcdef", limit: 4) == "abc…")
        #expect(String(printable: "ab\u{1B}c", limit: 8) == "ab…")
        #expect(String(printable: "ab\u{1B}", limit: 8) == "ab\\u{1B}")
        #expect(String(printable: "ab\u{1B}c", limit: 9) == "ab\\u{1B}c")
        #expect(String(printable: "ab\u{1B}cd", limit: 9) == "ab\\u{1B}…")
        #expect(String(printable: "abc", limit: 1) == "…")
        #expect(String(printable: "a", limit: 1) == "a")
        #expect(String(printable: "abc", limit: 0) == "…")
        #expect(String(printable: "abc", limit: .min) == "…")
        // Marks without end on one letter are one character to Swift, but not to a terminal.
        #expect(String(printable: "a" + String(repeating: "\u{301}", count: 5_000)).unicodeScalars.count == 200)
    }

    @Test func anErrorIsOneLineWhateverIsInIt() {
        let error = FrameStreamingError(
            .rejected, "no: \u{1B}]0;x\u{7}\nError: forged\u{202E}", subject: "a\r\nb\u{9B}31m")
        #expect(error.message == "no: \\u{1B}]0;x\\u{7}\\nError: forged\\u{202E}")
        #expect(error.description == "a\\r\\nb\\u{9B}31m: no: \\u{1B}]0;x\\u{7}\\nError: forged\\u{202E}")
        #expect("\(error)" == error.description)
        // A path is still the path, so that a program can use it.
        #expect(error.subject == "a\r\nb\u{9B}31m")
    }
}
