import Foundation
import HubCodec
import HubModel
import HubScenario
import HubSimulation
import HubStore
import ReferenceApplication
import ReferenceCRM
import ReferenceERP

/// Edits of one field that nobody else touches, written down in the order in which they were made: the last one has to stand in the end.
struct ChaosDiary {
    struct Entry {
        var application: ApplicationID
        var key: NativeKey
        var value: String
    }

    /// The canonical field that is edited, and what both applications call it.
    static let field = "billingAddress.city"
    static let native = "city"
    static let types: [ApplicationID: String] = [Scenario.crmID: "account", Scenario.erpID: "partner"]

    private let path: String
    private var random: SeededRandom
    private var count = 0
    private var documents: [(application: ApplicationID, key: NativeKey)] = []
    private var last: [NativeKey: NativeKey] = [:]

    init(folder: String, seed: UInt64) {
        path = folder + "/diary"
        random = SeededRandom(seed: seed)
    }

    /// One edit of a document drawn at random.
    mutating func edit(_ scenario: Scenario) async throws {
        if count % 20 == 0 || documents.isEmpty {
            documents = try Self.types.sorted { $0.key < $1.key }.flatMap { application, native in
                try scenario.files[application]?.documents(native: native).map { (application, $0.key) } ?? []
            }
        }
        guard !documents.isEmpty else { return }
        let (application, key) = random.pick(documents)
        try await edit(scenario, application, key)
    }

    mutating func edit(_ scenario: Scenario, _ application: ApplicationID, _ key: NativeKey) async throws {
        count += 1
        let entry = Entry(application: application, key: key, value: "City \(count)")
        do {
            let changes: Fields = [Self.native: .string(entry.value)]
            if application == Scenario.crmID {
                try await scenario.crm.editAccount(key, changes)
            } else {
                try await scenario.erp.editPartner(key, changes)
            }
        } catch is Refused {
            return
        }
        try append(entry)
        // The order of times has to be the order of edits.
        try await Task.sleep(for: .milliseconds(2))
    }

    private func append(_ entry: Entry) throws {
        let line = "\(entry.application)\t\(entry.key)\t\(entry.value)\n"
        guard let handle = FileHandle(forWritingAtPath: path) else { return try Data(line.utf8).write(to: URL(fileURLWithPath: path)) }
        defer { try? handle.close() }
        _ = try handle.seekToEnd()
        try handle.write(contentsOf: Data(line.utf8))
    }

    /// What was written down, in order.
    static func entries(folder: String) -> [Entry] {
        let text = FileManager.default.contents(atPath: folder + "/diary").map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\t").map(String.init)
            return parts.count == 3 ? Entry(application: ApplicationID(parts[0]), key: NativeKey(parts[1]), value: parts[2]) : nil
        }
    }

    /// Compares the golden records with the diary.
    /// - Returns: documents compared, and what is wrong.
    static func check(folder: String, _ store: any StoreTransaction) throws(StoreError) -> (documents: Int, problems: [String]) {
        var newest: [CanonicalID: Entry] = [:]
        for entry in entries(folder: folder) {
            // What is not linked is told by the comparison.
            guard let id = try store.link(NativeReference(entry.application, .shared, "customer", entry.key)) else { continue }
            newest[id] = entry
        }
        var problems: [String] = []
        for (id, entry) in newest.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            guard let golden = try store.golden(id), !golden.isDeleted else { continue }
            let value = golden.fields[field]?.text
            guard value != entry.value else { continue }
            problems.append(
                "an edit was lost or taken back: \(id) \(field) is \(value.map { "\"\($0)\"" } ?? "empty"), but the last edit, in \(entry.application), "
                    + "made it \"\(entry.value)\"")
        }
        return (newest.count, problems)
    }
}
