import FrameStreamingCore
import FrameStreamingFiles
import Testing

@Suite struct Y4MHeaderTests {
    private func parse(_ text: String) throws(FrameStreamingError) -> Y4MHeader {
        try Y4MHeader(parsing: Array(text.utf8))
    }

    @Test(arguments: [
        ("", PixelFormat.i420), (" C420jpeg", .i420), (" C420mpeg2", .i420), (" C420paldv", .i420), (" C420", .i420),
        (" C422", .i422), (" C444", .i444), (" Cmono", .gray8), (" XYSCSS=420MPEG2", .i420), (" XYSCSS=422", .i422),
        (" C444 XYSCSS=420JPEG", .i444),
    ])
    func `knows chroma`(parameter: String, format: PixelFormat) throws {
        #expect(try parse("YUV4MPEG2 W4 H2\(parameter)").pixelFormat == format)
    }

    @Test func `reads every parameter in any order, and ignores unknown ones`() throws {
        let header = try parse("YUV4MPEG2 XCOLORRANGE=FULL A16:15 Ib F30000:1001 H768 W1366  Q1 XFOO C422")
        #expect(header.width == 1366)
        #expect(header.height == 768)
        #expect(header.rate == FrameRate(30000, per: 1001))
        #expect(header.interlacing == "b")
        #expect(header.aspect?.width == 16)
        #expect(header.aspect?.height == 15)
        #expect(header.colorRange == .full)
        #expect(try parse("YUV4MPEG2 W1 H1 XCOLORRANGE=LIMITED").colorRange == .limited)
    }

    @Test(arguments: [
        "F", "F0:1", "F0:0", "F30:0", "F-30:1", "F1:2:3", "F99999999999999999999:1", "Fx", "F25.0",
    ])
    func `a rate that is not understood is not stated`(parameter: String) throws {
        let header = try parse("YUV4MPEG2 W4 H2 \(parameter) C422")
        #expect(header.rate == nil && header.pixelFormat == .i422)
    }

