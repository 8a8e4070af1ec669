import CTurboJPEG
import FrameStreamingCore

@testable import FrameStreamingJPEG

/// JPEGs that a camera or an attacker sends, and that this encoder does not write.
enum JPEGParts {
    /// Encodes in gray or RGB by TurboJPEG itself, with a subsampling (TJSAMP) or process that this
    /// encoder does not use.
    static func encode(
        _ picture: TestPicture, _ format: PixelFormat = .rgb24, sampling: CInt = 2, quality: CInt = 90, flags: CInt = 0
    ) throws -> [UInt8] {
        try encode(picture.frame(format), sampling: sampling, quality: quality, flags: flags)
    }

    /// The same of a frame in gray or RGB.
    static func encode(_ frame: Frame, sampling: CInt = 2, quality: CInt = 90, flags: CInt = 0) throws -> [UInt8] {
        let code = frame.format.pixelFormat.packedCode ?? CInt(TJPF_GRAY.rawValue)
        return try compress(bytes(frame), frame.format, code, sampling: sampling, quality: quality, flags: flags)
    }

    /// The four inks, of any values.
    static func cmyk() throws -> [UInt8] {
        let size = try FrameFormat(width: 8, height: 8, pixelFormat: .gray8)
        return try compress(
            [UInt8](repeating: 90, count: 256), size, CInt(TJPF_CMYK.rawValue), sampling: 0, quality: 90, flags: 0)
    }

    private static func compress(
        _ pixels: [UInt8], _ size: FrameFormat, _ code: CInt, sampling: CInt, quality: CInt, flags: CInt
    ) throws -> [UInt8] {
        let handle = unsafe tjInitCompress()
        defer { unsafe tjDestroy(handle) }
        var target: UnsafeMutablePointer<UInt8>?
        var length: UInt = 0
        let result = unsafe tjCompress2(
            handle, pixels, CInt(size.width), 0, CInt(size.height), code, &target, &length, sampling, quality, flags
        )
        defer { unsafe tjFree(target) }
        guard result == 0, let target = unsafe target else { throw FrameStreamingError(.system, "no JPEG") }
        return unsafe Array(UnsafeBufferPointer(start: target, count: Int(length)))
    }

    /// The segments up to the first scan's data: marker and whole bytes.
    static func segments(_ jpeg: [UInt8]) -> [(marker: UInt8, range: Range<Int>)] {
        var result: [(UInt8, Range<Int>)] = [(0xD8, 0..<2)]
        var next = 2
        while next + 4 <= jpeg.count, jpeg[next] == 0xFF {
            let end = next + 2 + Int(jpeg[next + 2]) << 8 + Int(jpeg[next + 3])
            result.append((jpeg[next + 1], next..<end))
            if jpeg[next + 1] == 0xDA { break }
            next = end
        }
        return result
    }

    /// The JPEG without the segments of `marker` before the first scan.
    static func without(_ marker: UInt8, _ jpeg: [UInt8]) -> [UInt8] {
        var result = jpeg
        for segment in segments(jpeg).reversed() where segment.marker == marker { result.removeSubrange(segment.range) }
        return result
    }

    /// The offset of the first scan's data.
    static func scanStart(_ jpeg: [UInt8]) -> Int { segments(jpeg).last.map { $0.range.upperBound } ?? 0 }

    /// The JPEG with another size in the frame header.
    static func claiming(_ width: Int, _ height: Int, _ jpeg: [UInt8]) -> [UInt8] {
        var result = jpeg
        for segment in segments(jpeg) where [0xC0, 0xC1, 0xC2].contains(segment.marker) {
            let at = segment.range.lowerBound + 5
            result.replaceSubrange(
                at..<at + 4,
                with: [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)])
        }
        return result
    }

    /// A gray progressive JPEG of 8x8 with hundreds of scans that add almost nothing: each is legal
    /// and refines one coefficient by a bit.
    static func scanBomb(repeating: Bool) -> [UInt8] {
        var jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        jpeg += [0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]
        // A code of one bit for symbol 0, of DC and of AC coefficients.
        for name: UInt8 in [0x00, 0x10] {
            jpeg += [0xFF, 0xC4, 0, 20, name, 1] + [UInt8](repeating: 0, count: 15) + [0]
        }
        func scan(_ first: UInt8, _ last: UInt8, _ high: UInt8, _ low: UInt8) -> [UInt8] {
            [0xFF, 0xDA, 0, 8, 1, 1, 0, first, last, high << 4 | low, 0x7F]
        }
        jpeg += scan(0, 0, 0, 0)
        if repeating {
            for _ in 0..<700 { jpeg += scan(1, 63, 0, 0) }
        } else {
            for coefficient: UInt8 in 1...63 {
                for low in (UInt8(0)...13).reversed() {
                    jpeg += scan(coefficient, coefficient, low == 13 ? 0 : low + 1, low)
                }
            }
        }
        return jpeg + [0xFF, 0xD9]
    }
}
