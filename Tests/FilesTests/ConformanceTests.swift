import Foundation
import HubDriver
import HubModel
import HubTestKit
import Testing

@testable import Files

struct ConformanceTests {
    @Test func theDriverKeepsTheContract() async throws {
        var options = ConformanceOptions()
        options.captureTime = .milliseconds(500)
        let bench = try FilesBench()
        let report = try await DriverConformance(bench, options).run()
        report.print()
        #expect(report.hasPassed)
        // Nothing stands between the driver and its folder, so a lost or late answer cannot be made; the kit must not call that kept.
        for check in [Check.intentRecovery, .lateCompletion] {
            #expect(report.results(check).allSatisfy { if case .absent = $0 { true } else { false } }, "\(check)")
        }
        #expect(report.results(.unreachable).contains { if case .passed = $0 { true } else { false } })
    }
}

/// A folder with another program behind it, which reads what is put out and drops changes of its own.
private struct FilesBench: DriverBench {
    let folders: Folders
    let faults: any FaultInjector

    init() throws {
        folders = try Folders()
        faults = FolderFaults(folders.root)
    }

    private static let types = """
        customer: in=customers*.csv out=customers key=id operation=op reference=hub
          columns=op,id,name,city,phone,limit:number,since:date,hub limit=400000
        item: in=items*.ndjson out=items format=ndjson key=sku operation=op
          columns=op,sku,name,price:number,day:date:DD.MM.YYYY,note
        """

    func makeDriver() async throws -> any Driver {
        try folders.driver(Self.types, ["answerMilliseconds": "2000", "settleMilliseconds": "2500"])
    }

    var samples: [Sample] { [customers, items] }

    private var customers: Sample {
        let folders = folders
        let sample = Sample("customer") { mark in
            ["id": .string(mark), "name": .string("Customer \(mark)"), "limit": 1000, "since": "2026-01-02"]
        } change: { mark in
            ["city": .string("City \(mark)")]
        }
        return sample.with([.text("name"), .decimal("limit", scale: 4), .date("since")]).with(breaches("id", "name", "limit")).altered {
            $0.edit = { key, mark in
                // A CSV row is the whole document: the other program writes what it has, and its change.
                let reader = try folders.driver(Self.types)
                var document = try #require(try await reader.document("customer", key))
                document.fields["phone"] = .string(mark)
                let writer = RowWriter(type: reader.types[0])
                try folders.drop("customers-\(mark).csv", writer.head + writer.row(document, .update))
                await reader.close()
                return ["phone": .string(mark)]
            }
            $0.remove = { key in
                try folders.drop("customers-\(UUID().uuidString).csv", "op,id,name,city,phone,limit,since,hub\nD,\(key),,,,,,\n")
            }
        }
    }

    private var items: Sample {
        let folders = folders
        let sample = Sample("item") { mark in
            ["sku": .string(mark), "name": .string("Item \(mark)"), "price": .number(Number(1995, scale: 2)), "day": "2026-02-28"]
        } change: { mark in
            ["name": .string("Name \(mark)")]
        }
        return sample.with([.text("name"), .decimal("price", scale: 6), .date("day")]).with(breaches("sku", "name", "price")).altered {
            $0.edit = { key, mark in
                try folders.drop("items-\(mark).ndjson", "{\"op\":\"U\",\"sku\":\"\(key)\",\"note\":\"\(mark)\"}\n")
                return ["note": .string(mark)]
            }
            $0.remove = { key in try folders.drop("items-\(UUID().uuidString).ndjson", "{\"op\":\"D\",\"sku\":\"\(key)\"}\n") }
        }
    }

    private func breaches(_ key: String, _ text: String, _ number: String) -> [Breach] {
        let folders = folders
        return [
            Breach("unknown-field") { delivery, _ in delivery.fields["colour"] = "red" },
            Breach("invalid-value") { delivery, _ in delivery.fields[number] = "much" },
            Breach("read-only", on: .update) { delivery, mark in delivery.fields[key] = .string(mark) },
            Breach("too-long") { delivery, _ in delivery.fields[text] = .string(String(repeating: "x", count: 1_000_000)) },
            Breach("duplicate-key") { delivery, mark in
                if delivery.native == "customer" {
                    try folders.drop("customers-\(mark).csv", "op,id,name,city,phone,limit,since,hub\nI,\(mark),First,,,,,\n")
                } else {
                    try folders.drop("items-\(mark).ndjson", "{\"op\":\"I\",\"sku\":\"\(mark)\"}\n")
                }
                delivery.fields[key] = .string(mark)
            },
            Breach("missing-token", on: .update) { delivery, _ in delivery.expected = nil },
        ]
    }
}

extension FilesDriver {
    /// A document as the record has it.
    fileprivate func document(_ native: String, _ key: NativeKey) async throws -> FolderDocument? {
        try await perform { work in try work.document(native, key) }
    }
}

/// A folder can be away, as when its file system is not mounted; nothing else can go wrong between a driver and a file without a crash,
/// and crashes are tried in ``OutboundTests`` and ``InboundTests``.
private struct FolderFaults: FaultInjector {
    let root: String

    init(_ root: String) { self.root = root }

    private var away: String { root + "-away" }

    func canMake(_ fault: Fault) -> Bool {
        switch fault {
        case .none, .refused: true
        default: false
        }
    }

    func arm(_ fault: Fault) async throws {
        let isAway = FileManager.default.fileExists(atPath: away)
        switch fault {
        case .refused where !isAway: try FileManager.default.moveItem(atPath: root, toPath: away)
        case .refused: break
        default: if isAway { try FileManager.default.moveItem(atPath: away, toPath: root) }
        }
    }

    var hasStruck: Bool { FileManager.default.fileExists(atPath: away) }
    var traffic: Traffic? { nil }
}
