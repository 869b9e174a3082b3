import HubDriver
import HubModel

/// Writes documents as rows of a type's files.
struct RowWriter: Sendable {
    let type: TypeDeclaration

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// What stands before the rows.
    var head: [UInt8] {
        guard type.format == .csv else { return [] }
        let names = type.columns.map { type.encoding.bytes($0.name) }
        return (type.writesMark ? Self.mark : []) + (type.hasHeader ? CSVText.row(names, delimiter: type.delimiter) : [])
    }

    /// Where files of this format end their names.
    var suffix: String { type.format == .csv ? ".csv" : ".ndjson" }

    /// The row of a document that has passed ``Column/check(_:_:)``.
    func row(_ document: FolderDocument, _ operation: Delivery.Operation) -> [UInt8] {
        if type.format == .csv {
            let cells = type.columns.map { column in
                text(column, document, operation).flatMap { type.encoding.bytes($0) }
            }
            return CSVText.row(cells, delimiter: type.delimiter)
        }
        var members = Fields()
        for column in type.columns {
            if let text = special(column, document, operation) {
                members[column.name] = .string(text)
            } else if let value = document.fields[column.name] {
                members[column.name] = column.json(value)
            }
        }
        return JSONText.bytes(.object(members)) + [Byte.lineFeed]
    }

    private func text(_ column: Column, _ document: FolderDocument, _ operation: Delivery.Operation) -> String? {
        special(column, document, operation) ?? document.fields[column.name].flatMap { column.cell($0) }
    }

    /// What the hub and not the document says.
    private func special(_ column: Column, _ document: FolderDocument, _ operation: Delivery.Operation) -> String? {
        switch column.name {
        case type.operation: type.codes.text(operation)
        case type.reference: document.reference?.rawValue
        case type.key: document.key.rawValue
        default: nil
        }
    }
}
