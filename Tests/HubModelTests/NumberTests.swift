import HubModel
import Testing

@Suite("Numbers")
struct NumberTests {
    @Test(
        "print as they were written",
        arguments: [
            "0", "-0", "1", "-1", "1.50", "0.10", "-0.5", "100", "1e3", "1E+3", "1.5e-7", "123456789012345678", "1234567890123456789",
            "12345678901234567890.123", "0.000000000000000001", "0.0000000000000000001", "9223372036854775807", "-9223372036854775808",
        ])
    func text(_ text: String) throws {
        #expect(try #require(Number(text)).description == text)
    }

    @Test(
        "what JSON does not allow is none",
        arguments: [
            "", "-", "+1", "01", "-01", "1.", ".5", "1.e2", "1e", "1e+", "0x1", " 1", "1 ", "1,5", "NaN", "Infinity", "1.2.3", "٣",
        ])
    func none(_ text: String) { #expect(Number(text) == nil) }

    @Test(
        "order and equality are those of the values",
        arguments: [
            ("1", "1.0", 0), ("2.50", "2.5", 0), ("1e3", "1000", 0), ("0", "-0", 0), ("0.0", "0e9", 0), ("10e-1", "1", 0),
            ("0.1", "1e-1", 0),
            ("1", "2", -1), ("-2", "-1", -1), ("-1", "0", -1), ("0", "0.001", -1), ("9.99", "10", -1), ("1e2", "1e3", -1),
            ("-1e3", "-1e2", -1),
            ("0.09", "0.1", -1), ("12345678901234567890", "12345678901234567891", -1), ("-0.1", "0.1", -1), ("1.10", "1.9", -1),
            ("0.5", "1e99999999999", -1),
        ])
    func order(_ a: String, _ b: String, _ order: Int) throws {
        let x = try #require(Number(a))
        let y = try #require(Number(b))
        #expect((x == y) == (order == 0))
        #expect((x < y) == (order < 0))
        #expect(!(y < x))
        if order == 0 { #expect(x.hashValue == y.hashValue) }
    }

    @Test(
        "rounding",
        arguments: [
            ("2.345", 2, Number.Rounding.halfUp, "2.35"), ("-2.345", 2, .halfUp, "-2.35"), ("2.345", 2, .halfEven, "2.34"),
            ("2.355", 2, .halfEven, "2.36"), ("2.3451", 2, .halfEven, "2.35"), ("2.5", 0, .halfEven, "2"), ("-2.5", 0, .halfUp, "-3"),
            ("2", 2, .exact, "2.00"), ("2.30", 1, .exact, "2.3"), ("1.5e1", 1, .exact, "15.0"), ("1.25e-1", 2, .halfUp, "0.13"),
            ("12345678901234567890.5e-10", 2, .halfUp, "1234567890.12"), ("0.4999", 0, .halfUp, "0"), ("-1e-30", 2, .halfUp, "0.00"),
        ])
    func rounding(_ text: String, _ scale: Int, _ rounding: Number.Rounding, _ expected: String) throws {
        #expect(try #require(Number(text)).rounded(toScale: scale, rounding)?.description == expected)
    }

    @Test(
        "an exponent of any size is survived",
        arguments: ["1e-9223372036854775808", "1e9223372036854775807", "-0.5e-9223372036854775808", "1e-99999999999999999999"])
    func hugeExponent(_ text: String) throws {
        let number = try #require(Number(text))
        #expect(number.integer == nil && number.coefficient(atScale: 2) == nil && number.rounded(toScale: 4) == nil)
        #expect(number.description == text)
    }

    @Test("sums are exact, and nil where they do not fit")
    func sums() throws {
        #expect(Number.sum([], scale: 2) == 0)
        #expect(Number.sum([Number(1, scale: 1), 2], less: [Number(305, scale: 2)], scale: 2)?.description == "-0.95")
        let most = Number(.max, scale: 4)
        #expect(Number.sum([most], scale: 4) == most)
        #expect(Number.sum([most, Number(1, scale: 4)], scale: 4) == nil)
        #expect(Number.sum([Number(-1, scale: 4)], less: [most], scale: 4)?.description == "-922337203685477.5808")
        #expect(Number.sum([Number(-2, scale: 4)], less: [most], scale: 4) == nil)
        #expect(Number.sum([try #require(Number("1e30"))], scale: 4) == nil)
        #expect(Number(0).coefficient(atScale: .max) == 0)
    }

    @Test("what cannot be had exactly is nil")
    func inexact() throws {
        #expect(try #require(Number("2.345")).rounded(toScale: 2, .exact) == nil)
        #expect(try #require(Number("9223372036854775807")).coefficient(atScale: 2) == nil)
        #expect(try #require(Number("1e400")).integer == nil)
        #expect(try #require(Number("1.5")).integer == nil)
        #expect(try #require(Number("1.50e2")).integer == 150)
        #expect(Number(15, scale: 1).description == "1.5")
        #expect(Number(5, scale: 3).description == "0.005")
        #expect(Number(-5, scale: 3).description == "-0.005")
        #expect(Number(5, scale: 19) == Number("5e-19"))
        #expect(Number(5, scale: -2) == 500)
    }
}
