import Foundation
import HubDriver
import HubModel
import PostgreSQL
import Testing

@testable import Tryton

@Suite("Tryton: which tables signal which documents")
struct SignalMapTests {
    /// A line of the map, word by word.
    private struct Line {
        var native: String
        var words: [String: String]

        init(_ text: Substring) {
            let parts = text.split(whereSeparator: \.isWhitespace)
            native = String(parts.first?.dropLast() ?? "")
            words = [:]
            for part in parts.dropFirst() {
                let word = part.split(separator: "=", maxSplits: 1)
                words[String(word[0])] = word.count == 2 ? String(word[1]) : ""
            }
        }
    }

    private func map(_ more: [String: String] = [:], companies: [CompanyID: String] = [:]) throws -> SignalMap {
        var settings = LiveDatabase.settings
        settings.values.merge(more) { $1 }
        settings.companies = companies
        return try #require(try TrytonFactory.signal(settings))
    }

    private func lines() throws -> [Line] {
        try #require(try map().settings["tables"]).split(separator: "\n").filter { !$0.hasPrefix("#") }.map { Line($0) }
    }

    @Test("It is taken as it is, and knows every type of the driver's")
    func types() throws {
        var values = try map().settings
        values["connection"] = "host=nowhere.invalid"
        let signal = try PostgreSQLFactory.make(DriverSettings(application: "tryton", values: values))
        #expect(signal is any Capturing)
        let own = Set(try LiveTryton.driver().manifest.entities.map(\.native))
        #expect(Set(signal.manifest.entities.map(\.native)) == own)
        #expect(signal.manifest.entities.allSatisfy { $0.operations.isEmpty }, "a signal writes nowhere")
        for line in try lines() {
            #expect(own.contains(line.words["document"] ?? line.native), "\(line.native)")
            #expect(line.words["feed"] == "slot", "\(line.native)")
        }
    }

    @Test("Models that polling looks at are among its tables")
    func sources() throws {
        let lines = try lines()
        for type in try LiveTryton.driver().types {
            for source in type.sources {
                let table = source.model.replacingOccurrences(of: ".", with: "_")
                let isThere = lines.contains { $0.words["table"] == table && ($0.words["document"] ?? $0.native) == type.native }
                #expect(isThere, "\(type.native): \(table)")
            }
        }
    }

    @Test("Accounts are told with their parties, in each company")
    func accounts() throws {
        #expect(try map().companions.isEmpty)
        let companions = try map(["accounts": "yes"], companies: ["fr": "1", "us": "3"]).companions
        #expect(
            companions.map(\.company) == ["1", "3"] && companions.allSatisfy { $0.native == "party.account" && $0.of == "party.party" })
        #expect(try map(["accounts": "yes"]).companions.map(\.company) == [nil])
    }

    @Test("The owner's part of it names the same tables, with whole rows where a row that goes has to say whose it was")
    func owner() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let sql = try String(contentsOf: root.appendingPathComponent("drivers/Tryton/signal.sql"), encoding: .utf8)
        var needs: [String: Bool] = [:]
        for line in try lines() {
            let table = try #require(line.words["table"])
            // The key of a row that is a document, or leads to some, is the primary key.
            let isKnown = line.words["key"].map { $0 == "id" } ?? true
            let needsRow = !isKnown && line.words["deletions"] != "no" || line.words["company"] != nil
            needs[table] = needs[table] ?? false || needsRow
        }
        for (table, needsRow) in needs { #expect(sql.contains("('\(table)', \(needsRow))"), "\(table) \(needsRow)") }
        #expect(sql.components(separatedBy: "', true)").count + sql.components(separatedBy: "', false)").count - 2 == needs.count)
    }
}
