import FrameStreamingCore

/// A rectangle in pixels.
struct PatternRect: Hashable, Sendable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int
}

/// A colour as samples of one pixel format: for each plane, the bytes of one group of pixels.
struct PatternInk: Sendable {
    fileprivate var planes: [[UInt8]]
}

/// Fills rectangles in a frame of any named pixel format, so that the test pattern has one drawing
/// routine for all of them.
///
/// Left and top edges lie on even pixels, so that two colours never share a chroma sample.
struct PatternCanvas: Sendable {
    let format: FrameFormat
    private let groups: [Group]

    /// The number of pixels that one group of a plane's bytes covers.
    private struct Group: Sendable {
        var across: Int
        var down: Int
    }

    /// Nil for a format that the canvas cannot draw in.
    init?(format: FrameFormat) {
        func group(_ across: Int, _ down: Int) -> Group { Group(across: across, down: down) }
        self.format = format
        switch format.pixelFormat {
        case .i420, .yv12: groups = [group(1, 1), group(2, 2), group(2, 2)]
        case .nv12, .nv21: groups = [group(1, 1), group(2, 2)]
        case .i422: groups = [group(1, 1), group(2, 1), group(2, 1)]
        case .i444: groups = [group(1, 1), group(1, 1), group(1, 1)]
        case .yuyv, .uyvy: groups = [group(2, 1)]
        case .rgb24, .bgr24, .rgba32, .bgra32, .gray8: groups = [group(1, 1)]
        default: return nil
        }
    }

    /// Converts a colour to this format: RGB as it is, opaque; YUV by BT.601 in the format's range.
    func ink(_ color: TestPattern.Color) -> PatternInk {
        let (red, green, blue) = (color.red, color.green, color.blue)
        let (y, u, v) = color.yuv(format.colorRange)
        let planes: [[UInt8]] =
            switch format.pixelFormat {
            case .yv12: [[y], [v], [u]]
            case .nv12: [[y], [u, v]]
            case .nv21: [[y], [v, u]]
            case .yuyv: [[y, u, y, v]]
            case .uyvy: [[u, y, v, y]]
            case .rgb24: [[red, green, blue]]
            case .bgr24: [[blue, green, red]]
            case .rgba32: [[red, green, blue, 255]]
            case .bgra32: [[blue, green, red, 255]]
            case .gray8: [[y]]
            default: [[y], [u], [v]]
            }
        return PatternInk(planes: planes)
    }

    /// Fills the part of `rect` that lies inside the frame in `bytes`.
    func fill(_ rect: PatternRect, with ink: PatternInk, in bytes: inout MutableRawSpan) {
        let (left, top) = (max(0, rect.x), max(0, rect.y))
        let (right, bottom) = (min(format.width, rect.x + rect.width), min(format.height, rect.y + rect.height))
        guard left < right, top < bottom else { return }
        for index in groups.indices {
            let (group, plane, sample) = (groups[index], format.plane(index), ink.planes[index])
            let first = left / group.across * sample.count
            let end = (right + group.across - 1) / group.across * sample.count
            for line in top / group.down..<(bottom + group.down - 1) / group.down {
                let start = plane.offset + line * plane.stride
                Self.fill(&bytes, start + first..<start + end, with: sample)
            }
        }
    }

    /// Repeats `sample` over the bytes of `range`, whose length is a multiple of its own.
    private static func fill(_ bytes: inout MutableRawSpan, _ range: Range<Int>, with sample: [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { memory in
            // Rebasing checks that the range lies inside `memory`; every access below stays in
            // `target`.
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[range])
            guard let base = target.baseAddress else { return }
            if sample.count == 1 {
                unsafe base.initializeMemory(as: UInt8.self, repeating: sample[0], count: target.count)
                return
            }
            for index in sample.indices where index < target.count { unsafe target[index] = sample[index] }
            // Copies the filled part behind itself, twice as much each time.
            var done = sample.count
            while done < target.count {
                let count = min(done, target.count - done)
                unsafe (base + done).copyMemory(from: base, byteCount: count)
                done += count
            }
        }
    }
}
