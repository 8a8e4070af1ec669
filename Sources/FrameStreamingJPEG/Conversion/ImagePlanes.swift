/// The address of a plane to read.
///
/// Unsafe code: valid as long as the memory of the frame or scratch block that it points into. No
/// value outlives the call that created it.
@safe struct SourcePlane {
    let start: UnsafePointer<UInt8>
    let stride: Int

    @inline(__always) func line(_ index: Int) -> UnsafePointer<UInt8> { unsafe start + index &* stride }
}

/// The address of a plane to write. Unsafe as ``SourcePlane`` is.
@safe struct TargetPlane {
    let start: UnsafeMutablePointer<UInt8>
    let stride: Int

    @inline(__always) func line(_ index: Int) -> UnsafeMutablePointer<UInt8> { unsafe start + index &* stride }

    var asSource: SourcePlane { unsafe SourcePlane(start: UnsafePointer(start), stride: stride) }
}
