/// Names the files in a directory of JPEGs.
enum FrameFileName {
    /// Returns `frame-000001` and so on, with more than six digits where needed.
    static func name(_ number: Int) -> String {
        let digits = String(number)
        return "frame-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    private static let pictureExtensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp", "tif", "tiff", "ppm", "pgm", "heic", "avif",
    ]

    /// Whether the name is that of a picture, of whatever program. Hidden files do not count.
    static func isPicture(_ name: String) -> Bool {
        guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return false }
        return pictureExtensions.contains(name[name.index(after: dot)...].lowercased())
    }

    /// Whether a recorder chose this name.
    static func isFrame(_ name: String) -> Bool {
        guard name.hasPrefix("frame-"), name.hasSuffix(".jpg") else { return false }
        let digits = name.utf8.dropFirst(6).dropLast(4)
        return digits.count >= 6 && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
