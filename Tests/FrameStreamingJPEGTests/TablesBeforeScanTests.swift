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

    @Test func whatIsThereIsSeen() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 8, height: 8))
        #expect(look(jpeg) == [true, true])
        #expect(look(JPEGParts.without(0xDB, jpeg)) == [true, false])
        #expect(look(JPEGParts.without(0xC0, jpeg)) == [false, true])
        #expect(look(StandardHuffmanTables.jpeg) == [false, false])
        #expect(look(Array(jpeg[..<2]) + [0xFF, 0xFF, 0xFF, 1, 2] + jpeg[2...]) == [true, true])
    }

    @Test func itNeverLeavesTheBytes() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 8, height: 8))
        for count in 0...jpeg.count { _ = look(Array(jpeg[..<count])) }
        #expect(look([0xFF, 0xD8, 0xFF, 0xDB, 0xFF, 0xFF]) == [false, true])
    }
}
