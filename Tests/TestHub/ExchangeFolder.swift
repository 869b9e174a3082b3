import Foundation
import HubDriver
import HubModel

/// The other side of the driver `files`: two folders, and what another program reads and drops there.
struct ExchangeFolder: Sendable {
    let folder: String

    /// Makes `in` and `out` in that folder.
    init(_ folder: String) throws {
        self.folder = folder
        for direction in ["in", "out"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(direction)", withIntermediateDirectories: true)
        }
    }

    /// Every line of the files that went out under names that begin so, in the order of their writing.
    func lines(_ start: String) throws -> [Substring] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/out").filter { $0.hasPrefix(start + "-") }.sorted()
        return try names.flatMap { name in
            let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/out/\(name)")), as: UTF8.self)
            return text.split(whereSeparator: \.isNewline)
        }
    }

    /// The newest row of each document in NDJSON files, by its key; deleted ones (`op` is D) apart.
    func documents(_ start: String, key: String) throws -> [String: Fields] {
        var last: [String: Fields] = [:]
        for line in try lines(start) {
            let row = try JSONText.fields(String(line))
            last[row[key]?.text ?? ""] = row
        }
        return last.filter { $0.value["op"]?.text != "D" }
    }

    /// Drops an NDJSON file with one row, as the other program does: a member that is missing is unchanged.
    func drop(_ start: String, _ row: Fields) throws {
        try DurableFile.replace("\(folder)/in/\(start)-\(UUID().uuidString).ndjson", with: JSONText.bytes(.object(row)) + [0x0A])
    }
}
