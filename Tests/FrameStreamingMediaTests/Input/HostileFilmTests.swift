import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import TestThreads
import Testing

@testable import FrameStreamingMedia

/// Damaged and hostile films: a typed error or frames, and nothing else.
@Suite(.ownThread(atOnce: 2)) struct HostileFilmTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    /// Small films of every container and coder that matters, with pictures between others, sound
    /// and a matrix.
    private static let films: [(String, [String])] = [
        ("h264.mp4", ["-c:v", "libx264", "-qp", "20", "-bf", "2"]),
        ("turned.mov", ["-c:v", "mjpeg", "-metadata:s:v:0", "rotate=90"]),
        ("vp8.mkv", ["-c:v", "libvpx", "-b:v", "100k"]), ("vp9.webm", ["-c:v", "libvpx-vp9", "-b:v", "100k"]),
        ("mjpeg.avi", ["-c:v", "mjpeg"]), ("broadcast.ts", ["-c:v", "mpeg2video"]),
        ("moving.gif", []), ("lossless.nut", ["-c:v", "ffv1"]), ("flash.flv", ["-c:v", "flv1"]),
        ("plain.h264", ["-c:v", "libx264", "-qp", "20"]),
    ]

    @Test(arguments: films) func `two hundred films that were changed do no harm`(
        name: String, coding: [String]
    ) throws {
        let clip = try Clip(40, 24, .i420, "yuv420p", frames: 6)
        let original = Array(try Data(contentsOf: URL(fileURLWithPath: try clip.film(name, coding, in: directory))))
        var generator = Seeded(state: UInt64(name.utf8.reduce(0) { $0 &* 31 &+ Int($1) }))
        var errors = 0
        var frames = 0
        for round in 0..<200 {
            let path = try directory.file("changed-\(name)", Self.changed(original, &generator, round))
            var options = MediaOptions.fast(loop: round % 5 == 0)
            options.maximumPixelCount = 1 << 20
            if round % 7 == 0 { options.start = .milliseconds(80) }
            do throws(FrameStreamingError) {
                let result = drain(try MediaSource(path: path, options: options), limit: 20)
                for frame in result.frames {
                    // Every byte that a Frame claims can be read.
                    #expect(frame.packed.count > 0 && frame.format.width * frame.format.height <= 1 << 20)
                }
                frames += result.frames.count
                if let error = result.error {
                    #expect(error.code != .timedOut, "\(name) \(round): \(error)")
                    errors += 1
                }
            } catch {
                #expect(!error.message.isEmpty)
                errors += 1
            }
        }
        // A test whose changes hit nothing, or everything, shows nothing.
        #expect(frames > 0 && errors > 0, "\(name): \(frames) frames, \(errors) errors")
    }

    /// One to twenty bytes changed, numbers set to their extremes, a piece left out, doubled or cut
    /// off.
    private static func changed(_ original: [UInt8], _ generator: inout Seeded, _ round: Int) -> [UInt8] {
        var bytes = original
        // Most of a container's structure is near its ends.
        func place(_ generator: inout Seeded) -> Int {
            let near = min(bytes.count, 1200)
            return switch generator.next() % 3 {
            case 0: Int(generator.next() % UInt64(near))
            case 1: bytes.count - 1 - Int(generator.next() % UInt64(near))
            default: Int(generator.next() % UInt64(bytes.count))
            }
        }
        switch round % 4 {
        case 0:
            for _ in 0...generator.next() % 20 {
                bytes[place(&generator)] = UInt8(truncatingIfNeeded: generator.next())
            }
        case 1:
            let extremes: [[UInt8]] = [
                [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0xFF, 0xFF],
            ]
            for _ in 0...generator.next() % 4 {
                let start = place(&generator)
                let number = extremes[Int(generator.next() % UInt64(extremes.count))]
                for (offset, byte) in number.enumerated() where start + offset < bytes.count {
                    bytes[start + offset] = byte
                }
            }
        case 2:
            let start = place(&generator)
            let end = min(bytes.count, start + 1 + Int(generator.next() % 64))
            if generator.next() % 2 == 0 {
                bytes.removeSubrange(start..<end)
            } else {
                bytes.insert(contentsOf: bytes[start..<end], at: start)
            }
        default:
            bytes.removeLast(Int(generator.next() % UInt64(bytes.count)))
            if bytes.isEmpty { bytes = [0] }
        }
        return bytes
    }

    @Test func `text that is no film is refused with its reason`() throws {
        for bytes in [[], Array("hello\n".utf8), [UInt8](repeating: 0, count: 100_000)] {
            let path = try directory.file("film.mp4", bytes)
            let error = try failure { _ = try MediaSource(path: path) }
            #expect([.malformedInput, .truncatedInput, .unsupported].contains(error.code), "\(error)")
            #expect(error.subject == path)
        }
    }
}

/// Numbers that are the same each time (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
