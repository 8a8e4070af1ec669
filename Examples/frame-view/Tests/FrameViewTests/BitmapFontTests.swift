import Testing

@testable import frame_view

@Suite struct BitmapFontTests {
    /// The character as text, a line for each row.
    private func picture(_ character: Character) -> [String] {
        let columns = BitmapFont.columns(of: character)
        return (0..<BitmapFont.height).map { row in
            String(columns.map { $0 >> UInt8(row) & 1 == 1 ? "#" : "." })
        }
    }

    private let printable = (0x21...0x7E).map { Character(UnicodeScalar(UInt8($0))) }

    @Test func charactersLookLikeThemselves() {
        #expect(
            picture("R") == [
                "####.",
                "#...#",
                "#...#",
                "####.",
                "#.#..",
                "#..#.",
                "#...#",
                ".....",
            ])
        #expect(
            picture("p") == [
                ".....",
                ".....",
                "####.",
                "#...#",
                "#...#",
                "####.",
                "#....",
                "#....",
            ])
        #expect(
            picture("4") == [
                "...#.",
                "..##.",
                ".#.#.",
                "#..#.",
                "#####",
                "...#.",
                "...#.",
                ".....",
            ])
    }

    @Test func everyCharacterIsThereAndLikeNoOther() {
        for character in printable {
            let columns = BitmapFont.columns(of: character)
            #expect(columns.count == BitmapFont.width && columns.contains { $0 != 0 }, "\(character)")
        }
        #expect(Set(printable.map { BitmapFont.columns(of: $0) }).count == printable.count)
        #expect(BitmapFont.columns(of: " ").allSatisfy { $0 == 0 })
    }

    @Test func whatIsNotThereIsAQuestionMark() {
        for character in ["ä", "\u{7F}", "\u{1F}", "漢", "👩‍👩‍👧"] as [Character] {
            #expect(BitmapFont.columns(of: character) == BitmapFont.columns(of: "?"))
        }
        // A line break of two characters is one Character with an ASCII value of its own.
        #expect(BitmapFont.columns(of: "\r\n") == BitmapFont.columns(of: "?"))
    }
}
