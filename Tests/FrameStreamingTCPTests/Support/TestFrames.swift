import FrameStreamingCore
import Foundation
import Glibc

/// A frame whose bytes follow from its number.
func makeFrame(
    _ number: UInt64, width: Int = 64, height: Int = 48, pixelFormat: PixelFormat = .jpeg, byteCount: Int = 1000,
    strides: [Int] = []
) throws -> Frame {
    let format = try FrameFormat(width: width, height: height, pixelFormat: pixelFormat, strides: strides)
    let count = format.planeCount == 0 ? byteCount : format.byteCount
    var buffer = FramePool(capacity: 1).buffer(byteCount: count)
    unsafe buffer.withUnsafeMutableBytes { bytes in
        for index in 0..<bytes.count { unsafe bytes[index] = patternByte(number, index) }
    }
    return try buffer.makeFrame(format: format, sequence: number)
}

func patternByte(_ number: UInt64, _ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (index &* 31) ^ (index >> 8) ^ Int(number &* 97))
}

/// A frame of exactly these bytes.
func makeFrame(bytes: [UInt8], width: Int = 8, height: Int = 8, pixelFormat: PixelFormat = .jpeg) throws -> Frame {
    var buffer = FramePool(capacity: 1).buffer(byteCount: bytes.count)
    unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
    return try buffer.makeFrame(format: FrameFormat(width: width, height: height, pixelFormat: pixelFormat))
}

extension Frame {
    /// The bytes that count, copied.
    var contents: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}

/// As much of a JPEG as the text handshake looks at: a frame header, then `padding` bytes.
func jpegBytes(width: Int, height: Int, padding: Int = 20, marker: UInt8 = 0xC0) -> [UInt8] {
    let application: [UInt8] = [0xFF, 0xE0, 0, 6, 1, 2, 3, 4]
    let size = [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)]
    let header: [UInt8] = [0xFF, marker, 0, 11, 8] + size + [1, 1, 0x11, 0]
    return [0xFF, 0xD8] + application + header + (0..<padding).map { UInt8($0 & 127) } + [0xFF, 0xD9]
}

/// A file in the tests' own folder.
func testFile(_ name: String, here: String = #filePath) -> URL {
    URL(fileURLWithPath: here).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(name)
}

/// Hexadecimal digits, with blanks wherever.
func bytes(hex: some StringProtocol) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    precondition(digits.count % 2 == 0, "half a byte in \(hex)")
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The golden bytes of protocol 1 by the message's name.
func goldenMessages() throws -> [String: [UInt8]] {
    let text = try String(contentsOf: testFile("Golden/protocol-1.txt"), encoding: .utf8)
    var result: [String: [UInt8]] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        let parts = line.split(separator: " ")
        result[String(parts[0])] = bytes(hex: parts[1])
    }
    return result
}

/// A golden message; a missing one fails the test by its emptiness.
func golden(_ name: String) throws -> [UInt8] { try goldenMessages()[name] ?? [] }
