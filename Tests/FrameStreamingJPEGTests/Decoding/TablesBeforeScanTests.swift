import CTurboJPEG
import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

@Suite struct TablesBeforeScanTests {
    private func look(_ jpeg: [UInt8]) -> [Bool] {
        unsafe jpeg.withUnsafeBytes {
            let found = unsafe TablesBeforeScan($0)
            return [found.hasFrame, found.hasQuantization]
        }
    }

    @Test func findsTheTablesAndTheFrame() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 8, height: 8))
        #expect(look(jpeg) == [true, true])
        #expect(look(JPEGParts.without(0xDB, jpeg)) == [true, false])
        #expect(look(JPEGParts.without(0xC0, jpeg)) == [false, true])
        #expect(look(StandardHuffmanTables.jpeg) == [false, false])
        #expect(look(Array(jpeg[..<2]) + [0xFF, 0xFF, 0xFF, 1, 2] + jpeg[2...]) == [true, true])
    }

    private func size(_ jpeg: [UInt8]) -> [Int]? {
        unsafe jpeg.withUnsafeBytes { unsafe TablesBeforeScan($0).size.map { [$0.width, $0.height] } }
    }

    private func hasHuffmanTables(_ jpeg: [UInt8]) -> Bool {
        unsafe jpeg.withUnsafeBytes { unsafe TablesBeforeScan($0).hasHuffmanTables }
    }

    /// The size found without the library equals the library's.
    @Test(arguments: [(1, 1), (17, 13), (64, 48), (683, 385)])
    func theSizeIsTheLibrarys(_ width: Int, _ height: Int) throws {
        let picture = TestPicture(width: width, height: height)
        let colours = try picture.frame(.rgb24)
        let typical = try JPEGParts.encode(colours)
        for jpeg in try [
            typical, JPEGParts.encode(colours, sampling: 0), JPEGParts.encode(picture, .gray8, sampling: 3),
            JPEGParts.encode(colours, sampling: 5), JPEGParts.encode(colours, flags: TJFLAG_PROGRESSIVE),
            JPEGParts.without(0xC4, typical),
        ] {
            #expect(size(jpeg) == [width, height])
            let decompressor = try TurboDecompressor()
            let (told, header) = try unsafe jpeg.withUnsafeBytes {
                try unsafe (decompressor.size($0, .none), decompressor.header($0, .none))
            }
            #expect([told.width, told.height] == [header.width, header.height])
            #expect([told.width, told.height] == [width, height])
        }
    }

    @Test func oddSegmentsAreLeftToTheLibrary() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 8, height: 8))
        let frame = try #require(JPEGParts.segments(jpeg).first { $0.marker == 0xC0 }).range
        let tables = try #require(JPEGParts.segments(jpeg).first { $0.marker == 0xC4 }).range
        #expect(size(jpeg) == [8, 8])
        #expect(try size(JPEGParts.cmyk()) == nil)
        #expect(size(JPEGParts.without(0xC0, jpeg)) == nil)
        #expect(size(JPEGParts.claiming(8, 0, jpeg)) == nil)
        #expect(size(Array(jpeg[..<frame.upperBound]) + jpeg[frame.lowerBound...]) == nil, "two frame headers")
        #expect(size(Array(jpeg[..<2]) + [0xFF] + jpeg[2...]) == nil, "a byte of fill")
        #expect(size(Array(jpeg[..<JPEGParts.scanStart(jpeg)].dropLast(14))) == nil, "no scan")
        var damaged = jpeg
        damaged[tables.lowerBound + 5] += 1
        #expect(size(damaged) == nil, "a Huffman table that is longer than its segment")
        damaged = jpeg
        damaged[frame.lowerBound + 4] = 12
        #expect(size(damaged) == nil, "12 bits a sample")
    }

    @Test func allHuffmanTablesOrNot() throws {
        let picture = TestPicture(width: 8, height: 8)
        let jpeg = try JPEGParts.encode(picture)
        #expect(hasHuffmanTables(jpeg))
        #expect(hasHuffmanTables(StandardHuffmanTables.jpeg))
        #expect(!hasHuffmanTables(JPEGParts.without(0xC4, jpeg)))
        #expect(try !hasHuffmanTables(JPEGParts.encode(picture, .gray8, sampling: 3)))
        // The third table is missing, whichever it is.
        let third = JPEGParts.segments(jpeg).filter { $0.marker == 0xC4 }[2].range
        #expect(!hasHuffmanTables(Array(jpeg[..<third.lowerBound]) + jpeg[third.upperBound...]))
    }

    @Test func itNeverLeavesTheBytes() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 8, height: 8))
        for count in 0...jpeg.count { _ = look(Array(jpeg[..<count])) }
        #expect(look([0xFF, 0xD8, 0xFF, 0xDB, 0xFF, 0xFF]) == [false, true])
    }
}
