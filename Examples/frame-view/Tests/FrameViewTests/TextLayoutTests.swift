import Testing

@testable import frame_view

@Suite struct TextLayoutTests {
    @Test func dotsLieInTheBoxAndTheBoxInTheWindow() {
        for window in [Size(width: 320, height: 240), Size(width: 640, height: 480), Size(width: 1921, height: 1081)] {
            for place in [TextLayout.Place.topLeft, .bottom] {
                let layout = TextLayout(["30.0 fps  delay 1.2 ms", "gjpqy,;|"], at: place, in: window)
                #expect(!layout.dots.isEmpty)
                #expect(layout.box.x >= 0 && layout.box.y >= 0)
                #expect(layout.box.x + layout.box.width <= window.width)
                #expect(layout.box.y + layout.box.height <= window.height)
                for dot in layout.dots {
                    #expect(dot.x > layout.box.x && dot.x + dot.width < layout.box.x + layout.box.width)
                    #expect(dot.y > layout.box.y && dot.y + dot.height < layout.box.y + layout.box.height)
                }
            }
        }
    }

    @Test func aCharacterIsDrawnAsTheFontHasIt() {
        let window = Size(width: 640, height: 480)
        let layout = TextLayout(["R"], at: .topLeft, in: window)
        let dot = TextLayout.dot(in: window)
        #expect(dot == 2)
        var drawn: Set<[Int]> = []
        for area in layout.dots {
            #expect(area.width == dot && area.height % dot == 0)
            for row in 0..<area.height / dot {
                drawn.insert([(area.x - layout.box.x) / dot - 3, (area.y - layout.box.y) / dot - 3 + row])
            }
        }
        var expected: Set<[Int]> = []
        for (column, bits) in BitmapFont.columns(of: "R").enumerated() {
            for row in 0..<8 where bits >> UInt8(row) & 1 == 1 { expected.insert([column, row]) }
        }
        #expect(drawn == expected)
    }

    @Test func lettersGrowWithTheWindow() {
        #expect(TextLayout.dot(in: Size(width: 100, height: 60)) == 1)
        #expect(TextLayout.dot(in: Size(width: 1280, height: 720)) == 3)
        // A wide and low window has low letters.
        #expect(TextLayout.dot(in: Size(width: 3840, height: 200)) == 1)
    }

    @Test func longLinesAreBrokenAtBlanks() {
        #expect(TextLayout.wrapped("a connection was lost", 10) == ["a", "connection", "was lost"])
        #expect(TextLayout.wrapped("abc def", 7) == ["abc def"])
        #expect(TextLayout.wrapped("abc def", 3) == ["abc", "def"])
        #expect(TextLayout.wrapped("", 5) == [""])
    }

    @Test func wordsWithoutABlankAreCut() {
        #expect(TextLayout.wrapped("abcdefgh", 3) == ["abc", "def", "gh"])
        #expect(TextLayout.wrapped(" abcdefgh", 4) == [" abc", "defg", "h"])
        #expect(TextLayout.wrapped("abc", 1) == ["a", "b", "c"])
    }

    @Test func nothingIsLostInBreaking() {
        let words = "source lost: the camera is gone: plug it in again, or name another"
        for columns in 1...80 {
            let pieces = TextLayout.wrapped(words, columns)
            #expect(pieces.allSatisfy { $0.count <= columns })
            #expect(pieces.joined().filter { $0 != " " } == words.filter { $0 != " " })
        }
    }

    @Test func aWindowTooSmallForTheTextHasSomeOfIt() {
        let layout = TextLayout(
            ["no room for all of this", "nor for this", "nor this"], at: .topLeft, in: Size(width: 64, height: 48))
        #expect(!layout.dots.isEmpty && layout.box.y + layout.box.height <= 48)
    }
}
