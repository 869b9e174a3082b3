import HubDriver
import HubModel

/// What a row of a file says of a document.
struct ReadRow: Sendable, Hashable {
    var key: NativeKey
    /// Members that the row tells.
    var fields: Fields
    var isDeletion: Bool
    var reference: CanonicalID?
    var company: String?
}

/// Understands the rows of one file: which cell is which column, and what it means.
struct RowReader: Sendable {
    let type: TypeDeclaration
    /// The place of each declared column in a row; CSV only.
    private var places: [Int] = []
    /// Cells of a row; CSV only.
    private var width = 0

    /// Why a row, or a whole file, cannot be read.
    struct Problem: Error {
        var text: String
    }

    /// For a file without a header.
    init(_ type: TypeDeclaration) {
        self.type = type
        places = Array(type.columns.indices)
        width = type.columns.count
    }

    /// For a file with one.
    init(_ type: TypeDeclaration, header: ScannedRow) throws(Problem) {
        self.init(type)
        if let problem = header.problem { throw Problem(text: "the header cannot be read: \(problem)") }
        var names: [String] = []
        for cell in header.cells {
            guard let name = type.encoding.text(cell.bytes) else { throw Problem(text: "the header is no \(type.encoding.rawValue)") }
            names.append(name)
        }
        width = names.count
        places = []
        for column in type.columns {
            let found = names.indices.filter { names[$0].hasSameBytes(as: column.name) }
            guard let place = found.first else { throw Problem(text: "the header has no column \(column.name)") }
            if found.count > 1 { throw Problem(text: "the header has the column \(column.name) \(found.count) times") }
            places.append(place)
        }
    }

    func read(_ row: ScannedRow) throws(Problem) -> ReadRow {
        if let problem = row.problem { throw Problem(text: problem) }
        var fields = type.format == .csv ? try cells(row) : try members(row)
        let isDeletion = try isDeletion(fields)
        guard let key = fields[type.key]?.text, !key.isEmpty else { throw Problem(text: "\(type.key), the key, is empty") }
        let reference = type.reference.flatMap { fields[$0]?.text }
        let company = type.company.flatMap { fields[$0]?.text }
        if type.company != nil, company?.isEmpty != false { throw Problem(text: "\(type.company ?? ""), the company, is empty") }
        for name in [type.operation, type.reference].compactMap(\.self) { fields[name] = nil }
        return ReadRow(
            key: NativeKey(key), fields: fields, isDeletion: isDeletion,
            reference: reference.flatMap { $0.isEmpty ? nil : CanonicalID($0) }, company: company)
    }

    private func cells(_ row: ScannedRow) throws(Problem) -> Fields {
        guard row.cells.count == width else { throw Problem(text: "the row has \(row.cells.count) cells instead of \(width)") }
        var fields = Fields()
        for (column, place) in zip(type.columns, places) {
            do throws(Column.Mistake) { fields[column.name] = try column.value(row.cells[place], type.encoding) } catch {
                throw Problem(text: "\(column.name): \(error.text)")
            }
        }
        return fields
    }

    private func members(_ row: ScannedRow) throws(Problem) -> Fields {
        let told: Fields
        do throws(JSONTextError) {
            guard case .object(let object) = try JSONText.value(row.raw) else {
                throw JSONTextError(offset: 0, line: 1, reason: "no object")
            }
            told = object
        } catch {
            throw Problem(text: "the line is no JSON object: \(error.reason)")
        }
        var fields = Fields()
        for column in type.columns {
            guard let value = told[column.name] else { continue }
            do throws(Column.Mistake) {
                // A key is a text to the hub, whatever the other side makes it.
                let isName = column.name == type.key || column.name == type.company
                fields[column.name] = try column.value(isName ? value.keyText.map { .string($0) } ?? value : value)
            } catch {
                throw Problem(text: "\(column.name): \(error.text)")
            }
        }
        return fields
    }

    private func isDeletion(_ fields: Fields) throws(Problem) -> Bool {
        guard let operation = type.operation else { return false }
        switch fields[operation]?.text {
        case type.codes.create, type.codes.update: return false
        case type.codes.delete: return true
        case let other:
            throw Problem(
                text:
                    "\(operation): “\(other?.prefix(20) ?? "")” is none of \(type.codes.create), \(type.codes.update), \(type.codes.delete)"
            )
        }
    }
}
