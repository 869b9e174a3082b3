import HubCodec
import HubModel

/// One row of a cross-reference.
struct LinkRow: Equatable {
    var application: String
    var company: String
    var entity: String
    var key: String
    /// Rows of the same entity and id are the same document.
    var id: String
}

/// Rows from a CSV file with a head line, or from one JSON object per line.
struct LinkFile {
    static let columns = ["application", "company", "entity", "key", "id"]

    private var reader: LineReader
    private var head: [String]?
    private var separator: Character = ","

    init(_ path: String) throws(CommandFailure) { reader = try LineReader(path) }

    /// The line last read, counted from 1.
    var line: Int { reader.number }

    /// The next row; nil after the last.
    mutating func next() throws(CommandFailure) -> LinkRow? {
        while let bytes = try reader.next() {
            guard var text = String(validating: bytes, as: UTF8.self) else { throw failure("is not UTF-8") }
            if line == 1, text.hasPrefix("\u{FEFF}") { text.removeFirst() }
            if text.allSatisfy(\.isWhitespace) { continue }
            if head == nil, text.hasPrefix("{") { return try row(json: text) }
            let cells = try Self.cells(text, separator: head == nil ? Self.separator(of: text) : separator, line)
            guard let head else {
                separator = Self.separator(of: text)
                try takeHead(cells)
                continue
            }
            guard cells.count == head.count else { throw failure("has \(cells.count) cells, the head line \(head.count)") }
            return row { name in head.firstIndex(of: name).map { cells[$0] } }
        }
        return nil
    }

    private mutating func takeHead(_ cells: [String]) throws(CommandFailure) {
        for name in cells where !Self.columns.contains(name) {
            throw failure("the column \(name) has no meaning; there are \(Self.columns.joined(separator: ", "))")
        }
        for name in Self.columns where name != "company" && !cells.contains(name) { throw failure("the column \(name) is missing") }
        if Set(cells).count != cells.count { throw failure("a column stands twice") }
        head = cells
    }

    private func row(json text: String) throws(CommandFailure) -> LinkRow {
        guard let document = try? JSONDocument.parse(text), document.root.kind == .object else { throw failure("is no JSON object") }
        for name in Self.columns where name != "company" && document.root[name]?.keyText == nil { throw failure("\(name) is missing") }
        return row { document.root[$0]?.keyText }
    }

    private func row(_ cell: (String) -> String?) -> LinkRow {
        LinkRow(
            application: cell("application") ?? "", company: cell("company") ?? "", entity: cell("entity") ?? "", key: cell("key") ?? "",
            id: cell("id") ?? "")
    }

    private func failure(_ text: String) -> CommandFailure { CommandFailure(.wrong, "line \(line): \(text)") }

    // MARK: CSV (RFC 4180; a cell stays on its line)

    private static func separator(of head: String) -> Character {
        head.contains(";") && !head.contains(",") ? ";" : head.contains("\t") ? "\t" : ","
    }

    static func cells(_ text: String, separator: Character, _ line: Int) throws(CommandFailure) -> [String] {
        var cells: [String] = []
        var cell = ""
        var isQuoted = false
        var wasQuoted = false
        var rest = text[...]
        while let c = rest.popFirst() {
            if isQuoted {
                if c != "\"" {
                    cell.append(c)
                } else if rest.first == "\"" {
                    cell.append("\"")
                    rest.removeFirst()
                } else {
                    isQuoted = false
                }
            } else if c == "\"", cell.isEmpty, !wasQuoted {
                isQuoted = true
                wasQuoted = true
            } else if c == separator {
                cells.append(cell)
                cell = ""
                wasQuoted = false
            } else {
                cell.append(c)
            }
        }
        if isQuoted { throw CommandFailure(.wrong, "line \(line): a quote is not closed") }
        return cells + [cell]
    }
}
