import FrameStreamingCore
import FrameStreamingTesting
import Testing

/// Reading and writing pixels without unsafe code.
@Suite struct FramePlaneTests {
    /// 17x13 with strides of a driver's: rows have padding, planes have gaps.
    static func padded() throws -> Frame {
        let format = try FrameFormat(
            width: 17, height: 13, pixelFormat: .i420, strides: [32, 16, 16], offsets: [3, 420, 540])
        return try .filled(format) { UInt8(truncatingIfNeeded: $0 &* 31) }
    }

    @Test func aPlaneHasItsSamplesAndItsLayout() throws {
        let frame = try Self.padded()
        let chroma = frame.plane(2)
        #expect(chroma.layout == PlaneLayout(offset: 540, stride: 16, rowBytes: 9, height: 7))
        #expect(chroma.samples.count == 16 * 6 + 9)
        #expect(chroma.samples[0] == UInt8(truncatingIfNeeded: 540 * 31))
    }

    @Test func aRowHasNoPadding() throws {
        let frame = try Self.padded()
        let luma = frame.plane(0)
        for y in 0..<luma.layout.height {
            let row = luma.row(y)
            #expect(row.count == 17)
            for x in row.indices {
                #expect(row[x] == UInt8(truncatingIfNeeded: (3 + y * 32 + x) * 31))
            }
        }
    }

    @Test func aPictureOfOnePixelHasPlanesOfOneSample() throws {
        let format = try FrameFormat(width: 1, height: 1, pixelFormat: .i420)
        let frame = try Frame.filled(format) { UInt8($0 + 7) }
        #expect((0..<3).map { frame.plane($0).row(0)[0] } == [7, 8, 9])
        #expect(frame.samples.count == 3)
    }

    @Test func writtenSamplesAreTheFrames() throws {
        let format = try FrameFormat(
            width: 5, height: 3, pixelFormat: .nv12, strides: [8, 8], offsets: [1, 40])
        var buffer = FramePool(capacity: 1).buffer(byteCount: format.byteCount)
        do {
            var all = buffer.samples
            for index in all.indices { all[index] = 0 }
        }
        for plane in 0..<format.planeCount {
            var samples = buffer.plane(format.plane(plane))
            for index in samples.indices { samples[index] = UInt8(100 * plane + index) }
        }
        let frame = try buffer.makeFrame(format: format)
        #expect(frame.samples[0] == 0)
        #expect(frame.plane(0).row(2)[4] == 20)
        #expect(frame.plane(1).row(1)[5] == 113)
    }

    @Test func aCompressedFrameHasSamplesAndNoPlanes() throws {
        let format = try FrameFormat(width: 16, height: 16, pixelFormat: .jpeg)
        let frame = try Frame.filled(format, byteCount: 5) { UInt8($0) }
        #expect(frame.samples.count == 5 && frame.samples[4] == 4)
        #expect(frame.format.planeCount == 0)
    }

    @Test func aPlaneOutsideTheBufferTraps() async {
        await #expect(processExitsWith: .failure) {
            var buffer = FramePool(capacity: 1).buffer(byteCount: 16)
            let outside = PlaneLayout(offset: 8, stride: 4, rowBytes: 4, height: 3)
            _ = buffer.plane(outside).count
        }
    }

    @Test func aRowOutsideThePlaneTraps() async {
        await #expect(processExitsWith: .failure) {
            let format = try FrameFormat(width: 4, height: 2, pixelFormat: .gray8)
            let frame = try Frame.filled(format) { _ in 0 }
            _ = frame.plane(0).row(2)
        }
    }
}
