import Foundation
@testable import FrameStreamingPreview
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        "", "{", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "nul", "\"a", "\"\\x\"", "\"\\ud800\"",
        "\"\\u12\"", "\"\u{1}\"", "1e999", "-", "{1:2}", "[[[[[[[[[[[[]]]]]]]]]]]]", "\"\\ud800\\u0041\"",
    ]) func whatIsNoJSON(text: String) { #expect(JSONValue(Array(text.utf8)) == nil) }

    @Test func bytesThatAreNoText() { #expect(JSONValue([0x22, 0xFF, 0x22]) == nil) }

    @Test func whatIsJSON() {
        let text = " { \"a\\u00e9\\ud83d\\ude00\\n\" : [ 1 , -2.5e1, true, false, null, \"x\\/\\\"\" ] , \"b\":{} } "
        #expect(
            JSONValue(Array(text.utf8))
                == .object([
                    "aé😀\n": .array([.number(1), .number(-25), .bool(true), .bool(false), .null, .string("x/\"")]),
                    "b": .object([:]),
                ]))
        #expect(JSONValue(Array("7".utf8))?.integer == 7 && JSONValue(Array("7.5".utf8))?.integer == nil)
        #expect(JSONValue(Array("1e300".utf8))?.integer == nil)
    }

    @Test func whatIsWrittenIsRead() throws {
        var json = JSONWriter()
        let words = "\u{0}\u{1F}\"\\</script>\u{2028}é😀"
        json.object { json in
            json.member("a", words)
            json.member("none", nil as String?)
            json.key("list")
            json.array { json in
                json.value(1)
                json.value(-0.25)
                json.value(Double.nan)
                json.array { _ in }
                json.object { $0.member("x", 1234.5678) }
            }
            json.member("last", Int.max)
        }
        #expect(!json.text.contains("<"))
        let object = try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String: Any]
        #expect(object?["a"] as? String == words && object?["none"] is NSNull && object?["last"] as? Int == .max)
        let list = try #require(object?["list"] as? [Any])
        #expect(list[0] as? Int == 1 && list[1] as? Double == -0.25 && list[2] is NSNull)
        #expect((list[4] as? [String: Double])?["x"] == 1234.568)
    }

    @Test(arguments: [
        (0.0, "0"), (1, "1"), (-0.0001, "0"), (0.05, "0.05"), (-1.5, "-1.5"), (12.3456, "12.346"),
        (1e14, "100000000000000"),
    ]) func decimals(number: Double, text: String) { #expect(JSONWriter.decimal(number) == text) }
}
