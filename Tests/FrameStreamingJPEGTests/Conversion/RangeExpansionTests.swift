import Testing

@testable import FrameStreamingJPEG

@Suite struct RangeExpansionTests {
    @Test func lumaIsExactAtEveryValue() {
        for sample in 0...255 as ClosedRange<UInt16> {
            let exact = (Double(sample) - 16) * 255 / 219
            #expect(Double(LumaExpansion.expand(sample)) == min(255, max(0, exact.rounded())), "luma \(sample)")
        }
    }

    @Test func chromaIsExactAtEveryValue() {
        for sample in 0...255 as ClosedRange<UInt16> {
            let exact = (Double(sample) - 128) * 255 / 224
            // From 128 outwards, so that 16 and 240 are the ends.
            #expect(
                Double(ChromaExpansion.expand(sample)) == min(255, max(0, exact.rounded() + 128)), "chroma \(sample)")
        }
    }

    @Test func theMeanOfTwoIsNotRoundedBeforeItIsExpanded() {
        for sum in 0...510 as ClosedRange<UInt16> {
            let exact = min(255, max(0, (Double(sum) / 2 - 128) * 255 / 224 + 128))
            #expect(abs(Double(ChromaExpansion.expandMean(sum)) - exact) <= 0.5, "a sum of \(sum)")
            #expect(NoExpansion.expandMean(sum) == UInt8((Double(sum) / 2).rounded()))
            if sum % 2 == 0 {
                #expect(ChromaExpansion.expandMean(sum) == ChromaExpansion.expand(sum / 2))
                #expect(LumaExpansion.expandMean(sum) == LumaExpansion.expand(sum / 2))
            }
        }
    }

    @Test func samplesOfPlanesBecomeTheSame() {
        for sample in UInt8.min...UInt8.max {
            #expect(LumaExpansion.map(sample) == LumaExpansion.expand(UInt16(sample)))
            #expect(ChromaExpansion.map(sample) == ChromaExpansion.expand(UInt16(sample)))
            #expect(NoExpansion.map(sample) == sample)
        }
    }

    @Test func fullRangeStays() {
        for sample in 0...255 as ClosedRange<UInt16> { #expect(UInt16(NoExpansion.expand(sample)) == sample) }
    }

    @Test func anchorsStayWhereTheyBelong() {
        #expect([16, 235, 0, 255].map(LumaExpansion.expand) == [0, 255, 0, 255])
        #expect([16, 128, 240, 0, 255].map(ChromaExpansion.expand) == [0, 128, 255, 0, 255])
    }
}
