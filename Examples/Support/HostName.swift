internal import Glibc

/// The name of this machine, as `hostname` prints it; empty where it has none.
///
/// Unsafe code: the name is written into a local buffer of the given size.
package func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    // The smaller count leaves room for the terminating zero, which a long name would otherwise lack.
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
