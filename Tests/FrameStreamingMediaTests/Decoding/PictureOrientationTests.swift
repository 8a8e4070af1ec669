import FrameStreamingCore
import TestThreads
import Testing

@testable import FrameStreamingMedia

@Suite(.ownThread(atOnce: 2)) struct PictureOrientationTests {
    private let one: Int32 = 65_536

    @Test func `each of the eight matrices is its turn`() {
        let turns = [
            PictureOrientation.turn(one, 0, 0, one), PictureOrientation.turn(0, one, -one, 0),
            PictureOrientation.turn(-one, 0, 0, -one), PictureOrientation.turn(0, -one, one, 0),
            PictureOrientation.turn(-one, 0, 0, one), PictureOrientation.turn(one, 0, 0, -one),
            PictureOrientation.turn(0, one, one, 0), PictureOrientation.turn(0, -one, -one, 0),
        ]
        #expect(
            turns == [
                .none, .rotate90, .rotate180, .rotate270, .flipHorizontally, .flipVertically, .transpose, .transverse,
            ])
    }

    @Test func `numbers of any size are taken`() {
        let extremes: [Int32] = [.min, -1, 0, 1, .max]
        var seen: Set<PictureTurn> = []
        for a in extremes {
            for b in extremes {
                for c in extremes { for d in extremes { seen.insert(PictureOrientation.turn(a, b, c, d)) } }
            }
        }
        #expect(seen.count == 8 && PictureOrientation.turn(0, 0, 0, 0) == .none)
    }

    @Test(arguments: [(90, PictureTurn.rotate270), (180, .rotate180), (270, .rotate90), (0, .none)])
    func `a film that lies on its side is seen as ffmpeg shows it`(degrees: Int, turn: PictureTurn) throws {
        let directory = try TemporaryDirectory()
        let clip = try Clip(32, 16, .i420, "yuv420p", frames: 1)
        let plain = try clip.film("plain.mp4", ["-c:v", "libx264", "-qp", "0"], in: directory)
        let turned = directory.path("turned.mp4")
        try FFmpeg.run(
            ["-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=\(degrees)", turned], in: directory)
        // What ffmpeg makes of it, which turns it by itself.
        let upright = directory.path("upright.raw")
        try FFmpeg.run(["-i", turned, "-f", "rawvideo", "-pix_fmt", "yuv420p", upright], in: directory)
        let frame = try #require(drain(try MediaSource(path: turned, options: .fast())).frames.first)
        #expect(frame.packed == clip.frames[0])
        let shape = try FrameFormat(
            width: degrees % 180 == 0 ? 32 : 16, height: degrees % 180 == 0 ? 16 : 32, pixelFormat: .i420)
        let reference = try FileSource(path: upright, as: .raw(shape), options: PlaybackOptions(pace: .maximum))
        guard case .frame(let expected)? = try reference.next(until: .never) else { throw CancellationError() }
        #expect(try frame.turned().packed == expected.packed, "\(frame.uprightTurn) for \(degrees)")
        #expect(frame.uprightTurn == turn)
    }
}
