/// Prints where the pictures can be seen: the address for this machine, and those that a phone or
/// another machine can open, which may not know this one by its name.
package func printPictures(at addresses: [String], _ more: String = "") {
    guard let first = addresses.first else { return }
    printLine(["pictures at \(first)", more].filter { !$0.isEmpty }.joined(separator: " "))
    for address in addresses.dropFirst() { printLine("from other machines: \(address)") }
}
