import HubDriver
import HubModel
import Testing

@Suite("A driver's settings")
struct DriverSettingsTests {
    private let settings = DriverSettings(application: "erp", values: ["url": "http://a", "empty": "", "batch": "12", "calls": "many"])

    @Test("texts: an empty one is none")
    func texts() throws {
        #expect(settings.text("url") == "http://a" && settings.text("empty") == nil && settings.text("other") == nil)
        #expect(try settings.required("url") == "http://a")
        for name in ["empty", "other"] {
            let error = #expect(throws: DriverError.self) { try settings.required(name) }
            #expect(error?.message == "erp needs the setting \(name).")
        }
    }

    @Test("numbers: within their range, or a mistake that names both")
    func numbers() throws {
        #expect(try settings.number("batch", 5, 1...12) == 12 && settings.number("other", 5, 1...12) == 5)
        for (name, range, text) in [("batch", 1...11, "12"), ("batch", 13...20, "12"), ("calls", 1...64, "many")] {
            let error = #expect(throws: DriverError.self) { try settings.number(name, 5, range) }
            let expected = "erp: \(name) has to be a whole number from \(range.lowerBound) to \(range.upperBound), not \(text)."
            #expect(error?.message == expected)
        }
    }
}
