import HubDriver
import HubModel

/// What is declared of one native type: where its files lie and what stands in them.
struct TypeDeclaration: Sendable, Hashable {
    enum Format: String, Sendable, Hashable, CaseIterable {
        case csv, ndjson
    }

    /// What a file that comes in holds.
    enum Mode: String, Sendable, Hashable, CaseIterable {
        /// What has changed.
        case changes
        /// All documents of the type.
        case snapshot
    }

    /// What becomes of a file that has been read, once Kafka has all of it.
    enum Processed: String, Sendable, Hashable, CaseIterable {
        case archive, remove
        /// It stays where it is, under its name.
        case keep
    }

    /// The type's name in mappings, deliveries and topics.
    var native: String
    var entity: EntityName
    var format = Format.csv
    /// Names of files that come in, with `*` and `?`; nil: none come in.
    var inbound: String?
    /// The beginning of the names of files that go out; nil: none go out.
    var outbound: String?
    var columns: [Column] = []
    /// The column of the native key.
    var key = ""
    /// The column that says what happened to the row's document; nil: rows are documents as they are now.
    var operation: String?
    /// What stands in that column for a new, a changed and a deleted document.
    var codes = Codes()
    /// The column of the hub's reference.
    var reference: String?
    /// The column of the application's name of the company.
    var company: String?
    var mode = Mode.changes
    /// A document that is missing in a snapshot has been deleted.
    var absentIsDeleted = false
    var processed = Processed.archive
    var delimiter = UInt8(ascii: ",")
    var encoding = TextEncoding.utf8
    /// UTF-8 files that go out begin with a byte order mark.
    var writesMark = false
    var hasHeader = true
    /// Files changed less than so many seconds ago are left alone; for writers that cannot rename.
    var quiet = 0
    /// Bytes of a row that are accepted and written.
    var limit = 900_000
    /// So many rows that cannot be read end the reading of a file.
    var malformedLimit = 100

    struct Codes: Sendable, Hashable {
        var create = "I"
        var update = "U"
        var delete = "D"

        /// Of what a delivery does.
        func text(_ operation: Delivery.Operation) -> String {
            switch operation {
            case .create: create
            case .update: update
            case .delete: delete
            }
        }
    }

    /// Columns that are members of documents.
    var members: [Column] { columns.filter { $0.name != operation && $0.name != reference } }
    func column(_ name: String) -> Column? { columns.first { $0.name == name } }

    /// All that a write can break.
    var rules: [String] {
        guard outbound != nil else { return [] }
        var rules = ["unknown-field", "invalid-value", "read-only", "too-long", "duplicate-key", "missing-token"]
        if operation == nil { rules.append("no-delete") }
        return rules
    }

    var manifest: EntityManifest {
        var operations: Set<Delivery.Operation> = outbound == nil ? [] : [.create, .update, .delete]
        if operation == nil { operations.remove(.delete) }
        return EntityManifest(
            native: native, entity: entity, operations: operations, createIsRepeatable: true, hasToken: true, hasStamp: true,
            tellsReference: true, tellsDeletes: inbound == nil || operation != nil || absentIsDeleted,
            delete: operation == nil ? .refuses : .removes, isPerCompany: company != nil, rules: rules)
    }

    func scanner() -> any RowScanner {
        format == .csv ? CSVScanner(delimiter: delimiter, limit: limit) : LineScanner(limit: limit)
    }
}
