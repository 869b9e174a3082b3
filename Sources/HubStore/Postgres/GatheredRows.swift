import HubModel
import PostgresClient

/// Rows that one statement will change together.
struct GatheredRows {
    let statement: RowStatement
    private var columns: [PostgresColumn] = []
    /// Hashes of the rows' names. Two rows with one hash are taken for the same, which costs another statement and nothing else.
    private var names: Set<Int> = []
    private(set) var count = 0

    /// So that the server has begun with them when the last ones come.
    private static let maxRows = 64
    private static let maxBytes = 1 << 18

    init(_ statement: RowStatement) { self.statement = statement }

    /// No more should come.
    var isFull: Bool { count >= Self.maxRows || columns.reduce(0) { $0 + $1.size } >= Self.maxBytes }

    var arguments: [PostgresValue] { columns.map { .column($0) } }

    /// Takes a row in; false where it is there already, and the others have to go first.
    mutating func add(_ row: [SQLValue]) -> Bool {
        if !statement.key.isEmpty {
            var hasher = Hasher()
            for place in statement.key { if case .text(let text) = row[place] { hasher.combine(ExactText(text)) } }
            guard names.insert(hasher.finalize()).inserted else { return false }
        }
        if columns.isEmpty { columns = row.indices.map { PostgresColumn(statement.bytes.contains($0) ? .bytes : .text) } }
        for (place, value) in row.enumerated() {
            switch value {
            case .null: columns[place].appendNull()
            case .integer(let integer): columns[place].append(Number(integer))
            case .text(let text): columns[place].append(text.escaped)
            case .json(let bytes), .bytes(let bytes): columns[place].append(bytes)
            }
        }
        count += 1
        return true
    }
}
