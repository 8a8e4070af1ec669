internal import FrameStreamingCore

/// A V4L2 fourcc that this package reads: directly, or after its planes were joined.
struct NativeFormat: Hashable, Sendable {
    let fourcc: UInt32
    /// The format of the Frames.
    let pixelFormat: PixelFormat
    /// The memory planes in a buffer: 1, or as many as the format has.
    let memoryPlanes: Int
    /// What the format costs the codec. Of two formats that reach the rate, the lower cost wins.
    let cost: Int

    /// From videodev2.h, cheapest first. Gray is last, because it has no colour.
    private static let table: [(String, PixelFormat, Int)] = [
        ("YU12", .i420, 1), ("YM12", .i420, 3), ("NV12", .nv12, 1), ("NM12", .nv12, 2), ("YV12", .yv12, 1),
        ("YM21", .yv12, 3), ("NV21", .nv21, 1), ("NM21", .nv21, 2), ("YUYV", .yuyv, 1), ("UYVY", .uyvy, 1),
        ("422P", .i422, 1), ("YM16", .i422, 3), ("YM24", .i444, 3), ("BGR3", .bgr24, 1), ("RGB3", .rgb24, 1),
        ("XR24", .bgra32, 1), ("AR24", .bgra32, 1), ("BGR4", .bgra32, 1), ("XB24", .rgba32, 1), ("AB24", .rgba32, 1),
        ("MJPG", .jpeg, 1), ("JPEG", .jpeg, 1), ("GREY", .gray8, 1),
    ]

    static let all: [NativeFormat] = table.enumerated().compactMap { index, row in
        guard let code = PixelFormat(fourcc: row.0) else { return nil }
        return NativeFormat(fourcc: code.rawValue, pixelFormat: row.1, memoryPlanes: row.2, cost: index)
    }

    private static let byCode = Dictionary(uniqueKeysWithValues: all.map { ($0.fourcc, $0) })

    static func of(_ fourcc: UInt32) -> NativeFormat? { byCode[fourcc] }
}
