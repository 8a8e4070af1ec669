import Foundation
import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import Testing

extension ExampleTests {
    /// Pictures of a camera that lies on its side.
    @Suite struct Rotation {
        let workspace: Workspace
        /// Six pictures of 64x48, with an EXIF orientation of 6.
        let camera: String
        let clip = Clip(frames: 6)
        let codec = JPEGCodec()

        init() throws {
            workspace = try Workspace()
            var bytes: [UInt8] = []
            for index in 0..<6 { bytes += Self.oriented(try clip.jpeg(index, codec)) }
            camera = try workspace.write(bytes, to: "camera.mjpg")
        }

        /// Inserts EXIF data with an orientation of 6: turned by 90 degrees, it is upright.
        private static func oriented(_ jpeg: [UInt8]) -> [UInt8] {
            var segment: [UInt8] = [0xFF, 0xE1, 0, 34]
            segment += Array("Exif".utf8) + [0, 0]
            segment += Array("II".utf8) + [42, 0, 8, 0, 0, 0, 1, 0]
            segment += [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]
            segment += [0, 0, 0, 0]
            return Array(jpeg[..<2]) + segment + Array(jpeg[2...])
        }

        /// The first picture of a recording.
        private func first(_ name: String) throws -> Frame {
            let source = try FileSource(path: workspace.file(name), options: PlaybackOptions(pace: .maximum))
            guard case .frame(let frame)? = try source.next(until: .after(.seconds(60))) else {
                throw FrameStreamingError(.truncatedInput, "\(name) has no picture")
            }
            return frame
        }

        private func luma(_ frame: Frame) throws -> Frame {
            let isJPEG = frame.format.pixelFormat == .jpeg
            return isJPEG ? try codec.decode(frame, DecodeSettings(pixelFormat: .gray8)) : frame
        }

        /// Whether the luma of `name` is that of the stored picture, turned.
        private func expect(_ name: String, _ turn: PictureTurn, tolerance: Int) throws {
            let recorded = try luma(try first(name))
            var stored = try luma(try first("camera.mjpg"))
            stored.uprightTurn = .none
            let expected = try stored.turned(turn)
            #expect(recorded.format.width == expected.format.width, "\(name)")
            try #require(recorded.format.height == expected.format.height)
            var largest = 0
            for y in 0..<expected.format.height {
                for x in 0..<expected.format.width {
                    let left = Int(recorded.samples[recorded.format.plane(0).stride * y + x])
                    largest = max(largest, abs(left - Int(expected.samples[expected.format.plane(0).stride * y + x])))
                }
            }
            #expect(largest <= tolerance, "\(name), \(turn)")
        }

        @Test func theSenderTurns() throws {
            for (option, turn) in [("auto", PictureTurn.rotate90), ("90", .rotate180), ("270", .none)] {
                let name = "sent-\(option).mjpg"
                try stream(
                    ["--input", camera, "--pace", "max", "--rotate", option], ["--record", workspace.file(name)]
                ).expectAllArrived(6)
                try expect(name, turn, tolerance: 3)
            }
        }

        @Test func theReceiverTurnsRecordings() throws {
            try stream(
                ["--input", camera, "--pace", "max"], ["--rotate", "auto", "--record", workspace.file("upright.mjpg")]
            ).expectAllArrived(6)
            try expect("upright.mjpg", .rotate90, tolerance: 3)
            // Without the option bytes are recorded as they are.
            try stream(["--input", camera, "--pace", "max"], ["--record", workspace.file("as-is.mjpg")])
                .expectAllArrived(6)
            #expect(try workspace.read("as-is.mjpg") == workspace.read("camera.mjpg"))
        }

        @Test func aVideoIsUprightWithoutAnOption() throws {
            for (option, turn) in [([], PictureTurn.rotate90), (["--rotate", "180"], .rotate270)] {
                let name = "video\(option.count).y4m"
                try stream(["--input", camera, "--pace", "max"], option + ["--record", workspace.file(name)])
                    .expectAllArrived(6)
                try expect(name, turn, tolerance: 3)
            }
        }

        @Test func whatIsNoRotationIsRefused() throws {
            for value in ["45", "0", "-90", "360", "left", ""] {
                let outcome = try run("frame-send", ["--pattern", "--to", "localhost:1", "--rotate=\(value)"])
                #expect(outcome.end == .exit(64), "\(value)")
                #expect(outcome.complaints.contains("--rotate"), "\(outcome)")
            }
        }
    }
}
