import CTurboJPEG
import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

/// JPEGs of real cameras that break the standard, and that every viewer shows.
@Suite struct JPEGWarningTests {
    /// What is wrong with a JPEG that decodes nevertheless.
    enum Fault: CaseIterable {
        case cut, earlyEnd, noEnd, spectralSelection, bytesBeforeTable

        func apply(to jpeg: [UInt8]) -> [UInt8] {
            let segments = JPEGParts.segments(jpeg)
            let scan = segments.last?.range.upperBound ?? 0
            var bytes = jpeg
            switch self {
            case .cut: bytes.removeLast(jpeg.count / 3)
            case .earlyEnd: bytes.replaceSubrange(jpeg.count - 100..<jpeg.count - 2, with: [])
            case .noEnd: bytes.removeLast(2)
            case .spectralSelection: bytes[scan - 2] = 0
            case .bytesBeforeTable:
                bytes.insert(contentsOf: [UInt8](repeating: 0, count: 608), at: segments[1].range.upperBound)
            }
            return bytes
        }
    }

    private static let picture = TestPicture(width: 160, height: 96)
    private let settings = [PixelFormat.bgr24, .i420, .i444, .gray8].map { DecodeSettings(pixelFormat: $0) }

    @Test(arguments: Fault.allCases) func `a fault is tolerated, counted and marked`(fault: Fault) throws {
        let jpeg = try jpegFrame(fault.apply(to: JPEGParts.encode(Self.picture)))
        let whole = try jpegFrame(JPEGParts.encode(Self.picture))
        let codec = JPEGCodec()
        for (index, settings) in settings.enumerated() {
            let frame = try codec.decode(jpeg, settings)
            #expect(frame.hasDecodeWarnings && frame.format.width == 160)
            #expect(codec.statistics.warnings == index + 1)
            // The mark is of this frame, and not of the next one.
            #expect(try !codec.decode(whole, settings).hasDecodeWarnings)
        }
        #expect(codec.statistics.warnings == settings.count)
    }

    @Test(arguments: Fault.allCases) func `a strict codec refuses it, and says what helps`(fault: Fault) throws {
        let jpeg = try jpegFrame(fault.apply(to: JPEGParts.encode(Self.picture)))
        let codec = JPEGCodec(strictness: .strict)
        for settings in settings {
            #expect(code { _ = try codec.decode(jpeg, settings) } == .corruptImage)
            #expect(message { _ = try codec.decode(jpeg, settings) }.contains("without strictness"))
        }
        #expect(codec.statistics.warnings == 0)
    }

    @Test func `the part before a cut is the picture`() throws {
        let whole = try JPEGParts.encode(Self.picture)
        let codec = JPEGCodec()
        let expected = try codec.decode(jpegFrame(whole), DecodeSettings(pixelFormat: .gray8))
        let cut = try codec.decode(jpegFrame(Fault.cut.apply(to: whole)), DecodeSettings(pixelFormat: .gray8))
        let (a, b) = (Samples(expected), Samples(cut))
        for y in 0..<32 { for x in 0..<160 { #expect(a[0, x, y] == b[0, x, y]) } }
    }

    @Test func `metadata and the mark stay with their frames`() throws {
        var jpeg = try jpegFrame(Fault.cut.apply(to: JPEGParts.encode(Self.picture)))
        jpeg.metadata = [1, 2, 3]
        jpeg.sequence = 7
        let frame = try JPEGCodec().decode(jpeg, DecodeSettings())
        #expect(frame.metadata == [1, 2, 3] && frame.sequence == 7 && frame.hasDecodeWarnings)
        #expect(!jpeg.hasDecodeWarnings)
    }
}
