import HubDriver
import HubModel

/// One line of the setting `tables`: what the hub may do with a table.
struct TableDeclaration: Sendable, Hashable {
    /// The native type's name in mappings, deliveries and topics.
    var native: String
    var entity: EntityName
    /// `schema.table`, or a table on the search path.
    var table: String
    /// The column of the native key; nil: the primary key's only column.
    var key: String?
    /// A whole number that rises with every change of a row, whoever makes it.
    var version: String?
    /// Where a create leaves the hub's reference.
    var reference: String?
    /// Holds the application's name of the company.
    var company: String?
    /// A truth value that a deletion sets instead of removing the row.
    var archived: String?
    var refusesDelete = false
    /// A create takes over a row that has the key already.
    var adopts = false
    /// How the driver hears of its changes; nil: it does not.
    var feed: Feed?
    /// Its rows are parts of documents of this type: a change of one is told as a change of the document that ``key`` names.
    var document: String?
    /// The key column holds `type,key`, keys of several types, and only those of this one count.
    var keyType: String?
    /// The tables between the key column and the document's key, in their order.
    var trail: DocumentTrail?
    /// The database may do without the table, or without a column that the line names: then the line does not count.
    var isOptional = false
    /// The hub never writes there.
    var isReadOnly = false
    /// Rows that go are told; otherwise the table needs no replica identity with the document's key.
    var tellsDeletes = true

    enum Feed: Sendable, Hashable {
        /// A trigger notes changes.
        case triggers
        /// Logical decoding.
        case slot
    }

    /// What a write can break; constraints and triggers are the database's own affair, so all kinds of them are named.
    var rules: [String] {
        var rules = [
            "unique", "foreign-key", "check", "not-null", "exclusion", "invalid-value", "unknown-field", "read-only", "missing-key",
            "raised",
            "suppressed", "permission", "refused",
        ]
        if version != nil { rules.append("missing-token") }
        if refusesDelete { rules.append("no-delete") }
        return rules
    }

    var manifest: EntityManifest {
        var operations: Set<Delivery.Operation> = isReadOnly ? [] : Set(Delivery.Operation.allCases)
        if refusesDelete { operations.remove(.delete) }
        return EntityManifest(
            native: native, entity: entity, operations: operations, createIsRepeatable: true, hasToken: version != nil,
            tellsReference: feed != nil, delete: refusesDelete ? .refuses : archived == nil ? .removes : .archives,
            isPerCompany: company != nil,
            rules: rules)
    }

    /// Reads the whole setting: a line per table, `#` before comments.
    static func all(_ text: String, of application: ApplicationID) throws(DriverError) -> [TableDeclaration] {
        var found: [TableDeclaration] = []
        for line in text.split(whereSeparator: { $0.isNewline || $0 == ";" }) {
            let line = line.prefix { $0 != "#" }
            if line.allSatisfy(\.isWhitespace) { continue }
            do throws(Mistake) {
                let table = try TableDeclaration(line)
                if found.contains(where: { $0.native == table.native }) { throw Mistake(text: "\(table.native) is declared twice") }
                found.append(table)
            } catch {
                throw DriverError(.configuration, "\(application): tables, “\(line)”: \(error.text).")
            }
        }
        if found.isEmpty { throw DriverError(.configuration, "\(application) needs the setting tables, a line per table.") }
        return found
    }

    private struct Mistake: Error {
        var text: String
    }

    private init(_ line: Substring) throws(Mistake) {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard let name = words.first, name.hasSuffix(":"), name.count > 1 else {
            throw Mistake(text: "it has to begin with the type's name and a colon")
        }
        native = String(name.dropLast())
        table = native
        entity = EntityName(native.split(separator: ".").last.map(String.init) ?? native)
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw Mistake(text: "\(word) should be name=value") }
            let value = String(parts[1])
            switch parts[0] {
            case "table": table = value
            case "entity": entity = EntityName(value)
            case "key":
                let link = try Self.link(value[...])
                (key, keyType) = (link.column, link.type)
            case "through": trail = try Self.trail(value)
            case "optional": isOptional = try Self.flag(parts[0], value)
            case "write": isReadOnly = try !Self.flag(parts[0], value)
            case "deletions": tellsDeletes = try Self.flag(parts[0], value)
            case "version": version = value
            case "reference": reference = value
            case "company": company = value
            case "adopt": adopts = try Self.flag(parts[0], value)
            case "feed":
                guard let known: Feed? = ["yes": .triggers, "slot": .slot, "no": nil][value] else {
                    throw Mistake(text: "feed is yes (a trigger), slot (logical decoding) or no")
                }
                feed = known
            case "document": document = value
            case "delete":
                switch value {
                case "removes": break
                case "refuses": refusesDelete = true
                case _ where value.hasPrefix("archives:") && value.count > 9: archived = String(value.dropFirst(9))
                default: throw Mistake(text: "delete is removes, refuses or archives:column")
                }
            default:
                throw Mistake(
                    text: "\(parts[0]) is none of table, entity, key, version, reference, company, delete, adopt, write, feed, document, "
                        + "through, optional, deletions")
            }
        }
        if document != nil, feed != .slot || key == nil {
            throw Mistake(text: "document= is for parts of a document: with feed=slot, and key= the column of the document's key")
        }
        if document == nil, trail != nil || keyType != nil || !tellsDeletes {
            throw Mistake(text: "through=, key=column(type) and deletions=no are for parts of a document: with document=")
        }
        if isReadOnly { refusesDelete = true }
        guard table.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }) else {
            throw Mistake(text: "\(table) is no table's name")
        }
    }

    private static func flag(_ name: Substring, _ value: String) throws(Mistake) -> Bool {
        guard let flag = ["yes": true, "no": false][value] else { throw Mistake(text: "\(name) is yes or no") }
        return flag
    }

    /// `column`, or `column(type)`.
    private static func link(_ text: Substring) throws(Mistake) -> DocumentTrail.Link {
        guard let link = DocumentTrail.Link(text) else { throw Mistake(text: "\(text) is no column, nor column(type)") }
        return link
    }

    /// `table:column:column`, several with slashes between.
    private static func trail(_ text: String) throws(Mistake) -> DocumentTrail {
        var hops: [DocumentTrail.Hop] = []
        for hop in text.split(separator: "/", omittingEmptySubsequences: false) {
            let words = hop.split(separator: ":", omittingEmptySubsequences: false)
            guard words.count == 3, !words[0].isEmpty else {
                throw Mistake(text: "through= is table:column:column, the second leading on; several of them with / between")
            }
            hops.append(DocumentTrail.Hop(table: String(words[0]), from: try link(words[1]), to: try link(words[2])))
        }
        return DocumentTrail(hops: hops)
    }
}