    @Test(arguments: [
        "A", "A1", "A0:1", "A1:0", "A0:0", "A-1:1", "Ax:y", "I", "Ix", "Ipp", "XCOLORRANGE=UNKNOWN", "XCOLORRANGE=",
    ])
    func `a parameter that changes no pixel is never fatal`(parameter: String) throws {
        let header = try parse("YUV4MPEG2 W4 H2 \(parameter)")
        #expect(header.width == 4 && header.colorRange == nil && header.interlacing == "?")
        if parameter != "A1" { #expect(header.aspect == nil) }
    }

    @Test func `a rate without its denominator is one of whole frames`() throws {
        #expect(try parse("YUV4MPEG2 W4 H2 F25").rate == FrameRate(25))
    }

    @Test func `a CR in front of the line's end and tabs are blanks`() throws {
        let header = try parse("YUV4MPEG2\tW4 H2 XCOLORRANGE=full F25:1\r")
        #expect(header.rate == FrameRate(25) && header.colorRange == .full)
        #expect(try parse("YUV4MPEG2 W4 H2\r").height == 2)
        #expect(try parse("YUV4MPEG2 W4 H2 C422\r").pixelFormat == .i422)
    }

    @Test(arguments: [
        ("C420p8", PixelFormat.i420), ("C422p8", .i422), ("C444p8", .i444), ("Cmonop8", .gray8), ("C420JPEG", .i420),
        ("C420topleft", .i420),
    ])
    func `chroma of eight bits has many names`(parameter: String, format: PixelFormat) throws {
        #expect(try parse("YUV4MPEG2 W4 H2 \(parameter)").pixelFormat == format)
    }

    @Test(arguments: [
        ("C420p10", "10 bits", "yuv420p"), ("C422p12", "12 bits", "yuv422p"), ("C444p16", "16 bits", "yuv444p"),
        ("Cmono16", "16 bits", "gray"), ("C444alpha", "alpha", "yuv444p"), ("C411", "four pixels", "yuv422p"),
    ])
    func `what is not read is named, with the command that converts it`(
        parameter: String, fault: String, target: String
    ) throws {
        let error = try failure { _ = try parse("YUV4MPEG2 W4 H2 \(parameter)") }
        #expect(error.code == .unsupported)
        #expect(error.message.contains("\(parameter) has "), "\(error)")
        #expect(error.message.contains(fault) && error.message.contains("-pix_fmt \(target) "), "\(error)")
    }

    @Test func `what is unknown stays unknown`() throws {
        let header = try parse("YUV4MPEG2 W1 H1 F0:0 A0:0 I?")
        #expect(header.rate == nil)
        #expect(header.aspect == nil)
        #expect(header.colorRange == nil)
        #expect(header.line == "YUV4MPEG2 W1 H1 F0:0 I? A0:0 C420jpeg\n")
    }

    @Test(arguments: [
        ("", FrameStreamingError.Code.malformedInput), ("YUV4MPEG", .malformedInput),
        ("YUV4MPEG2X W1 H1", .malformedInput),
        ("YUV4MPEG2 H1", .malformedInput), ("YUV4MPEG2 W1", .malformedInput), ("YUV4MPEG2 W0 H1", .malformedInput),
        ("YUV4MPEG2 W1 H-1", .malformedInput), ("YUV4MPEG2 W+1 H1", .malformedInput),
        ("YUV4MPEG2 W H1", .malformedInput),
        ("YUV4MPEG2 W1x H1", .malformedInput), ("YUV4MPEG2 W65536 H1", .limitExceeded),
        ("YUV4MPEG2 W99999999999999999999 H1", .malformedInput), ("YUV4MPEG2 W1 H1 C411", .unsupported),
        ("YUV4MPEG2 W1 H1 C420p10", .unsupported), ("YUV4MPEG2 W1 H1 C444alpha", .unsupported),
        ("YUV4MPEG2 W1 H1 C", .unsupported), ("YUV4MPEG2 W1 H1 XYSCSS=411", .unsupported),
        ("YUV4MPEG2 W1 H1 C420x", .unsupported),
    ])
    func `refuses invalid parameters with a remedy`(text: String, code: FrameStreamingError.Code) throws {
        let error = try failure { _ = try parse(text) }
        #expect(error.code == code)
        #expect(error.message.count > 20)
    }

    @Test(arguments: [PixelFormat.i420, .i422, .i444, .gray8])
    func `a written header can be read, and the order is W H F I A C X`(format: PixelFormat) throws {
        let layout = try FrameFormat(width: 17, height: 13, pixelFormat: format, colorRange: .full)
        let header = try Y4MHeader(format: layout, rate: #require(FrameRate("29.97")))
        #expect(header.line.hasPrefix("YUV4MPEG2 W17 H13 F30000:1001 Ip A1:1 C"))
        #expect(header.line.hasSuffix(" XCOLORRANGE=FULL\n"))
        #expect(try parse(String(header.line.dropLast())) == header)
    }

    @Test func `the matrix is written if there is one`() throws {
        for matrix in [ColorMatrix.bt601, .bt709, .bt2020] {
            let layout = try FrameFormat(width: 2, height: 2, pixelFormat: .i420, colorMatrix: matrix)
            let header = try Y4MHeader(format: layout, rate: .thirty)
            #expect(header.line.hasSuffix(" XCOLORMATRIX=\(matrix.description.uppercased()) XCOLORRANGE=LIMITED\n"))
            #expect(try parse(String(header.line.dropLast())) == header)
            let gray = try FrameFormat(width: 2, height: 2, pixelFormat: .gray8, colorMatrix: matrix)
            #expect(try Y4MHeader(format: gray, rate: .thirty).colorMatrix == nil)
        }
        #expect(try parse("YUV4MPEG2 W1 H1 XCOLORMATRIX=SMPTE240M").colorMatrix == nil)
    }

    @Test func `has no name for packed formats`() throws {
        let layout = try FrameFormat(width: 2, height: 2, pixelFormat: .yuyv)
        #expect(try failure { _ = try Y4MHeader(format: layout, rate: .thirty) }.code == .unsupported)
    }
}
