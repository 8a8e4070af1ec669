internal import Glibc

/// The target that the environment names, chosen once.
private let chosen: FuzzTarget = {
    let name = unsafe getenv("FRAMESTREAMING_FUZZ").map { unsafe String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        print("FRAMESTREAMING_FUZZ must be one of", FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))
        exit(2)
    }
    return target
}()

/// What libFuzzer calls for each input. A failed precondition, a trap or a sanitizer's report ends
/// the run with the input kept.
///
/// - Parameters:
///   - bytes: The input, which lives as long as the call.
///   - count: Its length in bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen.run(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
