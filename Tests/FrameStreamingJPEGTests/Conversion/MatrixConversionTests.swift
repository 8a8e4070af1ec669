import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

@Suite struct MatrixConversionTests {
    @Test func whatJFIFHasNeedsNoConversion() {
        for range in [ColorRange.limited, .full] {
            #expect(MatrixConversion(from: .bt601, range) == nil)
            #expect(MatrixConversion(from: .unspecified, range) == nil)
            #expect(MatrixConversion(from: .bt709, range) != nil)
        }
        #expect(MatrixConversion(from: .bt709, .full) != MatrixConversion(from: .bt2020, .full))
        #expect(MatrixConversion(from: .bt709, .full) != MatrixConversion(from: .bt709, .limited))
    }

    /// Every luma with every fifth of both chromas, against double precision.
    @Test(arguments: [ColorMatrix.bt709, .bt2020], [ColorRange.limited, .full])
    func everyColourIsLessThanOneOff(_ matrix: ColorMatrix, _ range: ColorRange) throws {
        let conversion = try #require(MatrixConversion(from: matrix, range))
        let space = try #require(ColourSpace(matrix, range))
        let jfif = try #require(ColourSpace(.bt601, .full))
        let luma = (0...255).map { UInt8($0) }
        func off(_ ours: UInt8, _ theirs: Double) -> Double { abs(Double(ours) - min(255, max(0, theirs))) }
        var worst = 0.0
        for u in stride(from: 0, through: 255, by: 5) {
            for v in stride(from: 0, through: 255, by: 5) {
                let (us, vs) = ([UInt8](repeating: UInt8(u), count: 256), [UInt8](repeating: UInt8(v), count: 256))
                var corrections = [Int16](repeating: 0, count: 256)
                var (y, newU, newV) = (luma, us, vs)
                unsafe conversion.corrections(us, vs, count: 256, across: 1, to: &corrections)
                unsafe conversion.convertLuma(luma, corrections, to: &y, count: 256)
                unsafe conversion.convertChroma(us, vs, to: &newU, &newV, count: 256)
                for index in 0...255 {
                    let exact = jfif.samples(space.rgb(Double(index), Double(u), Double(v)))
                    worst = max(worst, off(y[index], exact.0), off(newU[index], exact.1), off(newV[index], exact.2))
                }
            }
        }
        #expect(worst < 1, "\(matrix) \(range): \(worst)")
    }

    @Test func grayIsWhatTheExpansionOfTheRangeMakesOfIt() throws {
        let gray = [UInt8](repeating: 128, count: 256)
        for matrix in [ColorMatrix.bt709, .bt2020] {
            let conversion = try #require(MatrixConversion(from: matrix, .limited))
            var corrections = [Int16](repeating: 1, count: 512)
            unsafe conversion.corrections(gray, gray, count: 256, across: 2, to: &corrections)
            #expect(Set(corrections) == [0])
            var (y, u, v) = (gray, gray, gray)
            unsafe conversion.convertLuma((0...255).map { UInt8($0) }, corrections, to: &y, count: 256)
            unsafe conversion.convertChroma(gray, gray, to: &u, &v, count: 256)
            #expect(y == (0...255 as ClosedRange<UInt16>).map(LumaExpansion.expand))
            #expect(Set(u + v) == [128])
        }
    }
}
