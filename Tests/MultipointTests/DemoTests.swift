import Foundation
import HubCodec
import HubModel
import Testing

@Suite("The demonstration")
struct DemoTests {
    @Test("comes out even, and says so with figures", arguments: ["3", "4"])
    func addsUp(seed: String) throws {
        let program = try Program()
        let result = try program.run("demo", "--events", "200", "--seed", seed, "--json")
        #expect(result.code == 0, "\(result.errors)\n\(result.output.suffix(4000))")
        let report = try JSONDocument.parse(Array(result.output.utf8)).root.value
        func number(_ path: String...) -> Int64 { report.object?[path: path]?.integer ?? -1 }
        #expect(report["allAddsUp"] == true)
        #expect(report["problems"]?.array?.isEmpty == true)
        #expect(number("unexplained") == 0)
        #expect(number("agreeing") > 500)
        #expect(number("agreeing") + Int64(report["differences"]?.array?.count ?? -1) == number("fields"))
        // Every record has one end.
        for topic in report["inbound"]?.array ?? [] {
            let ends = topic["ends"]?.object?.reduce(Int64(0)) { $0 + ($1.value.integer ?? 0) } ?? -1
            #expect(ends + (topic["waiting"]?.integer ?? -1) == topic["records"]?.integer, "\(topic)")
        }
        // Every version has one end in each application.
        for delivery in report["deliveries"]?.array ?? [] {
            let ends = delivery["outcomes"]?.object?.filter { $0.name != "waiting" }.reduce(Int64(0)) { $0 + ($1.value.integer ?? 0) }
            #expect(ends == delivery["versions"]?.integer, "\(delivery)")
        }
        #expect(number("quotes", "accepted") > 5)
        #expect(number("quotes", "ordered") > 0)
        #expect(number("quotes", "ordered") + number("quotes", "refused") + number("quotes", "waiting") == number("quotes", "accepted"))
        #expect(number("echoes") > 0)
        let letters = Set(report["deadLetters"]?.array?.compactMap { $0["code"]?.text } ?? [])
        #expect(letters == ["broken-json", "ambiguous", "schema", "empty"])
        #expect(report["deadLetters"]?.array?.count == 5)
        for (group, lag) in report["lag"]?.object ?? Fields() { #expect(lag == 0, "\(group)") }
    }

    @Test("keeps its folder where that is wished, and touches none that exists")
    func keeps() throws {
        let program = try Program(files: ["there/file": ""])
        let refused = try program.run("demo", "--events", "20", "--keep", program.folder + "/there")
        #expect(refused.code == 2)
        let result = try program.run("demo", "--events", "20", "--keep", program.folder + "/new")
        #expect(result.code == 0, "\(result.errors)\n\(result.output.suffix(4000))")
        #expect(result.output.contains("All adds up."))
        let check = try program.run("links", "--config", program.folder + "/new/hub.yaml")
        #expect(check.code == 0, "\(check.errors)")
        #expect(check.output.contains("ART-") || check.output.contains("product"))
    }

    @Test("refuses a number of events that makes no sense")
    func refuses() throws {
        let program = try Program()
        let result = try program.run("demo", "--events", "0")
        #expect(result.code == 2)
    }
}
