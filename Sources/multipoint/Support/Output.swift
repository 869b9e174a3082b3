import Foundation
import HubCodec
import HubModel

/// What commands print: results to standard output, everything else to standard error.
enum Output {
    /// A line of the result.
    static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// A line of JSON.
    static func json(_ value: Value) { line(String(decoding: value.json, as: UTF8.self)) }

    /// A line for the person at the terminal, beside the result.
    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// Rows as a table, or as one JSON object per line; where there are none, `nothing` (and no JSON at all).
    static func list(_ names: [String], _ rows: [[Value]], json: Bool, nothing: String) {
        if json {
            for row in rows { self.json(.object(Fields(zip(names, row).map { ($0, $1) }))) }
        } else if rows.isEmpty {
            line(nothing)
        } else {
            for text in Table(names.map { $0.uppercased() }, rows.map { $0.map(cell) }).lines { line(text) }
        }
    }

    private static func cell(_ value: Value) -> String {
        switch value {
        case .null: "–"
        case .string(let text): text
        default: String(decoding: value.json, as: UTF8.self)
        }
    }

    /// A moment in UTC, to the second: `2026-03-01T12:00:00Z`.
    static func time(_ instant: Instant) -> Value {
        .string(Date(timeIntervalSince1970: Double(instant.milliseconds) / 1000).formatted(.iso8601))
    }
}

/// Texts in aligned columns.
struct Table {
    private(set) var lines: [String]

    init(_ head: [String], _ rows: [[String]]) {
        // A line break inside a cell would break the table; control characters from outside must not reach the terminal.
        let cells = ([head] + rows).map { $0.map { cell in String(cell.map { $0.isNewline || Self.isControl($0) ? " " : $0 }) } }
        var widths = head.map { _ in 0 }
        for row in cells {
            for (column, cell) in row.enumerated() where column < widths.count { widths[column] = max(widths[column], cell.count) }
        }
        lines = cells.map { row in
            var line = ""
            for (column, cell) in row.enumerated() where column < widths.count {
                // The last column needs no padding.
                let padding = column == widths.count - 1 ? 0 : widths[column] - cell.count + 2
                line += cell + String(repeating: " ", count: padding)
            }
            return line
        }
    }

    private static func isControl(_ c: Character) -> Bool {
        c.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}
