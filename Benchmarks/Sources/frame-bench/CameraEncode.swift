import ArgumentParser
import ExpandedRows
import FrameStreaming

/// YUYV of 1920 x 1080, limited range, from memory to JPEG: our codec and the expansion to three
/// bytes a pixel by turns, a frame each, on one thread. CPU time of the thread, per frame.
struct CameraEncode: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var clip: String
    @Option var frames: Int
    @Option var quality = 80

    func run() throws {
        let pictures = try widePictures(8)
        let codec = JPEGCodec()
        let settings = EncodeSettings(quality: quality)
        var room = [UInt8](repeating: 0, count: 1920 * 1080 * 4)
        var (ours, reference) = (0.0, 0.0)
        var (ourBytes, referenceBytes) = (0, 0)
        // The first round warms both up and is not counted.
        for index in -pictures.count..<frames {
            let picture = pictures[(index + pictures.count) % pictures.count]
            let start = threadTime()
            let jpeg = try codec.encode(picture, settings)
            let middle = threadTime()
            let size = unsafe picture.withUnsafeBytes { bytes in
                room.withUnsafeMutableBufferPointer { room in
                    unsafe bytes.withMemoryRebound(to: UInt8.self) { yuyv in
                        guard let yuyv = yuyv.baseAddress, let target = room.baseAddress else { return 0 }
                        return unsafe expanded_rows_encode(yuyv, 1920, 1080, CInt(quality), target, room.count)
                    }
                }
            }
            let end = threadTime()
            guard size > 0 else { throw Failure("the reference's JPEG needs more room than its picture has bytes") }
            guard index >= 0 else { continue }
            ours += middle - start
            reference += end - middle
            ourBytes += jpeg.byteCount
            referenceBytes += size
        }
        let count = Double(frames)
        printFigures([
            "ourMicroseconds": ours / count * 1e6, "referenceMicroseconds": reference / count * 1e6,
            "ourBytes": Double(ourBytes) / count, "referenceBytes": Double(referenceBytes) / count,
        ])
    }

    /// The clip's pictures side by side until they fill 1920 x 1080: as sharp as they were, for
    /// scaling up would make them easier for the encoder.
    private func widePictures(_ count: Int) throws -> [Frame] {
        let source = try RawFileSource(path: clip, options: PlaybackOptions(loop: true, pace: .maximum))
        let format = try FrameFormat(width: 1920, height: 1080, pixelFormat: .yuyv, colorRange: .limited)
        let pool = FramePool(capacity: count)
        var result: [Frame] = []
        while result.count < count, case .frame(let small)? = try source.next(until: .never) {
            guard small.format.pixelFormat == .i420 else { throw Failure("the clip is not 4:2:0") }
            let planes = (0..<3).map { small.format.plane($0) }
            let (width, height) = (small.format.width, small.format.height)
            var buffer = pool.buffer(byteCount: format.byteCount)
            unsafe buffer.withUnsafeMutableBytes { target in
                unsafe small.withUnsafeBytes { picture in
                    for row in 0..<format.height {
                        for byte in 0..<format.width * 2 {
                            let plane = planes[byte % 2 == 0 ? 0 : byte % 4 == 1 ? 1 : 2]
                            let (x, y) = (byte / 2 % width, row % height)
                            let place = byte % 2 == 0 ? y * plane.stride + x : y / 2 * plane.stride + x / 2
                            unsafe target[row * format.width * 2 + byte] = picture[plane.offset + place]
                        }
                    }
                }
            }
            result.append(try buffer.makeFrame(format: format))
        }
        guard result.count == count else { throw Failure("the clip has no pictures") }
        return result
    }
}
