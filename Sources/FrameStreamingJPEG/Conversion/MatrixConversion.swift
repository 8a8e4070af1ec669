internal import FrameStreamingCore

/// Converts luma and chroma of another matrix to those of JFIF (BT.601, full range; ITU-T T.871) by
/// one product with a 3 x 3 matrix, without a detour over RGB.
///
/// With Cb and Cr centred on 0, and because gray is the same in every matrix, it is `Y' = Y + a Cb
/// + b Cr`, `Cb' = Cb + c Cb + d Cr`, `Cr' = Cr + e Cb + f Cr`. The factors include the range. All
/// values fit 16 bits: the corrections have 9 binary places, luma has 6. The result is less than 1
/// off (tested at every value).
struct MatrixConversion: Hashable, Sendable {
    private var lumaOfU: Int16
    private var lumaOfV: Int16
    private var uOfU: Int16
    private var uOfV: Int16
    private var vOfU: Int16
    private var vOfV: Int16
    private let isLimitedRange: Bool

    /// Nil if the matrix needs no conversion: for BT.601, and for an unspecified matrix, which is
    /// taken for BT.601.
    init?(from matrix: ColorMatrix, _ range: ColorRange) {
        // The weights of red and blue (ITU-R BT.601, BT.709, BT.2020).
        let (red, blue): (Double, Double)
        switch matrix {
        case .bt709: (red, blue) = (0.2126, 0.0722)
        case .bt2020: (red, blue) = (0.2627, 0.0593)
        default: return nil
        }
        let green = 1 - red - blue
        // R = Y + rv Cr, B = Y + bu Cb, G = Y - gu Cb - gv Cr, inserted into the weights of BT.601.
        let rv = 2 * (1 - red)
        let bu = 2 * (1 - blue)
        let (gu, gv) = (bu * blue / green, rv * red / green)
        let (a, b) = (0.114 * bu - 0.587 * gu, 0.299 * rv - 0.587 * gv)
        let scale = range == .limited ? 255.0 / 224 : 1
        func factor(_ value: Double) -> Int16 { Int16((value * 512).rounded()) }
        lumaOfU = factor(a * scale)
        lumaOfV = factor(b * scale)
        uOfU = factor((bu - a) / 1.772 * scale - 1)
        uOfV = factor(-b / 1.772 * scale)
        vOfU = factor(-a / 1.402 * scale)
        vOfV = factor((rv - b) / 1.402 * scale - 1)
        isLimitedRange = range == .limited
    }
}

/// The loops have no branches, so the optimiser vectorises them.
///
/// Unsafe code, safe because: the caller (StripConversion.swift) passes lines of a strip that has
/// room for them.
extension MatrixConversion {
    /// Computes what each chroma sample of a line adds to the luma beside it, in 64ths: once for
    /// each of its `across` samples of luma.
    func corrections(
        _ u: UnsafePointer<UInt8>, _ v: UnsafePointer<UInt8>, count: Int, across: Int,
        to target: UnsafeMutablePointer<Int16>
    ) {
        guard across == 2 else {
            precondition(across == 1, "no pixel format has chroma for \(across) pixels across")
            for i in 0..<count { unsafe target[i] = correction(u[i], v[i]) }
            return
        }
        let pairs = UnsafeMutableRawPointer(target)
        for i in 0..<count {
            let twice = unsafe UInt32(UInt16(bitPattern: correction(u[i], v[i]))) &* 0x1_0001
            unsafe pairs.storeBytes(of: twice, toByteOffset: 4 &* i, as: UInt32.self)
        }
    }

    @inline(__always) private func correction(_ u: UInt8, _ v: UInt8) -> Int16 {
        (Self.chroma(u) &* lumaOfU &+ Self.chroma(v) &* lumaOfV) >> 3
    }

    @inline(__always) private static func chroma(_ sample: UInt8) -> Int16 { Int16(sample) &- 128 }

    /// Converts a line of luma, given its corrections.
    func convertLuma(
        _ source: UnsafePointer<UInt8>, _ corrections: UnsafePointer<Int16>, to target: UnsafeMutablePointer<UInt8>,
        count: Int
    ) {
        if isLimitedRange {
            for i in 0..<count {
                let x = unsafe Int16(source[i]) &- 16
                // 255 / 219 in 64ths is 74.52.
                unsafe target[i] = Self.sample(of: x &* 74 &+ (x &* 133) >> 8 &+ corrections[i])
            }
        } else {
            for i in 0..<count { unsafe target[i] = Self.sample(of: Int16(source[i]) << 6 &+ corrections[i]) }
        }
    }

    @inline(__always) private static func sample(of parts: Int16) -> UInt8 {
        WordArithmetic.clamped(UInt16(bitPattern: (parts &+ 32) >> 6))
    }

    /// Converts a line of chroma.
    func convertChroma(
        _ u: UnsafePointer<UInt8>, _ v: UnsafePointer<UInt8>, to newU: UnsafeMutablePointer<UInt8>,
        _ newV: UnsafeMutablePointer<UInt8>, count: Int
    ) {
        for i in 0..<count {
            let (cb, cr) = unsafe (Self.chroma(u[i]), Self.chroma(v[i]))
            let (du, dv) = (cb &* uOfU &+ cr &* uOfV, cb &* vOfU &+ cr &* vOfV)
            unsafe newU[i] = WordArithmetic.clamped(UInt16(bitPattern: cb &+ 128 &+ (du &+ 256) >> 9))
            unsafe newV[i] = WordArithmetic.clamped(UInt16(bitPattern: cr &+ 128 &+ (dv &+ 256) >> 9))
        }
    }
}
