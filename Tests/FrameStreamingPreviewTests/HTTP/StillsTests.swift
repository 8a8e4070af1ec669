import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import FrameStreamingPreview
import Testing

extension PreviewTests {
    @Suite struct StillsTests {
        let rig: Rig

        init() throws { rig = try Rig() }

        @Test func aJPEGIsHandedOnAsItIs() throws {
            let stream = rig.server.stream(named: "a/b %41?é#")
            let frame = try rig.jpeg(3)
            stream.show(frame)
            // The name in an address, with reserved characters escaped.
            let answer = try rig.ask("/streams/a%2Fb%20%2541%3F%C3%A9%23.jpg")
            #expect(answer.status == 200 && answer["content-type"] == "image/jpeg" && answer.body == frame.contents)
            #expect(try rig.ask("/streams/a/b%20%2541%3F%C3%A9%23.jpg").status == 404)
        }

        @Test func aTagNamesThePicture() throws {
            let (stream, other) = (rig.server.stream(named: "cam"), rig.server.stream(named: "other"))
            let frame = try rig.jpeg(3)
            for stream in [stream, other] { stream.show(frame) }
            let tag = try #require(rig.ask("/streams/cam.jpg")["etag"])
            #expect(tag.first == "\"" && tag.last == "\"")
            for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                let answer = try rig.ask("/streams/cam.jpg", ["If-None-Match: \(known)"])
                #expect(answer.status == 304 && answer["etag"] == tag)
            }
            #expect(try rig.ask("/streams/cam.jpg", ["If-None-Match: \"x\""]).status == 200)
            #expect(try rig.ask("/streams/other.jpg", ["If-None-Match: \(tag)"]).status == 200)
            #expect(try rig.ask("/streams/cam.jpg?scale=1/2", ["If-None-Match: \(tag)"]).status == 200)
            stream.show(try rig.jpeg(4))
            let newer = try rig.ask("/streams/cam.jpg", ["If-None-Match: \(tag)"])
            #expect(newer.status == 200 && newer["etag"] != tag)
            #expect(newer["cache-control"] == "no-cache")
        }

        @Test(arguments: [(2, 32, 24), (4, 16, 12), (8, 8, 6), (1, 64, 48)])
        func smaller(denominator: Int, width: Int, height: Int) throws {
            for isJPEG in [true, false] {
                let stream = rig.server.stream(named: "cam")
                stream.show(isJPEG ? try rig.jpeg(3) : try rig.picture(3))
                let answer = try rig.ask("/streams/cam.jpg?scale=1/\(denominator)")
                let found = try header(of: answer.body)
                #expect(answer.status == 200 && found.width == width && found.height == height)
                stream.end("done")
            }
        }

        /// A phone's picture lies on its side and says so. A smaller one has no EXIF data, and is
        /// upright.
        @Test func aSmallerPictureIsUpright() throws {
            let lying = try rig.jpeg(3)
            var exif: [UInt8] = [0xFF, 0xE1, 0, 34]
            exif += Array("Exif".utf8) + [0, 0]
            exif += Array("II".utf8) + [42, 0, 8, 0, 0, 0, 1, 0]
            exif += [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]
            exif += [0, 0, 0, 0]
            let bytes = lying.contents
            let all = Array(bytes[..<2]) + exif + Array(bytes[2...])
            let stream = rig.server.stream(named: "phone")
            var buffer = FramePool(capacity: 0).buffer(byteCount: all.count)
            var samples = buffer.samples
            for index in all.indices { samples[index] = all[index] }
            stream.show(try buffer.makeFrame(format: lying.format))
            #expect(try rig.ask("/streams/phone.jpg").body == all)
            for (denominator, width, height) in [(2, 24, 32), (4, 12, 16), (8, 6, 8)] {
                let found = try header(of: rig.ask("/streams/phone.jpg?scale=1/\(denominator)").body)
                #expect(found.width == width && found.height == height)
            }
        }

        @Test(arguments: ["2", "1/3", "", "0.5", "1/2/"]) func unsupportedScales(scale: String) throws {
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(3))
            #expect(try rig.ask("/streams/cam.jpg?scale=\(scale)").status == 400)
        }

        @Test func aRawFrameIsEncodedOnceAndOnlyForAViewer() throws {
            let stream = rig.server.stream(named: "raw")
            let picture = try rig.picture(7, width: 320, height: 240)
            for _ in 0..<20 { stream.show(picture) }
            #expect(rig.codec.statistics.encoded.allocations == 0)
            let first = try rig.ask("/streams/raw.jpg")
            #expect(try rig.ask("/streams/raw.jpg").body == first.body)
            #expect(rig.codec.statistics.encoded.allocations == 1)
            let found = try header(of: first.body)
            #expect(found.width == 320 && found.height == 240)
        }

        @Test func noPictureYet() throws {
            let stream = rig.server.stream(named: "cam")
            let answer = try rig.ask("/streams/cam.jpg")
            #expect(answer.status == 503 && answer["retry-after"] == "1")
            withExtendedLifetime(stream) {}
        }

        @Test func aJPEGThatDoesNotDecodeIsAnError() throws {
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.bulk(1, byteCount: 1000))
            // An unchanged JPEG is not checked.
            #expect(try rig.ask("/streams/cam.jpg").body.count == 1000)
            let answer = try rig.ask("/streams/cam.jpg?scale=1/2")
            #expect(answer.status == 500 && answer.text.contains("cannot be shown"))
        }

        @Test func aLargeFrameArrivesComplete() throws {
            let stream = rig.server.stream(named: "cam")
            let frame = try rig.bulk(1, byteCount: 6_000_000)
            stream.show(frame)
            let client = try Client(port: rig.port, receiveBuffer: 65_536)
            client.request("/streams/cam.jpg")
            #expect(try client.answer().body == frame.contents)
        }
    }
}
