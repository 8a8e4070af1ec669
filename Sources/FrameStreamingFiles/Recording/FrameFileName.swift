/// Names the files in a directory of JPEGs.
enum FrameFileName {
    /// Returns `frame-000001` and so on, with more than six digits where needed.
    static func name(_ number: Int) -> String {
        let digits = String(number)
        return "frame-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    /// Whether a recorder chose this name.
    static func isFrame(_ name: String) -> Bool {
        guard name.hasPrefix("frame-"), name.hasSuffix(".jpg") else { return false }
        let digits = name.utf8.dropFirst(6).dropLast(4)
        return digits.count >= 6 && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
