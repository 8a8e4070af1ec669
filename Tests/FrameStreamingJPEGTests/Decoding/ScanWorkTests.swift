import CTurboJPEG
import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

@Suite struct ScanWorkTests {
    /// A JPEG with the given scans, and next to no data in them.
    ///
    /// - Parameters:
    ///   - factors: The sampling factors of each component, as one byte; the components are named
    ///     1, 2, ...
    ///   - scans: The names of the components of each scan.
    private func jpeg(
        _ marker: UInt8, _ width: Int, _ height: Int, factors: [UInt8], scans: [[UInt8]], between: [UInt8] = []
    ) -> [UInt8] {
        func both(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
        var jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        jpeg += [0xFF, marker] + both(8 + 3 * factors.count) + [8] + both(height) + both(width)
        jpeg += [UInt8(factors.count)] + factors.enumerated().flatMap { [UInt8($0 + 1), $1, 0] }
        for name: UInt8 in [0x00, 0x10] {
            jpeg += [0xFF, 0xC4, 0, 20, name, 1] + [UInt8](repeating: 0, count: 15) + [0]
        }
        for (index, scan) in scans.enumerated() {
            jpeg += [0xFF, 0xDA] + both(6 + 2 * scan.count) + [UInt8(scan.count)] + scan.flatMap { [$0, 0] }
            jpeg += (index == 0 ? [0, 0, 0] : [1, 63, 0]) + [0x7F] + between
        }
        return jpeg + [0xFF, 0xD9]
    }

    private func work(_ jpeg: [UInt8], _ limits: ScanLimits = .none) throws -> ScanWork {
        try unsafe jpeg.withUnsafeBytes { bytes in
            let tables = unsafe TablesBeforeScan(bytes)
            return unsafe ScanWork(
                bytes, frame: try #require(tables.frame), firstScan: try #require(tables.firstScan), limits: limits)
        }
    }

    private func code(_ body: () throws -> Void) -> FrameStreamingError? {
        do {
            try body()
            return nil
        } catch {
            return error as? FrameStreamingError
        }
    }

    /// libjpeg's standard script: ten scans of a colour image, six of a gray one.
    @Test func theStandardScriptsCost() throws {
        let picture = TestPicture(width: 64, height: 48)
        let pixels = 64 * 48
        let colour = try work(JPEGParts.encode(picture, sampling: 2, flags: TJFLAG_PROGRESSIVE))
        #expect(colour.scans == 10 && colour.samples == 8 * pixels)
        let whole = try work(JPEGParts.encode(picture, sampling: 0, flags: TJFLAG_PROGRESSIVE))
        #expect(whole.scans == 10 && whole.samples == 14 * pixels)
        let baseline = try work(JPEGParts.encode(picture, sampling: 2))
        #expect(baseline.scans == 1 && baseline.samples == pixels * 3 / 2)
    }

    @Test func scansAreCountedAsTheLibraryFindsThem() throws {
        let gray: [[UInt8]] = Array(repeating: [1], count: 5)
        for between in [
            [], [0xFF, 0xFF, 0xFF], [1, 2, 3], [0xFF, 0x00, 0xFF, 0xD3], [0xFF, 0xFE, 0, 4, 0xFF, 0xDA],
            [0xFF, 0x01, 0xFF, 0x02],
        ] as [[UInt8]] {
            let found = try work(jpeg(0xC2, 24, 16, factors: [0x11], scans: gray, between: between))
            #expect(found.scans == 5 && found.samples == 5 * 24 * 16, "\(between)")
        }
        // Scans behind the end do not count.
        let twice = jpeg(0xC2, 8, 8, factors: [0x11], scans: gray)
        #expect(try work(twice + twice).scans == 5)
        // Whole blocks, of each component by its own sampling.
        let odd = try work(jpeg(0xC2, 17, 9, factors: [0x22, 0x11, 0x11], scans: [[1, 2, 3], [2], [3], [1]]))
        #expect(odd.scans == 4 && odd.samples == 64 * (6 + 2 + 2 + 2 + 2 + 6))
    }

    /// A baseline image may also repeat its components, but not if the first scan has them all.
    @Test func baselineHasScansAsWell() throws {
        let apart: [[UInt8]] = [[1], [2], [3]] + Array(repeating: [1], count: 50)
        #expect(try work(jpeg(0xC0, 8, 8, factors: [0x11, 0x11, 0x11], scans: apart)).scans == 53)
        let together: [[UInt8]] = [[1, 2, 3]] + Array(repeating: [1], count: 50)
        #expect(try work(jpeg(0xC0, 8, 8, factors: [0x11, 0x11, 0x11], scans: together)).scans == 1)
    }

    @Test func arithmeticCodingCountsMore() throws {
        let one: [[UInt8]] = [[1]]
        #expect(try work(jpeg(0xC9, 64, 64, factors: [0x11], scans: one)).samples == 8 * 64 * 64)
        #expect(try work(jpeg(0xCA, 64, 64, factors: [0x11], scans: one + one)).samples == 16 * 64 * 64)
    }

    @Test func itStopsAtTheLimit() throws {
        let many = jpeg(0xC2, 64, 64, factors: [0x11], scans: Array(repeating: [1], count: 5000))
        #expect(try work(many, ScanLimits(scans: 10, samples: .max, pixels: .max)).scans == 11)
        #expect(try work(many, ScanLimits(scans: .max, samples: 4096 * 3, pixels: .max)).scans == 4)
        // It is refused for its size.
        #expect(try work(many, ScanLimits(scans: 10, samples: 1, pixels: 4095)).scans == 0)
    }

    @Test func itNeverLeavesTheBytes() throws {
        let whole = jpeg(0xC2, 65_535, 65_535, factors: [0x44, 0x11, 0x11, 0x11], scans: [[1, 2, 3], [4], [1], [9]])
        for count in 0...whole.count {
            // What is behind the bytes makes no difference: scans, or none.
            let counted = work(whole[..<count], before: whole)
            #expect(counted == work(whole[..<count], before: [UInt8](repeating: 0, count: 100)), "\(count) bytes")
            #expect((counted?.scans ?? 0) <= 4 && (counted?.samples ?? 0) >= 0)
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var damaged = whole
            for _ in 0..<3 {
                damaged[Int.random(in: 2..<whole.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let counted = work(damaged[...], before: whole)
            #expect(counted == work(damaged[...], before: [UInt8](repeating: 0, count: 100)), "\(damaged)")
        }
    }

    /// The work that is counted in `bytes` alone, with `others` behind them in memory; nil without
    /// a scan.
    private func work(_ bytes: ArraySlice<UInt8>, before others: [UInt8]) -> ScanWork? {
        unsafe (bytes + others).withUnsafeBytes { room in
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: room.prefix(bytes.count))
            let tables = unsafe TablesBeforeScan(bytes)
            guard let frame = tables.frame, let scan = tables.firstScan else { return nil }
            return unsafe ScanWork(bytes, frame: frame, firstScan: scan, limits: .none)
        }
    }

    /// Every operation refuses such a JPEG before it does any work, and the error names the limit.
    @Test func eachUseIsBounded() throws {
        let picture = TestPicture(width: 64, height: 48)
        let progressive = try jpegFrame(JPEGParts.encode(picture, sampling: 2, flags: TJFLAG_PROGRESSIVE))
        let samples = 8 * 64 * 48
        for (codec, limit) in [
            (JPEGCodec(maximumScans: 9), "maximumScans "),
            (JPEGCodec(maximumScannedSamples: samples - 1), "maximumScannedSamples "),
            (JPEGCodec(strictness: .tolerant, maximumScans: 9), "maximumScans "),
        ] {
            let uses: [() throws -> Void] = [
                { _ = try codec.decode(progressive, DecodeSettings()) },
                { _ = try codec.decode(progressive, DecodeSettings(pixelFormat: .gray8, scale: .eighth)) },
                { _ = try codec.decode(progressive, DecodeSettings(pixelFormat: .i420)) },
                { _ = try codec.nativePlaneFormat(of: progressive) },
                { _ = try codec.transform(progressive, JPEGTransform(.rotate90)) },
            ]
            for use in uses {
                let error = code(use)
                #expect(error?.code == .limitExceeded && error?.message.contains(limit) == true)
            }
        }
        let exact = JPEGCodec(maximumScans: 10, maximumScannedSamples: samples)
        _ = try exact.decode(progressive, DecodeSettings())
        _ = try exact.transform(progressive, JPEGTransform(.rotate90))
    }

    @Test func theDefaultsTakeTheLargestPictureOfTheStandardScript() throws {
        let codec = JPEGCodec()
        let side = 8192
        let standard: [[UInt8]] = [[1, 2, 3]] + [[1], [3], [2], [1], [1]] + [[1, 2, 3]] + [[3], [2], [1]]
        let honest = try work(jpeg(0xC2, side, side, factors: [0x11, 0x11, 0x11], scans: standard), codec.scanLimits)
        #expect(side * side == codec.maximumPixels && honest.scans == 10)
        try honest.check(codec.scanLimits)
        let bomb = jpeg(0xC2, side, side, factors: [0x11], scans: Array(repeating: [1], count: 60))
        let error = code { _ = try codec.decode(jpegFrame(bomb), DecodeSettings()) }
        #expect(error?.code == .limitExceeded && error?.message.contains("maximumScannedSamples") == true)
    }
}
