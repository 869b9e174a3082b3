import HubModel
import Synchronization

@testable import StandIns

/// A service whose rows have the number of their last change, as a change list by sequence has.
final class NumberedRows: Sendable {
    private struct Row: Sendable {
        var key: String
        var number: Int64
        var isDeleted: Bool

        var value: Value { ["id": .string(key), "seq": .number(Number(number)), "deleted": .bool(isDeleted)] }
    }

    private let rows = Mutex<[Row]>([])

    /// - Parameter number: of the change; nil: one more than the highest.
    func change(_ key: String, isDeleted: Bool = false, number: Int64? = nil) {
        rows.withLock { rows in
            let next = number ?? (rows.map(\.number).max() ?? 0) + 1
            rows.removeAll { $0.key == key }
            rows.append(Row(key: key, number: next, isDeleted: isDeleted))
        }
    }

    func answer(_ request: StrictServer.Request) -> StrictServer.Response {
        guard request.path == "/rows" else { return .init(404) }
        let above = request.query["above"].flatMap { Int64($0) }
        let found = rows.withLock { $0 }.filter { row in above.map { row.number > $0 } ?? true }.sorted { $0.number < $1.number }
        let offset = request.query["offset"].flatMap { Int($0) } ?? 0
        let limit = request.query["limit"].flatMap { Int($0) } ?? 0
        return .init(200, .array(found.dropFirst(offset).prefix(limit).map(\.value)))
    }
}
