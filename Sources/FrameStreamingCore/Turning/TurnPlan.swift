/// Which sample of a picture each sample of the turned picture is.
///
/// Column and row of a turned sample each decide one coordinate of its source. So two lists of byte
/// offsets describe any turn, and any order of bytes in memory.
struct TurnPlan {
    /// A plane of the turned picture.
    struct Plane {
        /// Byte offsets in the source, one for each column and row of this plane: a sample is at
        /// their sum.
        var columns: [Int]
        var rows: [Int]
        /// The offsets of the last column and row of the pixels that share the sample, where they
        /// differ from the first ones above. The sample is then the mean of the four corners.
        var otherColumns: [Int]?
        var otherRows: [Int]?
        /// Bytes of a sample.
        var sampleBytes: Int
        /// Where it lies in the target.
        var layout: PlaneLayout
    }

    let target: FrameFormat
    let planes: [Plane]

    /// Where samples of one kind lie in the source.
    private struct Samples {
        var plane: PlaneLayout
        /// The offset of the first sample from the plane's start, and bytes from one to the next.
        var first = 0
        var step = 1
        /// Pixels that share a sample.
        var across = 1
        var down = 1
    }

    /// Nil for a compressed format, and for one without a name.
    init?(_ source: FrameFormat, _ turn: PictureTurn) throws(FrameStreamingError) {
        guard let (pixelFormat, samples) = Self.parts(source, turn) else { return nil }
        let (target, steps) = (try Self.target(source, turn, pixelFormat), turn.steps)
        self.target = target
        planes = zip(samples, pixelFormat.planeShapes).enumerated().map { index, plane in
            let (samples, shape) = plane
            // What the pixel at a column, or a row, of the turned picture adds to the offset.
            func column(_ x: Int) -> Int {
                let x = steps.mirrorsX ? target.width - 1 - x : x
                return steps.transposes ? x / samples.down * samples.plane.stride : x / samples.across * samples.step
            }
            func row(_ y: Int) -> Int {
                let y = steps.mirrorsY ? target.height - 1 - y : y
                return steps.transposes ? y / samples.across * samples.step : y / samples.down * samples.plane.stride
            }
            let start = samples.plane.offset + samples.first
            func all(_ length: Int, _ shared: Int, _ offset: (Int) -> Int) -> (first: [Int], others: [Int]?) {
                let positions = stride(from: 0, to: length, by: shared)
                let first = positions.map { offset($0) }
                // A last group of an odd side has one pixel, which counts twice.
                let others = positions.map { offset(min($0 + shared - 1, length - 1)) }
                return (first, others == first ? nil : others)
            }
            let columns = all(target.width, shape.pixelsPerGroup, column)
            let rows = all(target.height, shape.linesPerLine, row)
            return Plane(
                columns: columns.first, rows: rows.first.map { $0 + start }, otherColumns: columns.others,
                otherRows: rows.others?.map { $0 + start }, sampleBytes: shape.bytesPerGroup,
                layout: target.plane(index))
        }
    }

    /// A quarter turn exchanges width and height; colours stay as they are.
    private static func target(
        _ source: FrameFormat, _ turn: PictureTurn, _ pixelFormat: PixelFormat
    ) throws(FrameStreamingError) -> FrameFormat {
        try FrameFormat(
            width: turn.swapsSides ? source.height : source.width,
            height: turn.swapsSides ? source.width : source.height, pixelFormat: pixelFormat,
            colorRange: source.colorRange, colorMatrix: source.colorMatrix)
    }

    /// The format of a turned picture without a plan for it; nil as for a plan.
    static func target(_ source: FrameFormat, _ turn: PictureTurn) throws(FrameStreamingError) -> FrameFormat? {
        guard let (pixelFormat, _) = parts(source, turn) else { return nil }
        return try target(source, turn, pixelFormat)
    }

    /// The format of the turned picture, and where its samples are in the source.
    private static func parts(
        _ source: FrameFormat, _ turn: PictureTurn
    ) -> (pixelFormat: PixelFormat, samples: [Samples])? {
        func samples(_ plane: Int, _ first: Int = 0, _ step: Int = 1, _ across: Int = 1, _ down: Int = 1) -> Samples {
            Samples(plane: source.plane(plane), first: first, step: step, across: across, down: down)
        }
        // A quarter turn of 4:2:2 has a chroma sample for two lines, for which there is no format.
        let of422: PixelFormat = turn.swapsSides ? .i444 : .i422
        switch source.pixelFormat {
        case .gray8: return (.gray8, [samples(0)])
        case .rgb24, .bgr24: return (source.pixelFormat, [samples(0, 0, 3)])
        case .rgba32, .bgra32: return (source.pixelFormat, [samples(0, 0, 4)])
        case .i420: return (.i420, [samples(0), samples(1, 0, 1, 2, 2), samples(2, 0, 1, 2, 2)])
        case .yv12: return (.i420, [samples(0), samples(2, 0, 1, 2, 2), samples(1, 0, 1, 2, 2)])
        case .nv12: return (.i420, [samples(0), samples(1, 0, 2, 2, 2), samples(1, 1, 2, 2, 2)])
        case .nv21: return (.i420, [samples(0), samples(1, 1, 2, 2, 2), samples(1, 0, 2, 2, 2)])
        case .i422: return (of422, [samples(0), samples(1, 0, 1, 2), samples(2, 0, 1, 2)])
        case .yuyv: return (of422, [samples(0, 0, 2), samples(0, 1, 4, 2), samples(0, 3, 4, 2)])
        case .uyvy: return (of422, [samples(0, 1, 2), samples(0, 0, 4, 2), samples(0, 2, 4, 2)])
        case .i444: return (.i444, [samples(0), samples(1), samples(2)])
        default: return nil
        }
    }
}

extension FrameFormat {
    /// The format of such a picture behind a turn, as `Frame.turned(_:from:)` makes it; nil for a
    /// compressed format, and for one without a name.
    package func turned(_ turn: PictureTurn) -> FrameFormat? {
        if turn == .none { return self }
        return try? TurnPlan.target(self, turn)
    }
}
