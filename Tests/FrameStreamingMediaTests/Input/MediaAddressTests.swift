import FrameStreamingCore
import TestThreads
import Testing

@testable import FrameStreamingMedia

@Suite(.ownThread(atOnce: 2)) struct MediaAddressTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func `a password is in no message`() throws {
        for (url, name) in [
            ("rtsp://me:secret@camera:554/1?a=b@c", "rtsp://camera:554/1?a=b@c"),
            ("http://camera/a@b", "http://camera/a@b"),
            ("http://a@b@c", "http://c"), ("HTTP://u:p@h#x", "HTTP://h#x"),
        ] {
            let address = try MediaAddress(url)
            #expect(address.name == name && address.url == url && address.kind == .network)
        }
        let error = try failure { _ = try MediaAddress("gopher://me:secret@host/") }
        #expect(error.code == .unsupported && !error.description.contains("secret"))
    }

    @Test(arguments: ["concat:a|b", "pipe:0", "subfile,,start,0,end,1,,:a", "data:video/mp4;base64,AAAA", "crypto:a"])
    func `what FFmpeg takes for a protocol is a name of a file here`(text: String) throws {
        let error = try failure { _ = try MediaAddress(text) }
        #expect(error.code == .notFound, "\(error)")
    }

    @Test(arguments: ["ftp://h/a", "tee://a", "concat://a", "file2://a", "ffconcat://x", "async://file:a", "cache://a"])
    func `a URL of another kind is refused`(url: String) throws {
        #expect(try failure { _ = try MediaAddress(url) }.code == .unsupported)
    }

    @Test func `what is no file is refused`() throws {
        #expect(try failure { _ = try MediaAddress(directory.path) }.code == .invalidArgument)
        #expect(try failure { _ = try MediaAddress("/dev/null") }.code == .unsupported)
        #expect(try failure { _ = try MediaAddress(directory.path("none.mp4")) }.code == .notFound)
        #expect(try failure { _ = try MediaAddress(directory.path("100%.mp4")) }.code == .notFound)
        #expect(try MediaAddress(directory.path("%04d.png")).kind == .sequence)
        #expect(try MediaAddress("file://" + directory.file("a b.mp4", [0])).kind == .file)
        #expect(try MediaAddress(directory.file("a.SDP", [0])).kind == .description)
    }

    @Test func `a colon in a name is part of it`() throws {
        let clip = try Clip(32, 16, .i420, "yuv420p")
        let path = try clip.film("film.mkv", ["-c:v", "ffv1"], in: directory)
        try FFmpeg.run(["-i", path, "-c", "copy", "file:" + directory.path("http:film.mkv")], in: directory)
        #expect(drain(try MediaSource(path: directory.path("http:film.mkv"), options: .fast())).frames.count == 3)
    }

    @Test func `a playlist under another name does not send what it lists`() throws {
        let clip = try Clip(32, 16, .i420, "yuv420p")
        _ = try clip.film("film.ts", ["-c:v", "libx264", "-qp", "0"], in: directory)
        let playlist = Array("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.12,\nfilm.ts\n#EXT-X-ENDLIST\n".utf8)
        let hidden = try directory.file("film.mp4", playlist)
        let error = try failure { _ = try MediaSource(path: hidden, options: .fast()) }
        #expect([.unsupported, .malformedInput].contains(error.code), "\(error)")
        let open = try directory.file("film.m3u8", playlist)
        #expect(drain(try MediaSource(path: open, options: .fast())).frames.count == 3)
    }

    @Test func `a file leads to no network`() throws {
        let playlist = Array(
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n".utf8)
        let path = try directory.file("film.m3u8", playlist)
        let result = Result { drain(try MediaSource(path: path, options: .fast())) }
        if case .success(let (frames, _, error)) = result { #expect(frames.isEmpty && error != nil) }
    }
}
