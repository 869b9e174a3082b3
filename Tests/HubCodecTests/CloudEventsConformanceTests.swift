import Foundation
import HubCodec
import HubModel
import Testing

/// The scenarios of the CloudEvents conformance suite: Kafka's through the record's headers, HTTP's through a list of headers.
@Suite struct CloudEventsConformanceTests {
    @Test func everyScenarioHolds() throws {
        guard let folder = Self.vectors else {
            print("CloudEventsConformanceTests: no cloudevents vectors found, skipped")
            return
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".feature") }.sorted()
        var passed = 0
        var failed = 0
        var leftOut: [String] = []
        for file in files {
            for scenario in Self.scenarios(try String(contentsOf: folder.appending(path: file), encoding: .utf8)) {
                do {
                    guard let event = try Self.event(scenario) else {
                        leftOut.append("\(file): \(scenario.name)")
                        continue
                    }
                    let document = try JSONDocument.parse(scenario.expectedData)
                    let isRight = event.attributes == scenario.expected && event.data?.value == document.value
                    #expect(event.attributes == scenario.expected, "\(file): \(scenario.name)")
                    #expect(event.data?.value == document.value, "\(file): \(scenario.name)")
                    if isRight { passed += 1 } else { failed += 1 }
                } catch {
                    failed += 1
                    Issue.record("\(file): \(scenario.name): \(error)")
                }
            }
        }
        #expect(passed > 0)
        print("CloudEventsConformanceTests: \(passed) passed, \(failed) failed, \(leftOut.count) left out \(leftOut)")
    }

    /// One scenario, an outline's example put in.
    private struct Scenario {
        var name = ""
        var payload = ""
        var headers: [(name: String, value: String?)] = []
        var request: String?
        var expected: [String: String] = [:]
        var expectedData = ""
    }

    private static func event(_ scenario: Scenario) throws -> CloudEvent? {
        var headers = scenario.headers
        var body = scenario.payload
        var prefix = "ce_"
        if let request = scenario.request {
            prefix = "ce-"
            let lines = request.split(separator: "\n", omittingEmptySubsequences: false)
            let blank = lines.firstIndex { $0.isEmpty } ?? lines.endIndex
            headers = lines[1..<blank].map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (String(parts[0]), String(parts[1].drop { $0 == " " }))
            }
            body = lines[blank...].joined(separator: "\n")
        }
        let contentType = headers.last { $0.name.lowercased() == "content-type" }?.value
        let hasVersion = headers.contains { $0.name.lowercased() == prefix + "specversion" }
        switch try CloudEventMode(contentType: contentType, hasVersionHeader: hasVersion) {
        case .structured: return try CloudEvent(structured: Array(body.utf8))
        case .binary: return try CloudEvent(headers: headers, prefix: prefix, body: Array(body.utf8))
        case nil: return nil
        }
    }

    // MARK: Gherkin, as far as these files use it

    private static func scenarios(_ text: String) -> [Scenario] {
        var result: [Scenario] = []
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }[...]
        while let line = lines.popFirst() {
            let words = line.trimmingCharacters(in: .whitespaces)
            guard words.hasPrefix("Scenario") else { continue }
            let block = Array(lines.prefix { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("Scenario") })
            lines = lines.dropFirst(block.count)
            let name = words.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
            guard let mark = block.firstIndex(where: { $0.contains("Examples:") }) else {
                result.append(scenario(name, block))
                continue
            }
            let table = table(block[(mark + 1)...])
            guard let header = table.first else { continue }
            for row in table.dropFirst() {
                let fill = { (line: String) in zip(header, row).reduce(line) { $0.replacingOccurrences(of: "<\($1.0)>", with: $1.1) } }
                result.append(scenario(fill(name), block[..<mark].map(fill)))
            }
        }
        return result
    }

    private static func scenario(_ name: String, _ block: [String]) -> Scenario {
        var scenario = Scenario(name: name)
        for (place, line) in block.enumerated() {
            let rest = block[(place + 1)...]
            let words = line.trimmingCharacters(in: .whitespaces)
            if words.hasSuffix("Kafka message with payload:") { scenario.payload = quoted(rest) }
            if words.hasSuffix("Kafka headers:") { scenario.headers = table(rest).dropFirst().map { ($0[0], $0[1]) } }
            if words.hasSuffix("HTTP request"), words.hasPrefix("Given") { scenario.request = quoted(rest) }
            if words.hasSuffix("the attributes are:") {
                for row in table(rest).dropFirst() { scenario.expected[row[0]] = row[1] }
            }
            if words.hasSuffix("equal to the following JSON:") { scenario.expectedData = quoted(rest) }
        }
        return scenario
    }

    private static func quoted(_ lines: ArraySlice<String>) -> String {
        lines.dropFirst().prefix { !$0.contains("\"\"\"") }.map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
    }

    private static func table(_ lines: some Collection<String>) -> [[String]] {
        lines.map { $0.trimmingCharacters(in: .whitespaces) }.drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// The folder of vectors; nil where this machine has none.
    private static var vectors: URL? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let base =
            ProcessInfo.processInfo.environment["MULTIPOINT_VECTORS"].map { URL(filePath: $0) }
            ?? root.appending(path: "../shared/data").standardizedFileURL
        let folder = base.appending(path: "cloudevents")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }
}
