import Foundation
import HubModel

/// Documents of one type in a service, and the rules that it has for them.
struct Table: Sendable {
    enum Kind: Sendable {
        case text(most: Int)
        case decimal(scale: Int)
        case date
        case boolean
        /// A whole number, or text of digits.
        case integer
        case list
        /// The key of another table's document.
        case reference(String)
    }

    struct Column: Sendable {
        var name: String
        var kind: Kind
        var isRequired = false
        var isUnique = false
        var isReadOnly = false
    }

    /// A rule broken.
    struct Violation: Error, Sendable {
        enum Rule: String, Sendable { case unknown, type, length, required, duplicate, scale, missing, readOnly }
        var rule: Rule
        var column: String
    }

    struct Row: Sendable {
        var key: String
        var number: Int
        var version = 1
        /// In milliseconds.
        var modified: Int64
        /// Rises with every change in the table.
        var change: Int64
        var fields: Fields
    }

    var columns: [Column]
    private(set) var rows: [String: Row] = [:]
    private var count = 0
    private var changes: Int64 = 0

    init(_ columns: [Column]) { self.columns = columns }

    /// In the order in which they were made.
    var inOrder: [Row] { rows.values.sorted { $0.number < $1.number } }
    /// By their last change.
    var byChange: [Row] { rows.values.sorted { ($0.modified, $0.number) < ($1.modified, $1.number) } }

    /// By the number of their last change.
    var byNumber: [Row] { rows.values.sorted { $0.change < $1.change } }

    private mutating func nextChange() -> Int64 {
        changes += 1
        return changes
    }

    mutating func insert(_ fields: Fields, key: (Int) -> String, exists: (String, String) -> Bool) throws(Violation) -> Row {
        try check(fields, except: nil, exists)
        for column in columns where column.isRequired && (fields[column.name] ?? .null).isNull {
            throw Violation(rule: .required, column: column.name)
        }
        count += 1
        var whole = Fields(columns.filter { !$0.isReadOnly }.map { ($0.name, Value.null) })
        whole = whole.overlaid(with: fields)
        let row = Row(key: key(count), number: count, modified: Self.now(), change: nextChange(), fields: whole)
        rows[row.key] = row
        return row
    }

    mutating func update(_ key: String, _ fields: Fields, exists: (String, String) -> Bool) throws(Violation) -> Row? {
        guard var row = rows[key] else { return nil }
        try check(fields, except: key, exists)
        for column in columns where column.isRequired && fields[column.name]?.isNull == true {
            throw Violation(rule: .required, column: column.name)
        }
        row.fields = row.fields.overlaid(with: fields)
        row.version += 1
        row.modified = Self.now()
        row.change = nextChange()
        rows[key] = row
        return row
    }

    mutating func touch(_ key: String) {
        rows[key]?.version += 1
        rows[key]?.modified = Self.now()
        let change = nextChange()
        rows[key]?.change = change
    }

    mutating func remove(_ key: String) -> Bool { rows.removeValue(forKey: key) != nil }

    private func check(_ fields: Fields, except key: String?, _ exists: (String, String) -> Bool) throws(Violation) {
        for (name, value) in fields {
            guard let column = columns.first(where: { $0.name == name }) else { throw Violation(rule: .unknown, column: name) }
            if column.isReadOnly { throw Violation(rule: .readOnly, column: name) }
            if value.isNull { continue }
            try check(value, column, exists)
            if column.isUnique, rows.values.contains(where: { $0.key != key && $0.fields[name] == value }) {
                throw Violation(rule: .duplicate, column: name)
            }
        }
    }

    private func check(_ value: Value, _ column: Column, _ exists: (String, String) -> Bool) throws(Violation) {
        let wrong = Violation(rule: .type, column: column.name)
        switch column.kind {
        case .text(let most):
            guard let text = value.text else { throw wrong }
            if text.unicodeScalars.count > most { throw Violation(rule: .length, column: column.name) }
        case .decimal(let scale):
            guard let number = value.number else { throw wrong }
            if number.rounded(toScale: scale, .exact) == nil { throw Violation(rule: .scale, column: column.name) }
        case .date:
            guard let text = value.text, Self.isDate(text) else { throw wrong }
        case .boolean: if value.bool == nil { throw wrong }
        case .integer: if value.integer == nil { throw wrong }
        case .list: if value.array == nil { throw wrong }
        case .reference(let table):
            guard let key = value.keyText else { throw wrong }
            if !exists(table, key) { throw Violation(rule: .missing, column: column.name) }
        }
    }

    private static func isDate(_ text: String) -> Bool {
        text.utf8.count == 10 && text.split(separator: "-").count == 3 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
