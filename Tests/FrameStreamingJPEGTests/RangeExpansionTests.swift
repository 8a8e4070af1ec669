import Testing

@testable import FrameStreamingJPEG

@Suite struct RangeExpansionTests {
    @Test func lumaIsExactAtEveryValue() {
        for sample in UInt8.min...UInt8.max {
            let exact = (Double(sample) - 16) * 255 / 219
            #expect(Double(LumaExpansion.map(sample)) == min(255, max(0, exact.rounded())), "luma \(sample)")
        }
    }

    @Test func chromaIsExactAtEveryValue() {
        for sample in UInt8.min...UInt8.max {
            let exact = (Double(sample) - 128) * 255 / 224
            // From 128 outwards, so that 16 and 240 are the ends.
            #expect(
                Double(ChromaExpansion.map(sample)) == min(255, max(0, exact.rounded() + 128)), "chroma \(sample)")
        }
    }

    @Test func samplesOf16BitsBecomeTheSame() {
        for sample in UInt8.min...UInt8.max {
            #expect(LumaExpansion.expand(UInt16(sample)) == LumaExpansion.map(sample), "luma \(sample)")
            #expect(ChromaExpansion.expand(UInt16(sample)) == ChromaExpansion.map(sample), "chroma \(sample)")
            #expect(NoExpansion.expand(UInt16(sample)) == sample && NoExpansion.map(sample) == sample)
        }
    }

    @Test func anchorsStayWhereTheyBelong() {
        #expect([16, 235, 0, 255].map(LumaExpansion.map) == [0, 255, 0, 255])
        #expect([16, 128, 240, 0, 255].map(ChromaExpansion.map) == [0, 128, 255, 0, 255])
    }
}
