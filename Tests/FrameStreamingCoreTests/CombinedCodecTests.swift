import FrameStreamingCore
import FrameStreamingTesting
import TestThreads
import Testing

@Suite(.ownThread(atOnce: 2)) struct CombinedCodecTests {
    /// A format of its own that has each byte inverted.
    private struct InvertingCodec: FrameCodec {
        static let format = PixelFormat(rawValue: 0x2056_4E49)
        var encodedFormats: [PixelFormat] { [Self.format] }
        var decodableFormats: [PixelFormat] { [Self.format] }

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
            try frame.inverted(as: Self.format)
        }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            try frame.inverted(as: .gray8)
        }
    }

    private func picture(_ number: UInt64) throws -> Frame { try CodecMemoryTests.picture(number) }

    @Test func framesGoToTheCodecThatListsThem() throws {
        let difference = DifferenceCodec()
        let codec = CombinedCodec(encoding: InvertingCodec(), decoding: [InvertingCodec(), difference])
        #expect(codec.hasMemory && codec.encodedFormats == [InvertingCodec.format])
        #expect(codec.decodableFormats == [InvertingCodec.format, DifferenceCodec.format])
        let source = try picture(5)
        let session = try codec.makeDecodingSession()
        for encoded in [
            try InvertingCodec().encode(source, EncodeSettings()), try difference.encode(source, EncodeSettings()),
        ] {
            #expect(try session.decode(encoded, DecodeSettings()).contents == source.contents)
            #expect(try codec.decode(encoded, DecodeSettings()).contents == source.contents)
        }
        let jpeg = try Frame.filled(try FrameFormat(width: 8, height: 8, pixelFormat: .jpeg), byteCount: 9) {
            UInt8($0)
        }
        do throws(FrameStreamingError) {
            _ = try session.decode(jpeg, DecodeSettings())
            Issue.record("a JPEG was decoded")
        } catch {
            #expect(error.code == .unsupported && error.message.contains("DIFF"), "\(error)")
        }
    }

    @Test func oneThatListsNothingTakesTheRest() throws {
        let codec = CombinedCodec(encoding: IdentityCodec(), decoding: [InvertingCodec(), IdentityCodec()])
        #expect(codec.decodableFormats.isEmpty && !codec.hasMemory)
        let source = try picture(1)
        #expect(try codec.decode(source, DecodeSettings()).contents == source.contents)
    }

    /// A compressed source, whose frames another codec with memory compresses again.
    @Test func compressedPicturesAreEncodedAgain() throws {
        let difference = DifferenceCodec()
        let codec = CombinedCodec(encoding: difference, decoding: [InvertingCodec(), difference])
        let pictures = try (UInt64(0)..<30).map { try picture($0) }
        var source = ScriptedSource(try pictures.map { try InvertingCodec().encode($0, EncodeSettings()) })
        let received = try stream(&source, codec: codec)
        #expect(received.count == 30)
        for (received, picture) in zip(received, pictures) {
            #expect(received.encoded.format.pixelFormat == DifferenceCodec.format)
            #expect(received.frame.contents == picture.contents)
        }
        #expect(difference.statistics.keys == 1)
    }

    /// JPEGs are sent as they are, unless the options say otherwise.
    @Test(arguments: [true, false]) func theCodecGetsJPEGsIfItShall(passesOn: Bool) throws {
        let format = try FrameFormat(width: 8, height: 8, pixelFormat: .jpeg)
        var source = ScriptedSource([try Frame.filled(format, byteCount: 9) { UInt8($0) }])
        var options = SenderOptions(policy: .reliable)
        options.passesOnJPEG = passesOn
        let received = try stream(&source, codec: InvertingCodec(), options: options, decode: nil)
        #expect(received.map(\.frame.format.pixelFormat) == [passesOn ? .jpeg : InvertingCodec.format])
    }
}
