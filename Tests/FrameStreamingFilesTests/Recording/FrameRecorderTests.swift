import FrameStreamingFiles
import Testing

@Suite struct FrameRecorderTests {
    @Test(arguments: [
        ("out.y4m", 1, "out.y4m"), ("out.y4m", 2, "out-2.y4m"), ("a.b/out", 3, "a.b/out-3"), ("DIR", 2, "DIR-2"),
        ("DIR/", 2, "DIR-2"), ("/tmp/x.tar.gz", 10, "/tmp/x.tar-10.gz"), (".hidden", 2, ".hidden-2"),
        ("a/.hidden.mjpg", 2, "a/.hidden-2.mjpg"), ("/", 2, "/-2"),
    ])
    func `numbers precede the extension`(path: String, number: Int, expected: String) {
        #expect(RecordingPath.numbered(path, number) == expected)
    }

    @Test(arguments: [("realtime", Pacing.realtime), ("max", .maximum), ("Maximum", .maximum), ("fast", nil)])
    func `paces have names`(name: String, pacing: Pacing?) {
        #expect(Pacing(name: name) == pacing)
        if let pacing { #expect(Pacing(name: pacing.description) == pacing) }
    }
}
