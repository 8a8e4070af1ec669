import Foundation
import FrameStreamingFiles
import Testing

extension ExampleTests {
    /// Films and URLs: programs with FFmpeg send them, and those without name the programs that do.
    @Suite struct FilmInputs {
        let workspace: Workspace

        init() throws { workspace = try Workspace() }

        #if Media
            /// Runs ffmpeg to its end, within the workspace.
            private func ffmpeg(_ arguments: [String]) throws {
                let program = try Program(
                    "frame-send", arguments,
                    script: "exec ffmpeg -hide_banner -nostdin -loglevel error -y \"$@\"")
                let end = try program.finish()
                try #require(end == .exit(0), "\(program.complaints)")
            }

            /// A film of a clip, whose pictures are what they were.
            private func film(_ clip: Clip, _ name: String) throws -> String {
                let original = try workspace.write(clip.y4m, to: "in.y4m")
                let film = workspace.file(name)
                try ffmpeg(["-i", original, "-c:v", "libx264", "-qp", "0", film])
                return film
            }

            @Test(arguments: ["film.mp4", "film.mkv"]) func aFilmIsSent(name: String) throws {
                let clip = Clip()
                let output = workspace.file("out.y4m")
                try stream(["--input", film(clip, name), "--pace", "max"], ["--record", output])
                    .expectAllArrived(clip.frames.count)
                #expect(clip.difference(to: try Recording(output)) == nil)
            }

            @Test func aFilmIsSentFromATimeOnAndLoops() throws {
                let clip = Clip()
                let output = workspace.file("out.y4m")
                let path = try film(clip, "film.mp4")
                try stream(
                    ["--input", path, "--pace", "max", "--start", "0.16", "--loop", "--frames", "5"],
                    ["--record", output]
                ).expectAllArrived(5)
                let pictures = try Recording(output).pictures
                // Pictures 4 and 5 of six.
                #expect(clip.difference(to: Array(pictures[0..<2]), from: 4) == nil)
                #expect(clip.difference(to: Array(pictures[2..<4]), from: 4) == nil && pictures.count == 5)
            }

            @Test func jpegsInAFilmPassUntouched() throws {
                let clip = Clip(frames: 3)
                let original = try workspace.write(clip.y4m, to: "in.y4m")
                let (film, jpegs) = (workspace.file("film.avi"), workspace.file("in.mjpg"))
                try ffmpeg(["-i", original, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", film])
                try ffmpeg(["-i", film, "-c", "copy", "-f", "mjpeg", jpegs])
                let output = workspace.file("out.mjpg")
                try stream(["--input", film, "--pace", "max"], ["--record", output]).expectAllArrived(3)
                #expect(
                    try Data(contentsOf: URL(fileURLWithPath: output)) == Data(contentsOf: URL(fileURLWithPath: jpegs)))
            }

            @Test func aURLThatDoesNotAnswerIsAnError() throws {
                for url in [
                    "http://user:secret@127.0.0.1:1/a", "rtsp://user:secret@127.0.0.1:1/a", "gopher://127.0.0.1/",
                ] {
                    let (receiver, port) = try receiver(["--once"])
                    let sender = try sender(to: port, ["--input", url])
                    #expect(try sender.finish() == .exit(1), "\(url)")
                    #expect(sender.complaints.contains("127.0.0.1"), "\(sender.complaints)")
                    #expect(!sender.complaints.contains("secret"), "\(sender.complaints)")
                    _ = receiver
                }
            }

            @Test func aFilmThatIsNoneIsAnError() throws {
                let film = try workspace.write([0, 0, 0, 0x18] + Array("ftypisom0000".utf8), to: "film.mp4")
                let outcome = try run("frame-send", ["--to", "127.0.0.1:1", "--input", film])
                #expect(outcome.end == .exit(1) && outcome.complaints.contains("FFmpeg"), "\(outcome)")
            }
        #else
            @Test func anotherKindOfFileIsNamed() throws {
                let film = try workspace.write([0, 0, 0, 0x18] + Array("ftypisom0000".utf8), to: "film.mp4")
                for (input, words) in [
                    (film, "is MP4"), ("rtsp://camera/1", "is a URL"), ("http://camera/", "curl -sN URL"),
                ] {
                    let outcome = try run("frame-send", ["--to", "127.0.0.1:1", "--input", input])
                    #expect(outcome.end == .exit(1))
                    for words in [words, "ffmpeg", "make full"] {
                        #expect(outcome.complaints.contains(words), "\(outcome)")
                    }
                }
            }
        #endif

        @Test func aStartIsForFilms() throws {
            let file = try workspace.write(Clip(frames: 1).y4m, to: "in.y4m")
            for arguments in [["--input", file, "--start", "1"], ["--pattern", "--start", "1"]] {
                let outcome = try run("frame-send", ["--to", "127.0.0.1:1"] + arguments)
                #expect(outcome.end == .exit(64) && outcome.complaints.contains("--start is for films"), "\(outcome)")
            }
        }
    }
}
